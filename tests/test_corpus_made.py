"""What stands beside the documents: the recipe that made them, and what it took."""

from pathlib import Path

from hornbook.core import recipe
from hornbook.core.files import read_json
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus_made import make
from tests.made_up_corpus import write_sources


def test_the_recipe_that_is_written_makes_the_same_again(tmp_path: Path) -> None:
    sources = tuple(map(str, write_sources(tmp_path / "files")))
    config = Corpus(source=sources, bad_share=0.1)
    ledger = make(config, tmp_path / "one")
    assert recipe.load(Corpus, tmp_path / "one" / "recipe.yaml") == config
    assert make(recipe.load(Corpus, tmp_path / "one" / "recipe.yaml"), tmp_path / "two") == ledger
    same = [path for path in (tmp_path / "one").rglob("*.parquet") if path.is_file()]
    assert len(same) == 3
    for path in [*same, tmp_path / "one" / "ledger.json"]:
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_the_times_of_all_steps_are_within_the_whole(tmp_path: Path) -> None:
    make(Corpus(source=tuple(map(str, write_sources(tmp_path / "files"))), bad_share=0.1), tmp_path / "corpus")
    timing = read_json(tmp_path / "corpus" / "timing.json")
    assert [list(stage["steps"]) for stage in timing["stages"]] == [
        ["read", "normalise", "minimum length", "write", "exact duplicates"],
        ["exact duplicates", "write"],
    ]
    assert sum(sum(stage["steps"].values()) for stage in timing["stages"]) <= timing["seconds"] + 0.01
