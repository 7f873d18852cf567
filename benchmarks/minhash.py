"""Signatures for near duplicates: documents per CPU-second of one core beside datatrove, rensa and plain numpy; memory.

minhash        ours against datatrove 0.10 on the same documents, from text to what is written to disk
minhash_numpy  ours against a plain numpy MinHash, document by document, of the same number of minima
minhash_rensa  ours against rensa (Rust), fed with word shingles as its documentation does
memory_growth  peak memory of files -> normalise, minimum length, exact and near duplicates -> corpus, 500 MB over 50 MB

python benchmarks/minhash.py [rates] [memory_growth] [--tiny]
The peers are left out where they are not installed. Documents: $HORNBOOK_DATA/text/c4_demo, else the standard library.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np

from hornbook.corpus import pipeline
from hornbook.corpus.clean import MinimumLength, Normalise
from hornbook.corpus.document import Document
from hornbook.corpus.exact import ExactDuplicates
from hornbook.corpus.near import NearDuplicates

ROUNDS = 7
WORD = re.compile(r"\w+")
STEP = NearDuplicates(permutations=126)
BANDS = STEP.bands
SHINGLE = STEP.shingle
MEGABYTES = (50, 500)
STEPS = (Normalise(), MinimumLength(), ExactDuplicates(), NearDuplicates())

Contestant = Callable[[list[str]], object]


def main() -> None:
    """Run the figures named on the command line, or all."""
    tiny = "--tiny" in sys.argv
    names = [name for name in sys.argv[1:] if name != "--tiny"] or ["rates", "memory_growth"]
    if "rates" in names:
        rates(documents()[:20] if tiny else documents(), 1 if tiny else ROUNDS)
    if "memory_growth" in names:
        memory_growth((1, 2) if tiny else MEGABYTES)


def documents() -> list[str]:
    """Web pages, or modules in pieces as long as a page."""
    pages = Path(os.environ.get("HORNBOOK_DATA", "../shared/data")) / "text" / "c4_demo" / "c4_demo.jsonl"
    if pages.is_file():
        return [json.loads(line)["text"] for line in pages.read_text(encoding="utf-8").splitlines()]
    modules = [path.read_text(encoding="utf-8") for path in sorted(Path(os.__file__).parent.glob("*.py"))]
    return [text[start : start + 2_000] for text in modules for start in range(0, len(text), 2_000)][:300]


def rates(texts: list[str], rounds: int) -> None:
    """All take turns on the same documents; ours on ten copies, a batch of usual size."""
    contestants: dict[str, Contestant] = {"hornbook": ours, "numpy": plain_numpy}
    if importlib.util.find_spec("rensa"):
        contestants["rensa"] = rensa
    if importlib.util.find_spec("datatrove"):
        contestants["datatrove"] = datatrove()
    work = {name: texts * 10 if name == "hornbook" else texts for name in contestants}
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for contestant in contestants.values():
        contestant(texts[:5])  # tables are made, modules imported
    for _ in range(rounds):
        for name, contestant in contestants.items():
            started_at = time.process_time()
            contestant(work[name])
            found[name].append(len(work[name]) / (time.process_time() - started_at))
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(
        f"{len(texts)} documents, {megabytes:.2f} MB, {BANDS.bands} bands of {BANDS.rows}, shingles of {SHINGLE} words"
    )
    for name, each in found.items():
        print(f"{name:10} {median(each):8.0f} documents per CPU-second ({min(each):.0f} to {max(each):.0f})")
    for name, figure in (("datatrove", "minhash"), ("numpy", "minhash_numpy"), ("rensa", "minhash_rensa")):
        if name in found:
            print(f"figure {figure} {median(found['hornbook']) / median(found[name]):.2f}")


def ours(texts: list[str]) -> object:
    """Bands, sketches and ids as the engine writes them."""
    return STEP.scan([Document(str(number), text, "s") for number, text in enumerate(texts)])


def plain_numpy(texts: list[str]) -> object:
    """A MinHash as one writes it: a matrix of shingles by minima for each document."""
    numbers = np.random.default_rng(0)
    factors, shifts = numbers.integers(1, 2**61 - 1, (2, 1, BANDS.bands * BANDS.rows), np.uint64)
    found = []
    for text in texts:
        hashes = np.array([zlib.crc32(shingle.encode()) for shingle in word_shingles(text)], np.uint64)
        if len(hashes):
            found.append(((hashes[:, None] * factors + shifts) % np.uint64(2**61 - 1)).min(axis=0))
    return found


def rensa(texts: list[str]) -> object:
    """Its matrix form, which is its fastest."""
    from rensa import RMinHash

    return RMinHash.digest_matrix_from_token_sets([word_shingles(text) for text in texts], BANDS.bands * BANDS.rows, 0)


def word_shingles(text: str) -> list[str]:
    """Every few words that follow each other, as strings."""
    words = WORD.findall(text.lower())
    return [" ".join(words[i : i + SHINGLE]) for i in range(max(len(words) - SHINGLE + 1, 1))]


def datatrove() -> Contestant:
    """Its first stage without files: shingles and signature of each document."""
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    config = MinhashConfig(n_grams=SHINGLE, num_buckets=BANDS.bands, hashes_per_bucket=BANDS.rows)
    with tempfile.TemporaryDirectory() as folder:
        step = MinhashDedupSignature(folder, config)

    def sign(texts: list[str]) -> object:
        shingles = (step.get_shingles(text) for text in texts)
        return [step.get_signature(each) for each in shingles if each.size]

    return sign


def memory_growth(sizes: tuple[int, int]) -> None:
    """Each size in a process of its own, so that its peak is its own."""
    peaks = []
    with tempfile.TemporaryDirectory() as name:
        for megabytes in sizes:
            source = Path(name) / f"{megabytes}.jsonl"
            write_documents(source, megabytes)
            command = [sys.executable, __file__, "child", str(source)]
            report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            source.unlink()
            peaks.append(report["peak_megabytes"])
            print(f"{megabytes} MB: {json.dumps(report)}")
    print(f"figure memory_growth {peaks[1] / peaks[0]:.3f}")


def write_documents(path: Path, megabytes: int) -> None:
    """JSONL of made-up prose: 30,000 words with Zipf's frequencies; every tenth document is a changed copy."""
    with path.open("w", encoding="utf-8") as file:
        for text in made_up():
            file.write(json.dumps({"text": text}) + "\n")
            if file.tell() >= megabytes * 1e6:
                return


