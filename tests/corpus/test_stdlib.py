import ast
import sys
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import stdlib


def test_it_is_this_interpreters_library_without_tests_and_tables() -> None:
    root = stdlib.folder()
    found = [path.relative_to(root).as_posix() for path in stdlib.modules(root)]
    assert {"json/decoder.py", "asyncio/events.py", "textwrap.py", "argparse.py"} <= set(found)
    assert len(found) == len(set(found))
    assert 400 < len(found) < 800
    parts = {part for name in found for part in Path(name).parts}
    assert not parts & {"test", "tests", "idlelib", "site-packages", "dist-packages", "encodings", "lib2to3"}
    size = sum((root / name).stat().st_size for name in found)
    assert 7_000_000 < size < 14_000_000
    for name in found[::25]:
        ast.parse((root / name).read_bytes())


def test_the_order_depends_on_names_only(tmp_path: Path) -> None:
    for name in ("z.py", "a.py", "pkg/b.py", "pkg/test/t.py", "_sysconfigdata_x.py", "config-3.11-x/c.py", "data.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    assert [path.relative_to(tmp_path).as_posix() for path in stdlib.modules(tmp_path)] == ["a.py", "z.py", "pkg/b.py"]


def test_inside_a_virtual_environment_it_is_the_base_installations() -> None:
    assert not stdlib.folder().is_relative_to(sys.prefix) or sys.prefix == sys.base_prefix


def test_a_python_without_sources_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "os.pyc").write_bytes(b"")
    with pytest.raises(UserError, match="no library sources"):
        list(stdlib.modules(tmp_path))
