"""A program to be killed: the corpus of tests/corpus/test_ray_engine.py, in a process of its own.

python -m tests.corpus.killed SOURCE OUT ENGINE, where ENGINE is `local` or the address of a Ray cluster.
"""

import sys
from pathlib import Path

from hornbook.corpus import pipeline, task
from hornbook.corpus.clean import MinimumLength, Normalise
from hornbook.corpus.exact import ExactDuplicates
from hornbook.corpus.local import Local
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus.ray_engine import Ray

STEPS = (Normalise(), MinimumLength(characters=30), ExactDuplicates(), MinimumLength(characters=40))
TASK_BYTES = 3_000  # many small tasks, so that there is always one to kill


def config(source: Path, engine: Local | Ray) -> Corpus:
    """All kinds of steps, and every reason to drop."""
    return Corpus(source=str(source), steps=STEPS, bad_share=0.2, engine=engine, keep_dropped=True)


if __name__ == "__main__":
    source, out, engine = sys.argv[1:]
    task.TASK_BYTES = TASK_BYTES
    pipeline.run(config(Path(source), Local(processes=2) if engine == "local" else Ray(address=engine)), Path(out))