def made_up() -> Iterator[str]:
    """Documents from a line to a chapter, without end."""
    numbers = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    words = np.array(["".join(numbers.choice(letters, size=1 + numbers.poisson(5))) for _ in range(30_000)])
    shares = 1 / np.arange(1, len(words) + 1)
    shares /= shares.sum()
    while True:
        lengths = numbers.lognormal(np.log(300), 1, size=256).astype(int) + 1
        picks = words[numbers.choice(len(words), p=shares, size=int(lengths.sum()))]
        for number, text in enumerate(np.split(picks, np.cumsum(lengths)[:-1])):
            yield " ".join(text)
            if number % 10 == 0:
                yield " ".join([*text, "again"])


def child(source: str) -> None:
    """The whole way for one input; prints its peak."""
    with tempfile.TemporaryDirectory() as name:
        started_at = time.process_time()
        ledger = pipeline.run(pipeline.Corpus(source=source, steps=STEPS), Path(name) / "corpus")
        report = {
            "peak_megabytes": peak_megabytes(),
            "documents": ledger.documents_read,
            "dropped": ledger.documents_dropped,
            "cpu_seconds": time.process_time() - started_at,
        }
    print(json.dumps(report))


def peak_megabytes() -> float:
    """The most memory this process held; of Linux, whose `ru_maxrss` would start with the parent's peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2])
    else:
        main()
