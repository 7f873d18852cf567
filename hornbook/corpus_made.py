"""Making a corpus where a person looks on: bars on the way, then beside the documents what it took and a report."""

import time
from pathlib import Path
from typing import Any

from hornbook.core import recipe as recipes
from hornbook.core.files import write_json, write_text
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus_progress import Bars
from hornbook.tasks import Documents, read


def make(config: Documents, folder: Path) -> Ledger:
    """Run the corpus stage, and write recipe.yaml, timing.json and report.html beside what it wrote."""
    began, took = time.monotonic(), dict[str, Any]()
    with Bars() as bars:
        ledger = read(config, folder, progress=bars, timed=took.update)
    write_text(folder / "recipe.yaml", recipes.to_yaml(config))
    write_json(folder / "timing.json", {"seconds": round(time.monotonic() - began, 2), **took})
    if isinstance(config, Corpus):
        from hornbook.corpus_report import write_corpus_report

        write_corpus_report(folder)
    return ledger
