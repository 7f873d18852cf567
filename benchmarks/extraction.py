"""How well, and how fast, is the main text of a page found? Ours beside trafilatura alone, on pages with a reference.

The pages and the measure are those of the article-extraction benchmark (Zyte): precision and recall of shingles of four
words, averaged over the pages, and their F1. Speed is pages and megabytes of HTML a CPU second of one thread; the
libraries take turns, A B A B ..., and the median counts. Then an archive made of the same pages is read and extracted.

    OMP_NUM_THREADS=1 python benchmarks/extraction.py [--rounds 5] [--data ../shared/data]

`figure extraction_f1` is the F1 of our default over that of trafilatura as the benchmark calls it.
"""

import argparse
import gzip
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import trafilatura

from hornbook.core.run import processor
from hornbook.corpus import read
from hornbook.corpus.document import Document
from hornbook.corpus.extract import Extract, Resiliparse, Trafilatura
from hornbook.corpus.html import FORMAT, HTML
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.sources import File

SHINGLE = 4  # words
COPIES = 10  # of every page in the archive
Texts = Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class Score:
    """Averages over the pages."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of the averages, as the benchmark has it."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def main() -> None:
    """Score and time the extractors, then read an archive."""
    options = read_options()
    references, pages = read_pages(options.data)
    if options.tiny:
        references, pages, options.rounds = references[:2], pages[:2], 1
    size = sum(len(page.encode()) for page in pages)
    print(f"{processor()}, one thread, CPU seconds; {len(pages)} pages, {size / 1e6:.1f} MB")
    ways: dict[str, Texts] = {
        "trafilatura alone": by_trafilatura,
        "hornbook, trafilatura": lambda pages: by_hornbook(Trafilatura(), pages),
        "hornbook, resiliparse": lambda pages: by_hornbook(Resiliparse(), pages),
    }
    scores = {name: score(references, way(pages)) for name, way in ways.items()}
    seconds = turns(ways, pages, options.rounds)
    print(f"{'':24}precision  recall     F1   pages/s   MB/s")
    for name, found in scores.items():
        taken = median(seconds[name])
        rates = f"{len(pages) / taken:9.0f}{size / taken / 1e6:7.1f}"
        print(f"{name:24}{found.precision:9.4f}{found.recall:8.4f}{found.f1:7.4f} {rates}")
    time_archive(pages)
    print(f"figure extraction_f1 {scores['hornbook, trafilatura'].f1 / scores['trafilatura alone'].f1:.4f}")


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=beside, help="folder of real data")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each (5)")
    parser.add_argument("--tiny", action="store_true", help="two pages, to see that it runs")
    return parser.parse_args()


def read_pages(data: Path) -> tuple[list[str], list[str]]:
    """Reference texts and pages; made-up ones where the data is absent."""
    folder = data / "web" / "article-extraction-benchmark"
    if not folder.is_dir():
        text = "\n".join(f"Paragraph {part} says what the others do not, in twelve words or so." for part in range(9))
        page = f"<html><body><article><p>{text.replace(chr(10), '</p><p>')}</p></article></body></html>"
        return [text] * 3, [page] * 3
    truth = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    packed = [(folder / "html" / f"{name}.html.gz").read_bytes() for name in truth]
    return [item["articleBody"] for item in truth.values()], [gzip.decompress(page).decode() for page in packed]


def by_trafilatura(pages: list[str]) -> list[str]:
    """As the benchmark calls it."""
    return [trafilatura.extract(page, include_comments=False) or "" for page in pages]


def by_hornbook(extractor: Trafilatura | Resiliparse, pages: list[str]) -> list[str]:
    """As the step `extract` does it."""
    documents = [Document(str(number), page, "", metadata={FORMAT: HTML}) for number, page in enumerate(pages)]
    found = {document.id: document.text for document in Extract(extractor=extractor).build()(documents).kept}
    return [found.get(document.id, "") for document in documents]


def score(references: list[str], texts: list[str]) -> Score:
    """Precision over the pages of which there is a text, recall over those with a reference.

    >>> score(["one two three four five"], ["one two three four six"])
    Score(precision=0.5, recall=0.5)
    """
    precisions, recalls = [], []
    for reference, text in zip(references, texts, strict=True):
        wanted, found = shingles(reference), shingles(text)
        shared = (wanted & found).total()
        if found:
            precisions.append(shared / found.total())
        if wanted:
            recalls.append(shared / wanted.total())
    return Score(mean(precisions), mean(recalls))


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """How often each run of four words is in a text; a shorter text is one run."""
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[start : start + SHINGLE]) for start in range(max(1, len(words) - SHINGLE + 1)) if words)


def turns(ways: dict[str, Texts], pages: list[str], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each way, in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            way(pages)
            seconds[name].append(time.process_time() - start)
    return seconds


def time_archive(pages: list[str]) -> None:
    """Read an archive of the pages, packed record by record, with nothing done to them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pages.warc.gz"
        with path.open("wb") as file:
            for number, page in enumerate(pages * COPIES):
                body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page.encode()
                head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://example.org/{number}\r\n"
                head += f"Content-Type: application/http\r\nContent-Length: {len(body)}\r\n\r\n"
                file.write(gzip.compress(head.encode() + body + b"\r\n\r\n"))
        start, ledger = time.process_time(), Ledger()
        count = size = 0
        for document in read.documents(File(path, path.name, ""), "text", ledger, strict=True):
            count, size = count + 1, size + len(document.text)
        taken = time.process_time() - start
        print(f"reading WARC (gz): {count / taken:.0f} pages/s, {size / taken / 1e6:.0f} MB/s of HTML")


if __name__ == "__main__":
    main()
