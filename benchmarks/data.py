"""Is the way from documents to batches fast and flat? Three figures, CPU-seconds and ratios of one run.

shard_rate     writing shards, reading included, against the bare tokenizer on the same texts (1: nothing is lost)
batch_share    CPU time to load a batch of 16 x 256 over that of a training step of a 10 M model (and packed rows)
memory_growth  peak memory of files -> corpus -> shards at 500 MB over that at 50 MB

python benchmarks/data.py [shard_rate] [batch_share] [memory_growth]
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from hornbook.corpus import pipeline
from hornbook.corpus.stored import texts
from hornbook.data import tokenize
from hornbook.data.batches import Batch, Source, Windows
from hornbook.data.pack import Packed
from hornbook.text.bpe import BPE
from hornbook.text.tokenizer import Tokenizer, load

VOCAB = 4_096
REPEATS = 5
ROWS, LENGTH = 16, 256
MEGABYTES = (50, 500)
WORDS_PER_DOCUMENT = 300


def main() -> None:
    """Run the figures named on the command line, or all."""
    figures = {"shard_rate": shard_rate, "batch_share": batch_share, "memory_growth": memory_growth}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pipeline.run(pipeline.Corpus(), folder / "corpus")
        BPE(vocab=VOCAB).train(texts(folder / "corpus", "train"), processes=1).save(folder / "tokenizer")
        for figure in sys.argv[1:] or figures:
            figures[figure](folder)


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this process, its threads included."""
    started_at = time.process_time()
    work()
    return time.process_time() - started_at


def shard_rate(folder: Path) -> None:
    """The standard library, one process; the two take turns."""
    tokenizer = load(folder / "tokenizer")
    documents = [*texts(folder / "corpus", "train"), *texts(folder / "corpus", "validation")]
    megabytes = sum(len(text.encode()) for text in documents) / 1e6
    bare, ours = [], []
    for _ in range(REPEATS):
        bare.append(cpu_seconds(lambda: in_groups(tokenizer, documents)))
        ours.append(cpu_seconds(lambda: tokenize.write(folder / "corpus", folder / "shards", tokenizer, processes=1)))
    for name, seconds in (("bare encode_batch", bare), ("shard writer", ours)):
        print(f"{name:20} {megabytes / median(seconds):6.2f} MB per CPU-second")
    print(f"figure shard_rate {median(bare) / median(ours):.3f}")


def in_groups(tokenizer: Tokenizer, documents: list[str]) -> None:
    """Encode everything, results thrown away as they come; batches of 50 keep the caches warm."""
    for first in range(0, len(documents), 50):
        tokenizer.encode_batch(documents[first : first + 50])


def batch_share(folder: Path) -> None:
    """A batch of windows and of packed rows against a step of a plain torch model."""
    import torch

    torch.set_num_threads(1)
    split = tokenize.write(folder / "corpus", folder / "shards", load(folder / "tokenizer"), processes=1).train
    sources: dict[str, Source] = {
        "batch_share": Windows(length=LENGTH).build(split, seed=0),
        "batch_share_packed": (packed := Packed(length=LENGTH).build(split, seed=0)),
    }
    step = training_step()
    step(sources["batch_share"].batch(0, ROWS))
    step_seconds = median(cpu_seconds(lambda: step(sources["batch_share"].batch(0, ROWS))) for _ in range(3))
    print(f"training step {step_seconds * 1e3:.0f} ms; packed rows are {packed.utilisation:.2%} full")
    for name, source in sources.items():
        seconds = cpu_seconds(partial(load_batches, source, 1_000)) / 1_000
        print(f"a batch of {ROWS} x {LENGTH}: {seconds * 1e3:.3f} ms\nfigure {name} {seconds / step_seconds:.6f}")


def load_batches(source: Source, count: int) -> None:
    """The first so many batches, thrown away."""
    for i in range(count):
        source.batch(i * ROWS, ROWS)


def training_step() -> Callable[[Batch], None]:
    """One step of a 12 M decoder of 6 x 384, as plain as torch writes it."""
    import torch
    from torch import nn

    layer = nn.TransformerEncoderLayer(384, 6, 1536, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
    layers = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
    embed, head = nn.Embedding(VOCAB, 384), nn.Linear(384, VOCAB, bias=False)
    head.weight = embed.weight
    parameters = [*layers.parameters(), *embed.parameters()]
    optimizer = torch.optim.AdamW(parameters, fused=True)
    mask = nn.Transformer.generate_square_subsequent_mask(LENGTH)

    def step(batch: Batch) -> None:
        logits = head(layers(embed(batch.input_ids), mask=mask, is_causal=True))
        nn.functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def memory_growth(folder: Path) -> None:
    """Each size in a process of its own, so that its peak is its own."""
    peaks = []
    for megabytes in MEGABYTES:
        source = folder / f"{megabytes}.jsonl"
        write_documents(source, megabytes)
        command = [sys.executable, __file__, "child", str(source), str(folder / "tokenizer")]
        report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        source.unlink()
        peaks.append(report["peak_megabytes"])
        print(f"{megabytes} MB: peak {peaks[-1]:.0f} MB, {report['tokens']} tokens, {report['cpu_seconds']:.0f} CPU-s")
    print(f"figure memory_growth {peaks[1] / peaks[0]:.3f}")


def write_documents(path: Path, megabytes: int) -> None:
    """JSONL of made-up prose: 30,000 words with Zipf's frequencies, lengths from a line to a chapter."""
    numbers = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    words = ["".join(numbers.choice(letters, size=1 + numbers.poisson(5))) for _ in range(30_000)]
    shares = 1 / np.arange(1, len(words) + 1)
    shares /= shares.sum()
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < megabytes * 1e6:
            lengths = numbers.lognormal(np.log(WORDS_PER_DOCUMENT), 1, size=256).astype(int) + 1
            picks = iter(numbers.choice(len(words), p=shares, size=int(lengths.sum())).tolist())
            for length in lengths:
                file.write(json.dumps({"text": " ".join(words[next(picks)] for _ in range(length))}) + "\n")


def child(source: str, tokenizer: str) -> None:
    """The whole way for one input; prints its peak."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started_at = time.process_time()
        pipeline.run(pipeline.Corpus(source=source), folder / "corpus")
        shards = tokenize.write(folder / "corpus", folder / "shards", load(Path(tokenizer)), processes=1)
        report = {
            "peak_megabytes": peak_megabytes(),
            "tokens": shards.manifest["splits"]["train"]["tokens"],
            "cpu_seconds": time.process_time() - started_at,
        }
    print(json.dumps(report))


def peak_megabytes() -> float:
    """The most memory this process held. Not `ru_maxrss`: on Linux a child starts with its parent's peak."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) / 1e3 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS counts bytes


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
    else:
        main()
