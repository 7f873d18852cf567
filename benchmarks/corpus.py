"""Is cleaning fast? Ours and datatrove side by side on the same documents, CPU seconds, taking turns, one core.

filters        documents a second through Gopher's, C4's and FineWeb's filters, ours over datatrove's

python benchmarks/corpus.py --peer PEER/bin/python [--data ../shared/data] [--rounds 5] [filters ...]

PEER is a virtual environment with `datatrove[processing]==0.10.1` and spacy; it needs nothing of ours.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


def main() -> None:
    """Run the figures named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="the Python that has datatrove")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("figures", nargs="*")
    given = parser.parse_args()
    figures = {"filters": filters}
    for figure in given.figures or figures:
        if not given.peer:
            sys.exit(f"{figure}: give --peer, a Python with datatrove")
        figures[figure](given.peer, given.data, given.rounds)


def filters(peer: str, data: Path, rounds: int) -> None:
    """Each side in a process of its own, which reads the documents once and is asked for a round at a time."""
    sides = {"ours": start(sys.executable, "ours", data), "datatrove": start(peer, "datatrove", data)}
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            assert side.stdin is not None
            assert side.stdout is not None
            print("round", file=side.stdin, flush=True)
            taken[name].append(json.loads(side.stdout.readline()))
    for side in sides.values():
        side.communicate()
    total = {name: median(sum(each.values()) for each in rows) for name, rows in taken.items()}
    documents, characters = len(texts(data)), sum(map(len, texts(data)))
    print(f"{documents} documents, {characters / 1e6:.1f} million characters, {rounds} rounds")
    print(f"{'':18}" + "".join(f"{name:>12}" for name in sides) + "   CPU seconds")
    for part in taken["ours"][0]:
        print(f"{part:18}" + "".join(f"{median(row[part] for row in rows):12.3f}" for rows in taken.values()))
    for name, seconds in total.items():
        print(f"{name}: {documents / seconds:.0f} documents and {characters / seconds / 1e6:.2f} MB a CPU second")
    print(f"figure filters {total['datatrove'] / total['ours']:.2f}")


def start(python: str, side: str, data: Path) -> subprocess.Popen[str]:
    """The child process of a side."""
    command = [python, "-W", "ignore", __file__, "child", side, str(data)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def texts(data: Path) -> list[str]:
    """English web pages, news and books where they are; else the made-up texts of the tests."""
    from tests.corpus import real_texts

    found = [*real_texts.english(data), *real_texts.pages(data)] if data.is_dir() else list(real_texts.made())
    return [text for text in found if text.strip()]


def child(side: str, data: Path) -> None:
    """A round for every line that comes in: CPU seconds of each filter over all documents."""
    filters = ours() if side == "ours" else datatrove()
    documents = texts(data)
    for _ in sys.stdin:
        row = {}
        for name, work in filters.items():
            fresh = ["".join(text) for text in documents]
            started_at = time.process_time()
            work(fresh)
            row[name] = time.process_time() - started_at
        print(json.dumps(row), flush=True)


def ours() -> dict:
    """The steps as a pipeline runs them, on a batch of documents."""
    from hornbook.corpus.c4 import C4
    from hornbook.corpus.document import Document
    from hornbook.corpus.fineweb import FineWeb
    from hornbook.corpus.gopher import GopherQuality
    from hornbook.corpus.gopher_repetition import GopherRepetition

    def all_at_once(step):
        return lambda batch: step([Document("", text, "") for text in batch])

    steps = (GopherQuality(), GopherRepetition(), C4(), FineWeb())
    return {step.name: all_at_once(step.build()) for step in steps}


def datatrove() -> dict:
    """Its filters, asked document by document as its pipeline does."""
    from datatrove.data import Document
    from datatrove.pipeline import filters as theirs

    def each(filter):
        def work(batch):
            for text in batch:
                filter.filter(Document(text=text, id=""))

        return work

    steps = {
        "gopher quality": theirs.GopherQualityFilter(),
        "gopher repetition": theirs.GopherRepetitionFilter(),
        "c4": theirs.C4QualityFilter(),
        "fineweb": theirs.FineWebQualityFilter(),
    }
    return {name: each(step) for name, step in steps.items()}


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
