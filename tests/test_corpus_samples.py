"""Documents on the page: shortened, escaped, from every place, what differs marked."""

import re
from html import unescape
from pathlib import Path

from hornbook import corpus_samples as samples
from hornbook.core.chart import letters
from hornbook.corpus.document import Document
from hornbook.corpus_state import open_corpus
from tests.made_up_corpus import POEM, make_corpus


def test_every_reason_has_its_documents(tmp_path: Path) -> None:
    state = open_corpus(make_corpus(tmp_path))
    found = [(step, reason, len(documents)) for step, reason, documents in samples.dropped(state)]
    assert found == [
        ("minimum length", "too short", 3),
        ("exact duplicates", "exact duplicate", 1),
        ("near duplicates", "near duplicate", 1),
    ]
    kept = samples.kept(state)
    assert len(kept) == samples.KEPT
    assert not any("<b>sat" in each for each in kept)


def test_near_duplicates_stand_side_by_side(tmp_path: Path) -> None:
    pairs = samples.near_pairs(make_corpus(tmp_path))
    poem = next(pair for pair in pairs if POEM in pair)
    assert re.findall(r"<mark>(.*?)</mark>", poem) == ["遠"]
    assert samples.near_pairs(tmp_path) == []


def test_marks_take_nothing_away() -> None:
    for ours, theirs in (("", "a"), ("a <b> c", "a <i> c"), ("太宗皇帝 one", "太宗 two\n"), ("same", "same")):
        assert tuple(unescape(re.sub("</?mark>", "", side)) for side in samples.marked(ours, theirs)) == (ours, theirs)
    assert samples.marked("same", "same") == ("same", "same")


def test_a_long_text_is_cut_to_the_room() -> None:
    for text in ("word " * 1_000, "語" * 1_000, "a\n" * 1_000):
        cut, _, rest = samples.shown(text, 200).partition("... (")
        assert letters(cut) <= 200
        assert cut.count("\n") < samples.LINES
        assert int(rest.split()[0].replace(",", "")) + len(cut) == len(text.strip())
    assert samples.shown("a\n\n\n\n\nb", 50) == "a\n\nb"


def test_tags_in_names_are_escaped() -> None:
    page = samples.document(Document("<id>", "<text>", "s", language="zh", metadata={"score": "<1>"}))
    assert "<id>" not in page
    assert unescape(re.sub("<[^>]+>", "", page)) == "<id> · 6 characters · zh · score <1><text>"
