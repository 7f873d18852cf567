"""What is said of the rows, and which are refused."""

from pathlib import Path

import pytest

from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus.document import Document
from hornbook.corpus.rows import RowFile
from hornbook.data.preference_rows import Comparisons
from hornbook.data.preferences import Preferences
from hornbook.data.split import Split
from hornbook.generate.language_model import LanguageModel
from hornbook.tune.compared import FunctionPairs, Sides, fitting, held_out
from hornbook.tune.place import LeftOut
from hornbook.tune.template import renderer_of
from tests.tune.doubles import place_at
from tests.tune.planted import judged, pairs, write


def test_the_user_hears_what_became_of_the_rows(tiny_base: Path, tmp_path: Path) -> None:
    rows = pairs(40)
    rows[3]["chosen"] = "red " * 200
    said: list[str] = []
    parts = Preferences(source=str(write(rows, tmp_path / "a.jsonl")), split=Split(train=0.8, validation=0.1)).build()
    place, lm = place_at(tmp_path, tiny_base, note=said.append), LanguageModel.load(tiny_base)
    sides = Sides.of(parts, Comparisons(length=100), renderer_of(lm, "chatml"), place)
    assert said[0].startswith("40 rows: 32 for train, 4 for validation, 4 for test")
    assert any("1 with an answer beyond 100 tokens were left out" in line for line in said)
    assert "rows" in said[-1]
    assert sides.validation is not None
    assert list(sides.named) == ["train", "validation"]
    assert held_out(parts) == parts.test
    sides.only_pairs("a test wants them")


def test_an_answer_judged_alone_is_no_pair(tiny_base: Path, tmp_path: Path) -> None:
    parts = Preferences(source=str(write(judged(20), tmp_path / "a.jsonl"))).build()
    lm = LanguageModel.load(tiny_base)
    sides = Sides.of(parts, Comparisons(length=100), renderer_of(lm, "chatml"), place_at(tmp_path, tiny_base))
    with pytest.raises(UserError, match=r"a\.jsonl:\d+: one answer, judged alone, where the objective compares two"):
        sides.only_pairs("the objective compares two")


def test_the_length_is_what_the_model_reads(tiny_base: Path) -> None:
    lm = LanguageModel.load(tiny_base)
    assert fitting(None, lm) == 128
    assert fitting(64, lm) == 64
    with pytest.raises(RecipeError, match="length: 129 is more than the 128 tokens"):
        fitting(129, lm)


def test_a_functions_own_body_is_preferred(tiny_base: Path, tmp_path: Path) -> None:
    """Rows from the corpus of a run: signature and docstring ask, another function's body is the worse answer."""
    functions = [f'def f{n}(x):\n    """Add {n}."""\n    return x + {n}\n' for n in range(6)]
    for side, some in {"train": functions[:4], "validation": functions[4:]}.items():
        (tmp_path / "corpus").mkdir(exist_ok=True)
        with RowFile(tmp_path / "corpus" / f"{side}-00000.parquet") as file:
            file.write([Document("m.py", "\n\n".join(some), "m")])
    place = place_at(tmp_path / "run", tiny_base, corpus=tmp_path / "corpus")
    parts = FunctionPairs().parts(place)
    assert [len(parts.train), len(parts.validation)] == [4, 2]
    for number, row in enumerate(parts.train):
        assert f"return x + {number}" in row["chosen"]
        assert f"return x + {(number + 1) % 4}" in row["rejected"]
    assert len(FunctionPairs(most=1).parts(place).train) == 1
    with pytest.raises(LeftOut, match="no two Python functions"):
        FunctionPairs(max_lines=0).parts(place)
    with pytest.raises(RecipeError, match="functions come from the corpus"):
        FunctionPairs().parts(place_at(tmp_path / "run", tiny_base))
