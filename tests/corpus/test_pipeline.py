import gzip
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hornbook.core import recipe
from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus import pipeline, stage, write
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus.split import BY_END, BY_HASH
from hornbook.corpus.stored import texts

LINE = "a line that is long enough {}"


def run(source: Path | tuple[str, ...], folder: Path, **options: object) -> Ledger:
    sources = source if isinstance(source, tuple) else str(source)
    return pipeline.run(Corpus(source=sources, **options), folder)


def jsonl(path: Path, count: int, bad: tuple[int, ...] = ()) -> Path:
    rows = ["{broken" if i in bad else json.dumps({"text": LINE.format(i)}) for i in range(count)]
    path.write_text("\n".join(rows))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_that_came_in_is_accounted_for(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    contents = {
        "a.txt": "first note, long enough",
        "b.md": "# second\r\nnote, long enough",
        "copy.txt": "first note, long enough",
        "empty.txt": "",
        "short.txt": "tiny",
        ".hidden": "never read, never counted",
    }
    for name, text in contents.items():
        (notes / name).write_bytes(text.encode())
    (notes / "picture.png").write_bytes(b"\x89PNG\0\0")
    ledger = run(notes, tmp_path / "corpus", validation=0.0)
    assert ledger.read["notes"].documents == 5
    assert ledger.skipped == {"binary file: no text to read": 1}
    dropped = {step.name: {why: r.documents for why, r in step.dropped.items()} for step in ledger.steps.values()}
    assert dropped == {
        "normalise": {},
        "minimum length": {"empty": 1, "too short": 1},
        "exact duplicates": {"exact duplicate": 1},
    }
    assert ledger.steps["normalise"].changed["line ends"].samples[0]["id"] == "b.md"
    for step in ledger.steps.values():
        assert step.documents_in - step.documents_out == sum(r.documents for r in step.dropped.values())
    assert ledger.documents_dropped == 3
    assert ledger.kept["notes"].documents == 2
    assert list(texts(tmp_path / "corpus", "train")) == ["first note, long enough", "# second\nnote, long enough"]
    assert ledger.splits["train"].bytes == sum(len(t.encode()) for t in texts(tmp_path / "corpus", "train"))
    assert json.loads((tmp_path / "corpus" / "ledger.json").read_text()) == ledger.plain()


def test_the_files_are_parquet_with_zstd(tmp_path: Path) -> None:
    run(jsonl(tmp_path / "a.jsonl", 500), tmp_path / "corpus")
    for split in ("train", "validation"):
        path = tmp_path / "corpus" / f"{split}-00000.parquet"
        assert pq.read_schema(path).names == ["id", "text", "source", "url", "language", "metadata"]
        assert pq.read_metadata(path).row_group(0).column(1).compression == "ZSTD"


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", 500)
    first, second = (run(source, tmp_path / name) for name in ("one", "two"))
    assert first == second
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    (tmp_path / "a.jsonl").write_text(source.read_text() + '\n{"text": "one more line of text"}')
    assert run(source, tmp_path / "three").fingerprint != first.fingerprint


def test_large_corpora_are_cut_into_groups_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = jsonl(tmp_path / "a.jsonl", 1_000)
    run(source, tmp_path / "one")
    monkeypatch.setattr(write, "GROUP_CHARACTERS", 1_000)
    monkeypatch.setattr(write, "FILE_CHARACTERS", 10_000)
    run(source, tmp_path / "many")
    names = sorted(path.name for path in (tmp_path / "many").glob("train-*"))
    assert names == [f"train-{number:05d}.parquet" for number in range(3)]
    assert pq.read_metadata(tmp_path / "many" / names[0]).num_row_groups == 10
    assert list(texts(tmp_path / "many", "train")) == list(texts(tmp_path / "one", "train"))


def test_one_book_gives_its_end_to_validation(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("\n".join(LINE.format(i) for i in range(1_000)))
    ledger = run(tmp_path / "book.txt", tmp_path / "corpus", validation=0.1)
    assert ledger.split_rule == BY_END
    assert ledger.kept["book.txt"].documents == 1
    assert ledger.splits["validation"].characters == pytest.approx(0.1 * ledger.read["book.txt"].characters, rel=0.01)
    assert next(texts(tmp_path / "corpus", "validation")).startswith("a line")


def test_a_few_bad_lines_are_counted_and_skipped(tmp_path: Path) -> None:
    ledger = run(jsonl(tmp_path / "a.jsonl", 200, bad=(3, 100)), tmp_path / "corpus")
    assert ledger.bad == 2
    assert [place["place"] for place in ledger.bad_places] == [f"{tmp_path}/a.jsonl:4", f"{tmp_path}/a.jsonl:101"]
    assert ledger.read["a.jsonl"].documents == 198


def test_too_many_bad_lines_stop_with_the_first(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", 10, bad=(3, 7))
    with pytest.raises(UserError, match=r"a\.jsonl:4: not a JSON object .*2 bad of 10 is over corpus\.bad_share=0\.05"):
        run(source, tmp_path / "corpus")
    assert not (tmp_path / "corpus").exists()
    assert run(source, tmp_path / "corpus", bad_share=0.2).bad == 2


def test_a_hopeless_input_stops_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "BAD_BEFORE_GIVING_UP", 5)
    source = jsonl(tmp_path / "a.jsonl", 1_000, bad=tuple(range(0, 1_000, 2)))
    with pytest.raises(UserError, match="5 bad of 1"):
        run(source, tmp_path / "corpus")


def test_a_bad_file_among_many_is_skipped(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for number in range(40):
        (notes / f"{number:02d}.txt").write_text(LINE.format(number))
    (notes / "old.txt").write_bytes("déjà vu, très étrange".encode("latin-1"))
    (notes / "web.jsonl.gz").write_bytes(gzip.compress(b'{"text": "cut off in the middle"}\n' * 500)[:-20])
    ledger = run(notes, tmp_path / "corpus")
    old, web = (Path(place["place"]).name for place in ledger.bad_places)
    assert old == "old.txt:1"
    assert web.startswith("web.jsonl.gz:")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.txt", b"", r"no document is left of 1 with 0 characters \(1 empty\)"),
        ("short.txt", b"abc", r"1 with 3 characters \(1 too short\); give more text, or change corpus.steps"),
        ("latin.txt", "déjà vu, très étrange".encode("latin-1"), "not UTF-8 text"),
        ("a.png", b"\x89PNG\0", "binary file"),
        ("a.jsonl", b'{"body": "x"}', "no column 'text'; set corpus.column to one of body"),
        ("b.jsonl", b"{", r"b\.jsonl:1: not a JSON object"),
        ("a.parquet", b"x", "damaged"),
    ],
)
def test_a_single_bad_file_is_an_error_at_once(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        run(tmp_path / name, tmp_path / "corpus")
    assert name in str(error.value)
    assert not (tmp_path / "corpus").exists()


def test_no_such_file_and_only_pictures_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file or folder"):
        run(tmp_path / "nowhere.txt", tmp_path / "corpus")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"\x89PNG\0")
    with pytest.raises(UserError, match=r"no text could be read .1 binary files, 0 bad"):
        run(tmp_path / "pictures", tmp_path / "corpus")


def test_a_failure_keeps_the_old_corpus(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", 200)
    run(source, tmp_path / "corpus")
    before = contents(tmp_path / "corpus")
    source.write_text("{")
    with pytest.raises(UserError):
        run(source, tmp_path / "corpus")
    assert contents(tmp_path / "corpus") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".corpus.work", "a.jsonl", "corpus"]
    jsonl(source, 10)
    run(source, tmp_path / "corpus")  # other files: what was done for the old ones is of no use
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "corpus"]


