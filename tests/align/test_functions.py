"""A function by the name of its file: found, and what is wrong is one sentence."""

from pathlib import Path

import pytest

from hornbook.align.functions import function
from hornbook.core.errors import RecipeError


def test_it_is_found_and_its_file_is_run_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    ran = f"with open({str(tmp_path / 'ran')!r}, 'a') as file: file.write('x')"
    file.write_text(f"{ran}\ndef twice(x): return 2 * x\n")
    assert [function(f"{file}:twice", "reward")(each) for each in (2, 3)] == [4, 6]
    assert (tmp_path / "ran").read_text() == "x"


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("twice = 2\n")
    for name in ("thrice", "twice"):
        with pytest.raises(RecipeError, match=f"reward: .*mine.py has no function '{name}'; write it there"):
            function(f"{tmp_path / 'mine.py'}:{name}", "reward")
    for place in (str(tmp_path / "none.py:f"), "f"):
        with pytest.raises(RecipeError, match=r"function: .*is no function of a file that is there"):
            function(place, "function")
