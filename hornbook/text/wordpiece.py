"""Train a WordPiece tokenizer (Schuster and Nakajima, 2012; Wu et al., 2016, section 4.1), the kind that BERT reads.

Words are counted, cut into characters (`##` before all but the first), and neighbours are joined one pair at a time.
Schuster and Nakajima join the pair that raises the likelihood of the text most; Google never published the program.
Here, as in the `tokenizers` library and the vocabularies trained with it, the most frequent pair is joined. The rule
that is often told, count(ab) / (count(a) count(b)), joins pairs of letters that are rare everywhere else and spends the
vocabulary on those: docs/tokenizer.md has the numbers.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hornbook.core.errors import UserError
from hornbook.text.bpe import Progress
from hornbook.text.normalize_bert import BertRules
from hornbook.text.pretokenize import BLOCK

if TYPE_CHECKING:
    from hornbook.text.tokenizer import Tokenizer
    from hornbook.text.wordpiece_tokenizer import WordPieceTokenizer

ROLES = ("pad", "unk", "cls", "sep", "mask")


@dataclass(frozen=True, kw_only=True)
class WordPiece:
    """Words in their longest known pieces, as BERT has them: case, accents and spaces may be lost on the way."""

    vocab: int = 8192
    """Number of ids: special tokens, characters, and the pieces learned."""
    special: tuple[str, ...] = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    """The tokens for padding, unknown words, the beginning and end of a text, and what is masked, in this order."""
    lowercase: bool = True
    strip_accents: bool = True
    chinese_characters: bool = True  # each ideograph is a word; without, a Chinese sentence is one
    alphabet: int = 1000
    """Characters that get a token; a word with any other is unknown. Chinese wants 6000."""
    longest_word: int = 100
    """Characters; longer words are unknown."""

    def __post_init__(self) -> None:
        if len(set(self.special)) != len(ROLES) or "" in self.special:
            raise ValueError(f"special: {list(self.special)} wants five distinct tokens, for {', '.join(ROLES)}")
        for name in ("alphabet", "longest_word"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} leaves every word unknown; give 1 or more")
        if self.vocab < 2 * self.alphabet + len(self.special):
            least = 2 * self.alphabet + len(self.special)
            raise ValueError(
                f"vocab: {self.vocab} may have no room for alphabet={self.alphabet} characters, at the beginning of a "
                f"word and in it, and {len(self.special)} special tokens; give {least} or more, or a smaller alphabet"
            )

    @property
    def rules(self) -> BertRules:
        """What is done to a text before it is cut."""
        return BertRules(lowercase=self.lowercase, accents=self.strip_accents, chinese=self.chinese_characters)

    def train(
        self, texts: Iterable[str], *, processes: int | None = None, progress: Progress | None = None
    ) -> "WordPieceTokenizer":
        """Learn a tokenizer from texts, read once; `processes` count words side by side and never change the result.

        A text too small for the vocabulary gives fewer ids than `vocab`: see `shortfall`.
        """
        from hornbook.text.count import count_pieces
        from hornbook.text.wordpiece_learn import learn
        from hornbook.text.wordpiece_rules import configuration, describe
        from hornbook.text.wordpiece_tokenizer import WordPieceTokenizer

        tell = progress or (lambda _stage, _done: None)
        counts = count_pieces(
            texts,
            BertWords(self.rules),
            processes=processes or len(os.sched_getaffinity(0)),
            progress=lambda n: tell("count", n),
        )
        words = {word: number for word, number in counts.items() if len(word) <= self.longest_word}
        known = alphabet_of(words, self.alphabet)
        words = {word: number for word, number in words.items() if known.issuperset(word)}
        if not words:
            raise UserError("corpus: no text to train a tokenizer on; check corpus.source and what its filters drop")
        pieces = learn(words, self.vocab - len(self.special), progress=lambda n: tell("merge", n))
        vocab = {token: i for i, token in enumerate(dict.fromkeys([*self.special, *pieces]))}
        roles = dict(zip(ROLES, self.special, strict=True))
        data = describe(vocab, rules=self.rules, roles=roles, longest=self.longest_word)
        return WordPieceTokenizer(data, configuration(self.rules, roles))

    def shortfall(self, tokenizer: "Tokenizer") -> str:
        """What to tell the user when the text was too small for the vocabulary; empty when it was not."""
        if tokenizer.vocab >= self.vocab:
            return ""
        return (
            f"vocab: the text holds only {tokenizer.vocab} of the {self.vocab} ids asked for, since no pair is left "
            f"that occurs twice; the tokenizer has vocab {tokenizer.vocab}, give it more text for more"
        )


@dataclass(frozen=True)
class BertWords:
    """BERT's cutting into words, as counting wants it."""

    rules: BertRules

    def find(self, block: str) -> list[str]:
        """The words of a short text."""
        return self.rules.words(block)

    def blocks(self, text: str, longest: int | None = None) -> Iterator[str]:
        """The text divided at spaces, after about BLOCK characters each."""
        start = 0
        while start < len(text):
            place = _SPACE.search(text, start + BLOCK, start + (longest or len(text)))
            end = place.start() if place else start + longest if longest else len(text)
            yield text[start:end]
            start = end


_SPACE = re.compile(r"[ \t\n]")


def alphabet_of(words: Mapping[str, int], most: int) -> set[str]:
    """The most frequent characters; among equals the lower code point.

    >>> sorted(alphabet_of({"abc": 2, "b": 1, "d": 2}, 3))
    ['a', 'b', 'c']
    """
    counts: Counter[str] = Counter()
    for word, number in words.items():
        for character in word:
            counts[character] += number
    return set(sorted(counts, key=lambda character: (-counts[character], character))[:most])
