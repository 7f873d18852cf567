"""The default corpus: the Python standard library of the interpreter that runs.

Real code nobody here wrote, on every machine, without a download. Left out: test suites, mostly data and repetition;
what some distributions take out (idlelib, turtledemo, lib2to3); installed packages; and text that programs wrote. The
character tables of `encodings` compress to 0.3 bits a byte with xz where the rest needs 1.5: an eighth of the bytes,
they would take an eighth of the training and flatter every score.
"""

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from hornbook.core.errors import UserError

TESTS = frozenset({"test", "tests", "idle_test"})
OPTIONAL = frozenset({"idlelib", "turtledemo", "lib2to3"})
INSTALLED = frozenset({"site-packages", "dist-packages", "lib-dynload", "_bundled", "__phello__"})
GENERATED = frozenset({"encodings", "pydoc_data"})
LEFT_OUT = TESTS | OPTIONAL | INSTALLED | GENERATED


def folder() -> Path:
    """Where this interpreter keeps its library: the base installation's, also inside a virtual environment."""
    return Path(sysconfig.get_path("stdlib"))


def modules(root: Path) -> Iterator[Path]:
    """Every hand-written module below a library folder, in an order that depends on names only."""
    found = False
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT and not name.startswith(("config-", ".")))
        for name in sorted(names):
            if name.endswith(".py") and not name.startswith(("_sysconfigdata", ".")):
                found = True
                yield Path(place, name)
    if not found:
        raise UserError(
            f"{root}: this Python has no library sources (a stripped or zipped installation); "
            "set corpus.source to text of your own or use another Python"
        )
