"""How fast is text written, token by token, and how near is that to what memory allows?

SmolLM2-135M's GGUF file, batch 1, greedy: 128 new tokens after a prompt of 128. For each way of storing the matrices
ours, transformers' `generate` in fp32 with its own cache, and llama.cpp at F32, Q8_0 and Q4_0 (from files that we
write). All take turns. The bound is the bytes of the matrices over the measured speed of reading memory (a product of a
matrix that no cache holds with a vector, by products.c). Told are medians of wall and of CPU seconds, of the prompt and
of the steps.

    python benchmarks/decode.py MODEL.gguf [--rounds 3] [--threads 1] [--tokens 128]

`figure fp32_bandwidth` is our speed in fp32 over the bound (goal: 0.85); `int8` and `int4` ours over llama.cpp's (goal:
1); `transformers` ours in fp32 over theirs (goal: 3); `prefill` our best over llama.cpp's best (goal: 1). What is not
installed is left out.
"""

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch

import hornbook
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.sample import Sampling
from hornbook.model import native
from hornbook.model.quantised import chosen, stored_bytes

Run = Callable[[list[int], int], "Taken"]
TYPES = {"fp32": "f32", "int8": "q8_0", "int4": "q4_0"}


@dataclass
class Taken:
    """Seconds, wall and CPU, of the first token (prompt included) and of the ones after it."""

    prompt: tuple[float, float]
    steps: tuple[float, float]


class Clock:
    """Both clocks at once."""

    def __init__(self) -> None:
        self.wall, self.processor = time.perf_counter(), time.process_time()

    def since(self) -> tuple[float, float]:
        found = time.perf_counter() - self.wall, time.process_time() - self.processor
        self.__init__()  # type: ignore[misc]
        return found


def ours(module: Any) -> Run:
    """The loop of engine.py."""

    def run(prompt: list[int], tokens: int) -> Taken:
        clock, steps = Clock(), write(module, [Writing(prompt)], Sampling(temperature=0), Limits(max_new_tokens=tokens))
        next(steps)
        first = clock.since()
        for _ in steps:
            pass
        return Taken(first, clock.since())

    return run


def transformers(file: Path) -> Run:
    """`generate`, asked for one token and then for all: its prompt is taken off."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(file.parent), gguf_file=file.name, dtype=torch.float32)

    def run(prompt: list[int], tokens: int) -> Taken:
        ids, taken = torch.tensor([prompt]), []
        for count in (1, tokens):
            clock = Clock()
            model.generate(ids, max_new_tokens=count, min_new_tokens=count, do_sample=False, pad_token_id=0)
            taken.append(clock.since())
        first, whole = taken
        return Taken(first, (whole[0] - first[0], whole[1] - first[1]))

    return run


def llama(file: Path, threads: int) -> Run:
    """llama.cpp, a token at a time, the likeliest taken."""
    from llama_cpp import Llama

    model = Llama(str(file), n_ctx=512, n_threads=threads, n_threads_batch=threads, verbose=False)

    def run(prompt: list[int], tokens: int) -> Taken:
        model.reset()
        clock = Clock()
        model.eval(prompt)
        token = model.sample(temp=0)
        first = clock.since()
        for _ in range(tokens - 1):
            model.eval([token])
            token = model.sample(temp=0)
        return Taken(first, clock.since())

    return run


def bandwidth() -> float:
    """Bytes a second that a product reads from memory, the best of several."""
    matrix, x = torch.randn(16_384, 4096), torch.randn(1, 4096)
    product = native.products().get("fp32")
    found = []
    for _ in range(7):
        clock = Clock()
        if product is None:
            torch.mv(matrix, x[0])
        else:
            product(matrix, matrix, x, len(matrix))
        found.append(clock.since()[0])
    return matrix.numel() * 4 / min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    for name, usual in {"rounds": 3, "threads": 1, "tokens": 128}.items():
        parser.add_argument(f"--{name}", type=int, default=usual)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    contestants, sizes = ready(options.model, options.threads)
    prompt = torch.randint(1000, 40_000, (128,), generator=torch.Generator().manual_seed(0)).tolist()
    taken: dict[str, list[Taken]] = {name: [] for name in contestants}
    speeds = []
    for turn in range(options.rounds + 1):
        speeds.append(bandwidth())
        for name, run in contestants.items():
            found = run(prompt, options.tokens if turn else 2)  # the first turn warms up
            if turn:
                taken[name].append(found)
    tell(taken, sizes, median(speeds), options.tokens)


def ready(file: Path, threads: int) -> tuple[dict[str, Run], dict[str, int]]:
    """Everybody, with the model read; and the bytes of our matrices."""
    contestants: dict[str, Run] = {}
    sizes: dict[str, int] = {}
    plain = hornbook.load(str(file))
    contestants["fp32"], sizes["fp32"] = ours(plain.module), stored_bytes(plain.module)
    for kind in ("bf16", "int8", "int4"):
        module = hornbook.load(str(file), quantise=kind).module
        sizes[kind] = stored_bytes(module)
        contestants[kind] = ours(module)
        print(f"{kind}: {sizes[kind] / 1e6:.0f} MB; kernel up to that many vectors: {chosen(module)}")
    if importlib.util.find_spec("transformers"):
        contestants["transformers"] = transformers(file)
    if importlib.util.find_spec("llama_cpp"):
        with tempfile.TemporaryDirectory() as folder:
            for kind, type in TYPES.items():
                path = Path(folder) / f"{type}.gguf"
                plain.save_gguf(path, type=type)
                contestants[f"llama.cpp {kind}"] = llama(path, threads)
    return contestants, sizes


def tell(taken: dict[str, list[Taken]], sizes: dict[str, int], speed: float, tokens: int) -> None:
    """The table and the figures."""
    print(f"memory is read at {speed / 1e9:.1f} GB/s")
    rate, read = {}, {}
    for name, found in taken.items():
        wall, processor = (median((tokens - 1) / each.steps[i] for each in found) for i in (0, 1))
        rate[name], read[name] = processor, median(128 / each.prompt[1] for each in found)
        bound = f"  {wall * sizes[name] / speed:6.1%} of the bound" if name in sizes else ""
        line = f"{wall:7.1f} tokens/s  {processor:7.1f} tokens/CPU s  prompt {read[name]:7.1f} tokens/CPU s"
        print(f"{name:16} {line}{bound}")
    walls = {name: median((tokens - 1) / each.steps[0] for each in found) for name, found in taken.items()}
    print(f"figure fp32_bandwidth {walls['fp32'] * sizes['fp32'] / speed:.3f}")
    for kind in ("int8", "int4"):
        if f"llama.cpp {kind}" in rate:
            print(f"figure {kind} {rate[kind] / rate[f'llama.cpp {kind}']:.3f}")
    if "transformers" in rate:
        print(f"figure transformers {rate['fp32'] / rate['transformers']:.3f}")
    theirs = [speed for name, speed in read.items() if name.startswith("llama.cpp")]
    if theirs:
        print(f"figure prefill {max(read[name] for name in sizes) / max(theirs):.3f}")


if __name__ == "__main__":
    main()
