"""Does a model that reads half domain and half general text pay for the domain with the general text?

BloombergGPT (Wu et al. 2023, sections 2 and 5): 51 % financial text, 49 % general, and one model that is better at the
one and as good at the other. Here in small: two models of the same design, tokenizer, seed and number of tokens, one on
both halves and one on the general text alone; both are asked for the same held-out documents of each source.

domain   perplexity per byte on the domain: general-only over mixed (above 1: the mixture knows the domain better)
general  perplexity per byte on general text: mixed over general-only (at most 1.05: it costs no more than 5 %)

python benchmarks/domain.py DOMAIN.jsonl GENERAL.jsonl [tokens]
"""

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from hornbook.core import recipe
from hornbook.core.run import Row, Run
from hornbook.corpus import pipeline
from hornbook.corpus.mixture import Epochs, Shares
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus.stored import texts
from hornbook.data import shards, tokenize
from hornbook.data.batches import Windows
from hornbook.evaluate.by_source import held_out, score_each
from hornbook.model.decoder import Decoder
from hornbook.objective.language import NextToken
from hornbook.optim.muon import Muon
from hornbook.optim.schedule import WSD
from hornbook.text.bpe import BPE
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks

VOCAB, LENGTH, TOKENS = 2048, 128, 3_000_000
MIXED = Shares(shares={"domain": 1, "general": 1}, max_epochs=2)
GENERAL = Epochs(epochs={"domain": 1e-9, "general": 1})  # the same files, so the same documents are held out


class Quiet:
    """Says where a training is every two hundred steps."""

    def step(self, row: Row, total: int, seconds_left: float) -> None:  # noqa: ARG002
        if row["step"] % 200 == 0:
            print(f"step {row['step']}/{total}  loss {row['loss']:.3f}", flush=True)

    def validated(self, row: Row) -> None: ...

    def sampled(self, rows: list[Row]) -> None: ...

    def note(self, text: str) -> None:
        print(text)


def main() -> None:
    """Train both, score both, print the figures."""
    torch.set_num_threads(1)
    sources: dict[str, str | tuple[str, ...]] = {"domain": sys.argv[1], "general": sys.argv[2]}
    tokens = int((sys.argv[3:] or [str(TOKENS)])[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = Corpus(source=sources, mixture=MIXED)
        pipeline.run(corpus, folder / "mixed")
        pipeline.run(replace(corpus, mixture=GENERAL), folder / "general")
        tokenizer = BPE(vocab=VOCAB).train(texts(folder / "mixed", "train"))
        perplexity = {}
        for kind in ("general", "mixed"):
            tokenize.write(folder / kind, folder / f"{kind}-shards", tokenizer)
            model = train(folder, kind, tokens, tokenizer.vocab)
            found = score_each(model.eval(), tokenizer, held_out(folder / "mixed"), length=LENGTH)
            perplexity[kind] = {source: 2**each.bits_per_byte for source, each in found.items()}
            print(kind, json.dumps({source: [e.bits_per_byte, *e.interval] for source, e in found.items()}))
    print("figure domain", round(perplexity["general"]["domain"] / perplexity["mixed"]["domain"], 4))
    print("figure general", round(perplexity["mixed"]["general"] / perplexity["general"]["general"], 4))


def train(folder: Path, kind: str, tokens: int, vocab: int) -> torch.nn.Module:
    """A model of 0.8 M parameters after so many tokens of a corpus."""
    sizes = [f"embed.vocab={vocab}", f"length={LENGTH}", "dim=128", "stack.layers=4", "stack.layer.0.heads=4"]
    config: Decoder = recipe.load(Decoder, "models/demo-small", [*sizes, "stack.layer.1.hidden=344"])
    model = config.build(torch.Generator().manual_seed(0))
    source = Windows(length=LENGTH).build(shards.load(folder / f"{kind}-shards").train, seed=0)
    how = Train(
        tokens=tokens, tokens_per_step=2048, save_every=10_000, optimizer=Muon(lr=0.02), schedule=WSD(cooldown=0.4)
    )
    job = Job(model=model, objective=NextToken(), source=source)
    Trainer(how, job, Run(folder / f"{kind}-run"), listener=Quiet(), ranks=Ranks()).fit()
    return model


if __name__ == "__main__":
    main()
