"""YAML as recipe writers mean it, and finding files by path, beside another recipe, or by built-in name."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core import source
from hornbook.core.errors import RecipeError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3e-4", 3e-4),
        ("1e6", 1e6),
        (".5", 0.5),
        ("1_000", 1000),
        ("0", 0),
        ("-7", -7),
        ("true", True),
        ("False", False),
        ("null", None),
        ("no", "no"),
        ("on", "on"),
        ("010", "010"),
        ("1:30", "1:30"),
        ("6m", "6m"),
        ("2026-11-22", "2026-11-22"),
        ("*.txt", "*.txt"),
        ("@x", "@x"),
        ("[1, 2", "[1, 2"),
        ("[1, 2]", [1, 2]),
        ("{a: 1}", {"a": 1}),
        ("训练", "训练"),
    ],
)
def test_values_are_what_a_person_means(text: str, value: object) -> None:
    found = source.value_of(text)
    assert (found, type(found)) == (value, type(value))


@given(st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans())
def test_what_is_dumped_is_read_back(value: object) -> None:
    text = yaml.dump([value], Dumper=source.Dumper, allow_unicode=True)
    assert yaml.load(text, source.Loader) == [value]


def test_words_that_other_yaml_readers_misread_are_quoted() -> None:
    assert yaml.dump(["3e-4", "no", "010"], Dumper=source.Dumper).count("'") == 6


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a: 1\nb: [1, 2\n", ":3: not valid YAML (expected ',' or ']', but got '<stream end>'); mend this line"),
        (b"a: 1\nb: 2\na: 3\n", ":3: not valid YAML (the key 'a' is given twice); mend this line"),
        (b"a:\n  b: 1\n  b: 2\n", ":3: not valid YAML (the key 'b' is given twice); mend this line"),
        (b"a: !!python/object:os.system x\n", ":1: not valid YAML (could not determine a constructor for the tag "),
        (b"a: \xff\xfe\n", ": not UTF-8 text; save the recipe as UTF-8"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(RecipeError) as error:
        source.read(path)
    assert str(error.value).startswith(f"{path}{sentence}")


def test_a_name_is_a_path_then_a_neighbour_then_a_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built_in = tmp_path / "package" / "recipes" / "tiny"
    built_in.mkdir(parents=True)
    (built_in / "pretrain.yaml").write_text("a: 1")
    (tmp_path / "here.yaml").write_text("a: 2")
    monkeypatch.setattr(source, "_recipes", lambda: tmp_path / "package" / "recipes")
    assert source.built_in_names() == ["tiny/pretrain"]
    assert source.find("tiny/pretrain") == built_in / "pretrain.yaml"
    assert source.find("here.yaml", tmp_path) == tmp_path / "here.yaml"
    assert source.find(tmp_path / "here.yaml") == tmp_path / "here.yaml"
    assert [source.is_file(name) for name in ("x.yaml", "tiny/pretrain", "rms_norm")] == [True, True, False]
    with pytest.raises(RecipeError, match=r"tiny/pretrian: no such recipe file.*did you mean 'tiny/pretrain'\?"):
        source.find("tiny/pretrian")
