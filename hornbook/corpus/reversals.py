"""Made-up pairs whose answer is known: strings of letters, and the same backwards.

The first thing to try on a model that translates: a copy would need no order, a reversal needs every position
(Sutskever et al. 2014 reversed their sources because of it). Held out are strings that were never trained on.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hornbook.core.files import new_folder, write_json
from hornbook.corpus.clean import text_hash
from hornbook.corpus.document import Document
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.write import Writer

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, kw_only=True)
class Reversals:
    """Random strings and their reversals."""

    pairs: int = 20_000
    """How many are drawn; the same string twice is kept once."""
    symbols: int = 10
    """Letters of the longest; every length from 1 on is as likely."""
    validation: float = 0.05
    """Share of the strings that is held out."""

    def __post_init__(self) -> None:
        for name in ("pairs", "symbols"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} leaves nothing to learn; give at least 1")
        if not 0 <= self.validation <= 0.5:
            raise ValueError(f"validation: {self.validation} is not a share between 0 and 0.5; try 0.05")

    def fingerprint(self) -> str:
        """Hash of what is drawn, which the recipe alone decides."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def strings(config: Reversals) -> Iterator[str]:
    """The strings, each once.

    >>> list(strings(Reversals(pairs=3, symbols=4)))
    ['hibb', 'aev', 'xnp']
    """
    rng, seen = np.random.default_rng(0), set[str]()
    lengths = rng.integers(1, config.symbols + 1, config.pairs)
    letters = rng.integers(len(LETTERS), size=(config.pairs, config.symbols))
    for length, row in zip(lengths.tolist(), letters.tolist(), strict=True):
        text = "".join(LETTERS[letter] for letter in row[:length])
        if text not in seen:
            seen.add(text)
            yield text


def run(config: Reversals, folder: Path) -> Ledger:
    """Write `{train,validation}-00000.parquet`, string and reversal in turn, and ledger.json into a new folder."""
    ledger = Ledger(split_rule="by hash of the string")
    with new_folder(folder) as aside:
        writers = {split: Writer(aside, split) for split in ledger.splits}
        for text in strings(config):
            split = "validation" if text_hash(text) < config.validation * 2**64 else "train"
            for document in (Document(text, text, "reversals"), Document(f"{text} answer", text[::-1], "reversals")):
                ledger.see(document)
                ledger.keep(document)
                ledger.splits[split].add(document)
                writers[split].write(document)
        ledger.fingerprint = "".join(writer.close() for writer in writers.values())
        write_json(aside / "ledger.json", ledger.plain())
    return ledger
