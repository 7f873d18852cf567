"""Names: what a marker marks is replaced (a made-up one here; presidio itself where it is installed)."""

from types import SimpleNamespace
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import private_names
from hornbook.corpus.document import Document
from hornbook.corpus.private_names import NamedEntities

TEXT = "Ann Miller lives in Boston."


class Marker:
    """Marks two names, one of them twice over."""

    def analyze(self, text: str, *, language: str, entities: list[str], score_threshold: float) -> list[Any]:
        assert (language, score_threshold) == ("en", 0.7)
        marks = [("LOCATION", 20, 26, 0.85), ("PERSON", 0, 10, 0.85), ("PERSON", 4, 10, 0.85), ("PERSON", 11, 16, 0.6)]
        found = [SimpleNamespace(entity_type=kind, start=a, end=b, score=s) for kind, a, b, s in marks]
        return [mark for mark in found if mark.entity_type in entities and mark.score >= score_threshold]


def test_names_are_replaced_with_a_reason_for_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_names, "_analyzer", lambda model, language: Marker())
    documents = [Document("a", TEXT, "s"), Document("b", TEXT, "s", language="de")]
    result = NamedEntities(certainty=0.7).build()(documents)
    assert [kept.text for kept in result.kept] == ["<PERSON> lives in <LOCATION>.", TEXT]
    assert [reason for _, reason in result.changed] == ["name of a person", "name of a location"]
    result = NamedEntities(certainty=0.7, kinds=("location",), placeholder="_")(documents)
    assert result.kept[0].text == "Ann Miller lives in _."


def test_what_is_missing_is_said_at_once() -> None:
    with pytest.raises(UserError, match=r"is not installed; .*, or leave the step out"):
        NamedEntities(model="no_such_model").build()
    with pytest.raises(ValueError, match="between 0 and 1"):
        NamedEntities(certainty=85)


def test_presidio_itself() -> None:
    pytest.importorskip("presidio_analyzer")
    pytest.importorskip("en_core_web_sm")
    (kept,) = NamedEntities()([Document("a", TEXT, "s")]).kept
    assert kept.text == "<PERSON> lives in <LOCATION>."
