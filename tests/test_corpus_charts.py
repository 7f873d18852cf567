"""Each picture says the number that is in the ledger."""

import re
from html import unescape

from hornbook import corpus_charts as charts
from hornbook.corpus.document import Document, Result
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.profile import Profile


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def ledger() -> Ledger:
    """Two sources; a step that drops every third of one, and a step that drops nothing."""
    made = Ledger()
    documents = [
        Document(str(i), "x" * (10 if i % 2 else 1000), "ab"[i % 2], language="en" if i % 2 else "zh")
        for i in range(60)
    ]
    for document in documents:
        made.see(document)
    bad = [d for d in documents if d.source == "a"][::3]
    kept = made.account("rule", documents, Result([d for d in documents if d not in bad], [(d, "bad") for d in bad]))
    for document in made.account("nothing", kept, Result(kept)):
        made.keep(document)
    return made


def test_the_waterfall_names_what_is_left_and_who_took_most() -> None:
    assert "83 % of 60 documents are left; rule took most" in words(charts.waterfall(ledger(), "documents"))
    seen = words(charts.waterfall(ledger(), "bytes"))
    assert "67 % of 30kB are left; rule took most" in seen
    assert "20kB, -33 %" in seen
    assert charts.waterfall(Ledger(), "bytes") == ""


def test_reasons_are_coloured_by_their_share_of_the_source() -> None:
    table = charts.reasons(ledger())
    assert words(table).split() == ["step", "reason", "a", "b", "all", "rule", "bad", "10", "10"]
    assert 'title="33 % of 30"' in table
    strengths = [int(percent) for percent in re.findall(r"var\(--c1\) (\d+)%", table)]
    assert strengths == [62, 45]  # the root of a third, and of a sixth
    assert charts.reasons(Ledger()) == ""


def test_many_sources_are_taken_together() -> None:
    made = Ledger()
    for number in range(12):
        document = Document("x", "text", f"s{number:02d}")
        made.see(document)
        made.account("rule", [document], Result([], [(document, "bad")]))
    head = words(charts.reasons(made)).split()[:12]
    assert head == ["step", "reason", *(f"s{number:02d}" for number in range(8)), "4", "others"]


def test_spreads_are_said_in_words() -> None:
    profiles = ledger().profiles
    assert "Half of the documents are longer than" in words(charts.lengths(profiles["read"], profiles["kept"]))
    assert "2 languages came in, 2 stayed" in words(charts.languages(profiles["dropped"], profiles["kept"]))
    assert "20 of 30" in words(charts.languages(profiles["dropped"], profiles["kept"]))
    low, high = Profile(scores={"2": 30}), Profile(scores={"15": 10})
    assert "25 % of the 40 documents with a quality score are left" in words(charts.scores(low, high))
    assert charts.scores(Profile(), Profile()) == charts.languages(Profile(), Profile({}, {"": 4})) == ""


def test_the_median_is_that_of_the_documents() -> None:
    lengths = Profile()
    for characters in range(1, 2_000):
        lengths.add(Document("d", "x" * characters, "s"))
    assert abs(charts.median_length(lengths.lengths) / 1_000 - 1) < 0.1


def test_time_goes_from_the_longest_down() -> None:
    seen = words(charts.times({"a": 1.0, "b": 3.0}))
    assert seen.startswith("b took 75 % of the 4.0 s that the steps took")
    assert charts.times({}) == ""


def test_the_source_of_which_least_is_left_is_named() -> None:
    assert "Least is left of a: 67 %" in words(charts.by_source(ledger()))
