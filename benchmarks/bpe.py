"""Train and encode side by side: our trainer with `tokenizers`, our encoder with tiktoken, on the same text.

    python benchmarks/bpe.py --megabytes 50 --vocab 32000 --rounds 1

The text is the Python standard library's sources; more than it holds is the same with upper and lower case exchanged,
then with letters shifted, so that new words keep coming. It is read as a stream by both. Every run is a process of its
own: its CPU seconds count all its threads and workers, start and import included, and its peak memory is the most that
it and its workers held together, looked at 50 times a second. Both trainers must learn the same merges and both
encoders give the same ids; tiktoken gets GPT-2's pattern as published. Ratios above 1: ours is the better.
"""

import argparse
import contextlib
import hashlib
import json
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import psutil

JOBS = ("train-ours", "train-tokenizers", "encode-ours", "encode-tiktoken")


def main() -> None:
    """Run every job in rounds and print the medians and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=50, help="size of the text (50)")
    parser.add_argument("--vocab", type=int, default=32000, help="ids to train (32000)")
    parser.add_argument("--split", default="gpt2", choices=("gpt2", "cl100k", "han"), help="how text is cut (gpt2)")
    parser.add_argument("--rounds", type=int, default=1, help="medians of this many runs (1)")
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job is not None:
        work(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        options.folder = Path(folder)
        size = write_text(options.folder / "text", options.megabytes)
        results = {job: [run(job, options) for _ in range(options.rounds)] for job in JOBS}
    report(results, size, options)


def write_text(path: Path, megabytes: float) -> float:
    """Put the documents into a file; its megabytes."""
    size = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for document in documents():
            file.write(json.dumps(document) + "\n")
            size += len(document.encode())
            if size >= megabytes * 1e6:
                break
    return size / 1e6


def documents() -> Iterator[str]:
    """The standard library's files, then the same with other letters, for ever."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    files = [p for p in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")) if "site-packages" not in p.parts]
    texts = [text for text in map(read, files) if text]
    yield from texts
    yield from map(str.swapcase, texts)
    for shift in range(1, 26):
        table = str.maketrans(letters, letters[shift:] + letters[:shift])
        yield from (text.translate(table) for text in texts)


def read(path: Path) -> str:
    """A source file; empty where it is not UTF-8 (the test files of encodings)."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def run(job: str, options: argparse.Namespace) -> dict[str, float | str]:
    """One job in a process of its own."""
    arguments = ["--job", job, "--folder", options.folder, "--vocab", options.vocab, "--split", options.split]
    began, peak = time.perf_counter(), 0
    with subprocess.Popen([sys.executable, __file__, *map(str, arguments)], stdout=subprocess.PIPE) as child:
        while child.poll() is None:
            peak = max(peak, held(psutil.Process(child.pid)))
            time.sleep(0.02)
        if child.returncode:
            raise SystemExit(f"{job} failed")
        return {**json.load(child.stdout), "seconds": time.perf_counter() - began, "peak": peak / 1e6}


def held(process: psutil.Process) -> int:
    """Bytes of memory of a process and all that it started."""
    size = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                size += each.memory_info().rss
    return size


def work(options: argparse.Namespace) -> None:
    """What a job's process does; it ends with its own figures as JSON."""
    texts = map(json.loads, (options.folder / "text").open(encoding="utf-8"))
    stage, who = options.job.split("-")
    result = train(who, texts, options) if stage == "train" else encode(who, texts, options.folder)
    own, workers = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime
    print(json.dumps({"result": result, "cpu": cpu}))


def train(who: str, texts: Iterator[str], options: argparse.Namespace) -> str:
    """Train a tokenizer; a digest of its merges."""
    if who == "ours":
        from hornbook.text.bpe import BPE

        config = BPE(vocab=options.vocab + 1, split=options.split, special=("<|endoftext|>",))
        config.train(texts).save(options.folder / "tokenizer")
        data = json.loads((options.folder / "tokenizer" / "tokenizer.json").read_text())
    else:
        data = train_tokenizers(texts, options.vocab, options.split)
    merges = [merge if isinstance(merge, list) else merge.split(" ") for merge in data["model"]["merges"]]
    return hashlib.sha256(json.dumps(merges).encode()).hexdigest()


def train_tokenizers(texts: Iterator[str], vocab: int, split: str) -> dict[str, dict[str, list[list[str]]]]:
    """What `tokenizers` learns with the same pattern."""
    from tokenizers import Regex, Tokenizer, models, trainers
    from tokenizers import pre_tokenizers as pre

    from hornbook.text import pretokenize

    tokenizer = Tokenizer(models.BPE())
    cut = pre.Split(Regex(pretokenize.split(split).pattern), "isolated")
    byte_level = pre.ByteLevel(add_prefix_space=False, use_regex=split == "gpt2")
    tokenizer.pre_tokenizer = byte_level if split == "gpt2" else pre.Sequence([cut, byte_level])
    trainer = trainers.BpeTrainer(
        vocab_size=vocab, min_frequency=2, show_progress=False, initial_alphabet=pre.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(texts, trainer)
    return json.loads(tokenizer.to_str())


def encode(who: str, texts: Iterator[str], folder: Path) -> str:
    """Encode every text; a digest of the ids of some."""
    from hornbook.text.tokenizer import load

    tokenizer = load(folder / "tokenizer")
    if who == "tiktoken":
        import tiktoken

        call = tiktoken.Encoding(
            "peer", pat_str=tokenizer.split.pattern, mergeable_ranks=tokenizer.ranks, special_tokens={}
        ).encode_ordinary
    else:
        call = tokenizer.encode
    digest = hashlib.sha256()
    for number, text in enumerate(texts):
        ids = call(text)
        if number % 20 == 0:  # hashing all would be half of the time
            digest.update(repr(ids).encode())
    return digest.hexdigest()


def report(results: dict[str, list[dict[str, float | str]]], size: float, options: argparse.Namespace) -> None:
    """A line for each job, whether the results agree, and the figures."""
    cpu = {job: median(float(run["cpu"]) for run in runs) for job, runs in results.items()}
    peak = {job: median(float(run["peak"]) for run in runs) for job, runs in results.items()}
    print(f"{size:.1f} MB, vocabulary {options.vocab}, split {options.split}, medians of {options.rounds}")
    for job, runs in results.items():
        seconds = median(float(run["seconds"]) for run in runs)
        rate = size / cpu[job]
        print(f"{job:18} {cpu[job]:7.2f} CPU-s  {seconds:7.2f} s  {rate:6.2f} MB per CPU-s  peak {peak[job]:6.0f} MB")
    for stage, ours, theirs in (("merges", *JOBS[:2]), ("ids", *JOBS[2:])):
        same = results[ours][0]["result"] == results[theirs][0]["result"]
        print(f"the same {stage}: {'yes' if same else 'NO'}")
    print(f"figure bpe_train {cpu['train-tokenizers'] / cpu['train-ours']:.2f}")
    print(f"figure bpe_memory {peak['train-tokenizers'] / peak['train-ours']:.2f}")
    print(f"figure bpe_encode {cpu['encode-tiktoken'] / cpu['encode-ours']:.2f}")


if __name__ == "__main__":
    main()