def test_progress_ends_with_every_byte(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", 200)
    calls: list[tuple[str, int, int]] = []
    size = source.stat().st_size
    pipeline.run(Corpus(source=str(source)), tmp_path / "corpus", progress=lambda *call: calls.append(call))
    *stages, begun, written = calls
    first, second = "normalise, minimum length", "exact duplicates"
    together = (f"{second}, all together", 0, 0)
    assert stages == [(first, 0, size), (first, size, size), together, (second, 0, size), (second, size, size)]
    assert begun == ("split and write", 0, written[2])
    assert written[1] == written[2]


def test_the_ledger_does_not_grow_with_the_corpus(tmp_path: Path) -> None:
    sizes = []
    for count in (3_000, 9_000):
        source = jsonl(tmp_path / "a.jsonl", count, bad=tuple(range(0, count, 2)))
        source.write_text(source.read_text() + '\n{"text": "x"}' * count)
        run(source, tmp_path / "corpus", bad_share=1.0)
        sizes.append((tmp_path / "corpus" / "ledger.json").stat().st_size)
    assert sizes[1] < sizes[0] * 1.01


def test_the_default_is_the_standard_library(tmp_path: Path) -> None:
    ledger = pipeline.run(Corpus(), tmp_path / "corpus")
    assert ledger.split_rule == BY_HASH
    assert ledger.bad == 0
    held = ledger.splits["validation"]
    assert 0.02 < held.documents / (held.documents + ledger.splits["train"].documents) < 0.08


@pytest.mark.parametrize("changes", [{"validation": 0.6}, {"validation": -0.1}, {"bad_share": 2.0}, {"source": []}])
def test_values_that_do_not_fit_are_refused_by_name(changes: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match=rf"corpus: {next(iter(changes))}"):
        recipe.parse(Corpus, changes, "corpus")


def test_a_recipe_may_name_one_source_or_several() -> None:
    assert recipe.parse(Corpus, {"source": "a"}).sources == ("a",)
    assert recipe.parse(Corpus, {"source": ["a", "b"]}).sources == ("a", "b")
    assert recipe.parse(Corpus, recipe.dump(Corpus(source=("a", "b")))) == Corpus(source=("a", "b"))


@pytest.mark.parametrize("source", ["text/chinese-poetry", "text/tinyshakespeare/input.txt", "text"])
def test_real_texts_by_changing_only_the_source(tmp_path: Path, shared_data: Path, source: str) -> None:
    ledger = run(shared_data / source, tmp_path / "corpus")
    assert ledger.bad == 0
    train, held = ledger.splits["train"], ledger.splits["validation"]
    assert 0.02 < held.characters / (train.characters + held.characters) < 0.1
