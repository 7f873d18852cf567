import os
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import sources
from hornbook.corpus.sources import ignore


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.txt", "sub/c.txt", "sub/deep/d.md", ".hidden", ".git/config", "sub/.x", "论语/学而.txt"):
        path = tmp_path / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return tmp_path / "notes"


def ids(*names: str | Path) -> list[str]:
    return [file.id for file in sources.files([str(name) for name in names], ignore)]


def test_a_folder_is_walked_in_the_order_of_names_without_hidden_files(tree: Path) -> None:
    assert ids(tree) == ["a.txt", "b.txt", "sub/c.txt", "sub/deep/d.md", "论语/学而.txt"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.txt", ["a.txt", "b.txt"]),
        ("**/*.txt", ["a.txt", "b.txt", "sub/c.txt", "论语/学而.txt"]),
        ("sub/**", ["c.txt", "deep/d.md"]),
        ("s*", ["sub/c.txt", "sub/deep/d.md"]),
        ("[ab].txt", ["a.txt", "b.txt"]),
    ],
)
def test_globs(tree: Path, pattern: str, found: list[str]) -> None:
    assert ids(tree / pattern) == found


def test_one_file_and_the_home_folder(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tree))
    assert ids(tree / "a.txt") == ids("~/a.txt") == ["a.txt"]
    assert sources.is_one_file(["~/a.txt"])
    assert not sources.is_one_file([str(tree)])


def test_several_sources_keep_their_documents_apart(tree: Path) -> None:
    found = list(sources.files([str(tree / "a.txt"), str(tree / "sub")], ignore))
    assert [(file.id, file.source) for file in found] == [
        ("a.txt/a.txt", "a.txt"),
        ("sub/c.txt", "sub"),
        ("sub/deep/d.md", "sub"),
    ]


def test_a_mapping_gives_sources_their_names(tree: Path) -> None:
    named = {"all": str(tree / "a.txt"), "deep": (str(tree / "sub"), str(tree / "b.txt"))}
    found = list(sources.files(named, ignore))
    assert [(file.id, file.source) for file in found] == [
        ("all/a.txt", "all"),
        ("deep/sub/c.txt", "deep"),
        ("deep/sub/deep/d.md", "deep"),
        ("deep/b.txt/b.txt", "deep"),
    ]
    assert sources.is_one_file({"all": str(tree / "a.txt")})
    assert not sources.is_one_file(named)


def test_a_name_with_signs_of_a_glob_is_a_name_first(tree: Path) -> None:
    (tree / "x[1].txt").write_text("x")
    assert ids(tree / "x[1].txt") == ["x[1].txt"]


def test_links_are_followed_but_not_in_a_circle(tree: Path) -> None:
    os.symlink(tree, tree / "sub" / "loop")
    other = tree.parent / "elsewhere"
    other.mkdir()
    (other / "e.txt").write_text("e")
    os.symlink(other, tree / "linked")
    os.symlink(tree / "gone", tree / "broken.txt")
    assert ids(tree) == ["a.txt", "b.txt", "linked/e.txt", "sub/c.txt", "sub/deep/d.md", "论语/学而.txt"]


@pytest.mark.parametrize("missing", ["nowhere", "nowhere/*.txt", "empty"])
def test_nothing_there_is_an_error_at_once(tmp_path: Path, missing: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"nowhere|empty"):
        ids(tmp_path / missing)


def test_a_folder_without_permission_is_a_fault(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refuse(path: Path | str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    faults: list[tuple[str, str]] = []
    found = [file.id for file in sources.files([str(tree)], lambda place, why: faults.append((place, why)))]
    assert "sub/c.txt" in found
    assert faults == [(str(tree / "sub" / "deep"), "cannot open this folder (Permission denied)")]


def test_the_fingerprint_follows_names_and_contents(tree: Path) -> None:
    first = sources.fingerprint([str(tree)])
    assert sources.fingerprint([str(tree)]) == first
    (tree / ".hidden").write_text("changed")
    assert sources.fingerprint([str(tree)]) == first
    (tree / "a.txt").write_text("changed")
    second = sources.fingerprint([str(tree)])
    (tree / "a.txt").rename(tree / "z.txt")
    assert len({first, second, sources.fingerprint([str(tree)])}) == 3


def test_a_part_of_the_library_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {file.id: file for file in sources.files({"mine": "stdlib/json"}, ignore)}
    assert {"mine/decoder.py", "mine/encoder.py"} <= set(found)
    assert {file.source for file in found.values()} == {"mine"}
    with pytest.raises(UserError, match="stdlib/nothing: no such file or folder"):
        list(sources.files(["stdlib/nothing"], ignore))
    (tmp_path / "stdlib" / "json").mkdir(parents=True)  # a folder of one's own comes first
    (tmp_path / "stdlib" / "json" / "own.txt").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert ids("stdlib/json") == ["own.txt"]
