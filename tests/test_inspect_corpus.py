"""Looking at a corpus in the terminal: the right documents, in order or by chance, also while it is being made."""

import re
from collections import Counter
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.document import Document
from hornbook.corpus_state import open_corpus
from hornbook.inspect_corpus import Found, Wanted, find, pick, show
from tests.made_up_corpus import POEM, make_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("corpus"))


def found(corpus: Path, **wanted: object) -> list[str]:
    return [each.document.text for each in find(open_corpus(corpus), Wanted(**wanted))]


def test_only_what_is_wanted_is_found(corpus: Path) -> None:
    assert found(corpus, reason="too short") == ["tiny", "<i>", "太宗皇帝"]
    assert len(found(corpus)) == 5
    assert found(corpus, step="near duplicates", pattern="遠$") == [POEM + "遠"]
    assert len(found(corpus, kept=True)) == 62
    assert found(corpus, kept=True, pattern="^落日") == [POEM]


def test_what_is_printed(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show(corpus, Wanted(reason="too short"))
    out = capsys.readouterr().out
    assert "clean: finished" in out
    assert re.search(r"minimum length +too short +3", out)
    assert "minimum length: too short  poems/2.txt  4 characters" in out
    assert "太宗皇帝" in out
    show(corpus, Wanted(kept=True))
    assert capsys.readouterr().out.count("https://example.org/a") == 5
    show(corpus, Wanted(pattern="never written"))
    assert capsys.readouterr().out.endswith("keep_dropped=true in the recipe writes all of them\n")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"reason": "to short"}, "nothing was dropped for 'to short' (did you mean 'too short'?)"),
        ({"step": "near duplicate"}, "no step is called 'near duplicate' (did you mean 'near duplicates'?)"),
        ({"step": "normalise", "reason": "too short"}, "nothing was dropped for 'too short'; there are none"),
    ],
)
def test_what_cannot_be_found_is_guessed(corpus: Path, wanted: dict[str, str], sentence: str) -> None:
    with pytest.raises(UserError, match=re.escape(sentence)):
        show(corpus, Wanted(**wanted))


def test_a_sample_is_fair_seeded_and_in_order() -> None:
    all_of_them = [Found(Document(str(number), "", "s")) for number in range(20)]
    seen = Counter[str]()
    for seed in range(2_000):
        chosen = [int(each.document.id) for each in pick(iter(all_of_them), 5, seed)]
        assert len(set(chosen)) == 5
        assert chosen == sorted(chosen)
        seen.update(map(str, chosen))
    assert pick(iter(all_of_them), 5, 7) == pick(iter(all_of_them), 5, 7)
    assert all(abs(count - 500) < 100 for count in seen.values())  # 5 standard deviations
    assert len(seen) == 20
    assert len(pick(iter(all_of_them), 50, 0)) == 20
