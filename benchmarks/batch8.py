"""How much faster do eight requests go through the engine together than one after another?

A Llama of SmolLM2-135M's shapes with random weights in fp32; prompts of 128 tokens, 128 new ones, greedy, no two
prompts alike and nothing kept between rounds. One request alone and eight at once take turns; a round counts from the
first request to the last token, the reading of the prompts included. Told are medians: tokens per second, tokens per
CPU second of all threads, and the same of the steps alone.

    python benchmarks/batch8.py [--rounds 5] [--threads 2] [--requests 8] [--tokens 128] [--tiny]

`figure batch8` is tokens per second of eight requests over those of one (goal: at least 4), `batch8_cpu` the same per
CPU second, for a busy machine, `batch8_steps` per second without the prompts, `batch1` one request through the engine
over the plain loop `write` (goal: 1).
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, ClassVar

import torch

from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.sample import Sampling
from hornbook.generate.serving import Engine, EngineSettings, Request
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.model.embed import Tokens
from hornbook.model.mlp import GatedMLP
from hornbook.model.norm import RMSNorm
from hornbook.model.rope import Rope
from hornbook.model.stack import Stack

GREEDY = Sampling(temperature=0)
ENOUGH = 4096  # tokens of context


@dataclass
class Round:
    """What one way of writing took."""

    tokens: int
    seconds: float
    processor: float
    steps: float = 0.0  # seconds of the steps alone


class Letters:
    """A tokenizer in which every id is a letter: only the model is to be measured."""

    special: ClassVar[dict[str, int]] = {}
    end = 0

    def __init__(self, vocab: int) -> None:
        self.vocab = vocab

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        return bytes(97 + token % 26 for token in ids)


class Speaker:
    """A model and its tokenizer, as the engine wants them."""

    def __init__(self, module: DecoderModel) -> None:
        self.module, self.tokenizer = module, Letters(module.config.vocab)

    def limits(self, max_new_tokens: int) -> Limits:
        return Limits(max_new_tokens=max_new_tokens, context=ENOUGH)


def shapes(tiny: bool) -> Decoder:
    """SmolLM2-135M's (Allal et al. 2025), or a model for trying this file out."""
    layers, dim, heads, kv_heads, hidden, vocab = (2, 32, 4, 2, 64, 99) if tiny else (30, 576, 9, 3, 1536, 49152)
    layer: Any = [Attention(heads=heads, kv_heads=kv_heads), GatedMLP(hidden=hidden)]
    stack = Stack(layers=layers, layer=layer, norm=RMSNorm(), position=Rope(base=100_000.0))
    return Decoder(dim=dim, length=ENOUGH, embed=Tokens(vocab=vocab), stack=stack)


def prompts(count: int, tokens: int, vocab: int) -> list[list[int]]:
    """Random ones."""
    drawn = torch.randint(vocab, (count, tokens), generator=torch.Generator().manual_seed(0))
    found: list[list[int]] = drawn.tolist()
    return found


def through_engine(lm: Speaker, texts: list[list[int]], tokens: int) -> Round:
    """All at once, until the last has ended."""
    engine = Engine(lm, EngineSettings(slots=8, prefix_bytes=0))  # type: ignore[arg-type]
    began, used = time.perf_counter(), time.process_time()
    tickets = [engine.submit(Request(prompt=text, sampling=GREEDY, max_new_tokens=tokens)) for text in texts]
    engine.start()
    written = sum(len(piece.ids) for ticket in tickets for piece in ticket)
    taken = Round(written, time.perf_counter() - began, time.process_time() - used, engine.stats()["writing_seconds"])
    engine.close()
    assert written == tokens * len(texts), "no end token is known, so all are of full length"
    return taken


def plain(lm: Speaker, text: list[int], tokens: int) -> Round:
    """One, by the loop that knows no other requests."""
    writing = Writing(text)
    began, used = time.perf_counter(), time.process_time()
    for _ in write(lm.module, [writing], GREEDY, lm.limits(tokens)):
        pass
    return Round(len(writing.new), time.perf_counter() - began, time.process_time() - used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in {"rounds": 5, "threads": 2, "requests": 8, "tokens": 128}.items():
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lm = Speaker(shapes(options.tiny).build())
    texts = prompts(options.requests, options.tokens, lm.module.config.vocab)
    rounds: dict[str, list[Round]] = {"write": [], "one": [], "all": []}
    for _ in range(options.rounds):
        rounds["write"].append(plain(lm, texts[0], options.tokens))
        rounds["one"].append(through_engine(lm, texts[:1], options.tokens))
        rounds["all"].append(through_engine(lm, texts, options.tokens))
    rate = {name: median(each.tokens / each.seconds for each in found) for name, found in rounds.items()}
    work = {name: median(each.tokens / each.processor for each in found) for name, found in rounds.items()}
    for name in rounds:
        print(f"{name:6} {rate[name]:8.1f} tokens/s  {work[name]:8.1f} tokens/CPU s")
    steps = {name: median(each.tokens / each.steps for each in rounds[name]) for name in ("one", "all")}
    print(f"steps alone: one {steps['one']:.1f} tokens/s, all {steps['all']:.1f} tokens/s")
    print(f"figure batch8 {rate['all'] / rate['one']:.3f}")
    print(f"figure batch8_cpu {work['all'] / work['one']:.3f}")
    print(f"figure batch8_steps {steps['all'] / steps['one']:.3f}")
    print(f"figure batch1 {rate['one'] / rate['write']:.3f}")


if __name__ == "__main__":
    main()
