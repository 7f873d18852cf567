"""`hornbook corpus`: whatever is typed ends in a corpus with its report, or in one sentence."""

import json

import pyarrow.parquet as pq
import pytest

from hornbook.corpus.stored import stored
from tests.made_up_corpus import write_recipe, write_sources
from tests.test_cli import run


@pytest.fixture
def hornbook(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run(capsys, monkeypatch, *arguments)


@pytest.fixture
def sources(tmp_path):
    return "source=[" + ",".join(map(str, write_sources(tmp_path / "files"))) + "]"


@pytest.fixture
def recipe(tmp_path):
    return write_recipe(tmp_path)


def test_a_corpus_recipe_writes_everything_into_its_folder(hornbook, recipe, sources, tmp_path):
    code, out, err = hornbook("corpus", recipe, f"corpus.{sources}", "--out", "clean")  # with the section's name too
    assert (code, err) == (0, "")
    names = {path.name for path in (tmp_path / "clean").iterdir()}
    assert names >= {"train-00000.parquet", "dropped", "ledger.json", "timing.json", "report.html", "recipe.yaml"}
    assert "near duplicates" in out
    assert "1 bad files or lines were left out" in out
    assert out.splitlines()[-1] == "clean, clean/report.html"
    kinds = set(json.loads((tmp_path / "clean" / "timing.json").read_text())["stages"][0]["steps"])
    assert kinds == {"read", "normalise", "minimum length", "exact duplicates", "write"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean", "files", "web.yaml"]


def test_the_folder_is_the_runs_unless_it_is_said(hornbook, recipe, sources, tmp_path):
    assert hornbook("corpus", "--run", "here", recipe, sources)[0] == 0
    assert hornbook("corpus", "run", recipe, sources)[0] == 0
    for folder in ("here/corpus", "runs/web/corpus"):
        assert (tmp_path / folder / "ledger.json").is_file()


def test_a_whole_recipe_makes_its_corpus_section(hornbook, tmp_path):
    write_sources(tmp_path / "files")
    given = ["tiny/pretrain", "corpus.source=[files/web.jsonl,files/poems]", "corpus.bad_share=0.1"]
    code, _out, err = hornbook("corpus", *given)
    assert (code, err) == (0, "")
    assert (tmp_path / "runs/tiny/pretrain/corpus/report.html").is_file()
    assert "unchanged" in hornbook("corpus", *given)[1]
    assert hornbook("corpus", *given, "--out", "apart")[0] == 0
    assert (tmp_path / "apart" / "train-00000.parquet").is_file()


def test_a_corpus_is_a_source(hornbook, recipe, sources, tmp_path):
    """Its documents with language and address, and neither its ledger nor what it dropped."""
    hornbook("corpus", recipe, sources, "--out", "first")
    code, _, err = hornbook("corpus", recipe, "source=first", "steps=[normalise]", "--out", "second")
    assert (code, err) == (0, "")

    def documents(name: str) -> set[tuple[str, str | None, str | None]]:
        both = [each for split in ("train", "validation") for each in stored(tmp_path / name, split)]
        return {(each.text, each.url, each.language) for each in both}

    assert documents("second") == documents("first")
    assert {language for _, _, language in documents("first")} == {"en", None}
    code, out, _ = hornbook("tokenizer", "train", "first", "--vocab", "300", "--out", "words")
    assert (code, out) == (0, "words: 300 tokens\n")
    code, out, _ = hornbook("corpus", recipe, sources, "--out", "first", "--tokenizer", "words")
    assert code == 0
    assert "Tokens are counted with words on" in (tmp_path / "first" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["corpus/finweb"], "no such recipe file"),
        (["web.yaml"], "web.yaml: names no source to read; add source=path/to/files"),
        (["web.yaml", "source=nowhere"], "nowhere: no such file or folder"),
        (["web.yaml", "source=files", "steps.1.charactes=3"], "(did you mean 'characters'?)"),
        (["web.yaml", "source=files", "steps=[normalize]"], "(did you mean 'normalise'?)"),
        (["web.yaml", "source=files", "bad_shar=1"], "bad_shar: corpus has no such field (did you mean 'bad_share'?)"),
        (["web.yaml", "source=files", "--out", "files"], "files: holds something that is no corpus"),
        (["web.yaml", "source=files/web.jsonl", "bad_share=0"], "web.jsonl:64: not a JSON object"),
        (["tiny/pretrain", "source=files"], "source: recipe has no such field"),
        (["inspect", "nowhere"], "nowhere: no such folder; no corpus is here"),
        (["inspect", "files"], "files: no corpus is here"),
        (["inspect", "files", "--kept", "--step", "x"], "--kept: documents that were kept have no reason"),
        (["inspect", "files", "--grep", "("], "--grep: '(' is no regular expression"),
    ],
)
def test_what_is_wrong_is_one_sentence(hornbook, recipe, tmp_path, arguments, words):
    write_sources(tmp_path / "files")
    before = sorted(tmp_path.rglob("*.*"))
    code, _, err = hornbook("corpus", *arguments)
    assert (code, err.count("\n"), err[:7]) == (2, 1, "error: ")
    assert words in err
    assert [path for path in sorted(tmp_path.rglob("*.*")) if ".work" not in str(path)] == before


def test_a_corpus_that_is_there_is_replaced_whole(hornbook, recipe, sources, tmp_path):
    hornbook("corpus", recipe, sources, "--out", "clean")
    assert hornbook("corpus", recipe, sources, "steps=[normalise]", "--out", "clean")[0] == 0
    assert not (tmp_path / "clean" / "near_duplicates.parquet").exists()
    assert pq.read_metadata(tmp_path / "clean" / "dropped" / "00000.parquet").num_rows == 0
