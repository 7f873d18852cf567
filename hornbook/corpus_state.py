"""What a corpus folder holds, finished or still being made: the ledger so far, and where its documents lie."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.files import read_json
from hornbook.corpus.clock import timing
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.pipeline import work_folder
from hornbook.corpus.task import places, stages

LEDGER = "ledger.json"


@dataclass(frozen=True)
class State:
    """A corpus as it is now."""

    folder: Path
    ledger: Ledger
    running: bool
    kept: list[Path]
    """Parquet files, of what came through; in a running corpus, through the stage that is being done."""
    dropped: list[Path]
    timing: dict[str, Any]


def open_corpus(folder: Path) -> State:
    """The corpus in a folder, or in the run that the folder is.

    Raises UserError where there is none.
    """
    for place in (folder, folder / "corpus"):
        if (place / LEDGER).is_file():
            return _finished(place)
        if any(places(stage) for stage in stages(work_folder(place))):
            return _running(place)
    missing = "" if folder.exists() else "no such folder; "
    raise UserError(
        f"{folder}: {missing}no corpus is here; name a folder that `hornbook corpus RECIPE` wrote, or a run"
    )


def _finished(folder: Path) -> State:
    kept = [path for split in ("train", "validation") for path in sorted(folder.glob(f"{split}-*.parquet"))]
    dropped = sorted((folder / "dropped").glob("*.parquet"))
    took = folder / "timing.json"
    return State(folder, read_ledger(folder / LEDGER), False, kept, dropped, read_json(took) if took.is_file() else {})


def _running(folder: Path) -> State:
    begun = [found for stage in stages(work_folder(folder)) if (found := places(stage))]
    ledger = Ledger()
    for place in (place for stage in begun for place in stage):
        ledger.add(read_ledger(place.ledger))
    dropped = [place.dropped for stage in begun for place in stage]
    return State(folder, ledger, True, [place.documents for place in begun[-1]], dropped, timing(work_folder(folder)))


def read_ledger(path: Path) -> Ledger:
    """The account in a file; one that another version wrote is refused."""
    try:
        return Ledger.of(read_json(path))
    except (KeyError, TypeError):
        raise UserError(f"{path}: written by another version of hornbook; make this corpus again") from None
