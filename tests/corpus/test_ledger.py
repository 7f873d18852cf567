import json
from dataclasses import replace

from hornbook.corpus.document import Document, Result
from hornbook.corpus.ledger import PLACES, SAMPLE_CHARACTERS, SAMPLES, Ledger


class Halve:
    """Drops every second document and shortens the others."""

    name = "halve"

    def __call__(self, documents: list[Document]) -> Result:
        kept = [replace(d, text=d.text[:1]) for d in documents[::2]]
        return Result(kept, [(d, "odd") for d in documents[1::2]], [(d, "shorter") for d in documents[::2]])


def test_a_step_is_written_down_exactly() -> None:
    ledger = Ledger()
    for first in (0, 40):
        documents = [Document(f"d{i}", "論" * 300, "s") for i in range(first, first + 40)]
        kept = ledger.account("halve", documents, Halve()(documents))
        assert [d.text for d in kept] == ["論"] * 20
    account = ledger.steps["halve"]
    assert (account.documents_in, account.documents_out) == (80, 40)
    assert (account.bytes_in, account.bytes_out) == (80 * 900, 40 * 3)
    reason = account.dropped["odd"]
    assert (reason.documents, reason.bytes) == (40, 40 * 900)
    assert [sample["id"] for sample in reason.samples] == [f"d{i}" for i in range(1, 2 * SAMPLES, 2)]
    assert all(len(sample["text"]) == SAMPLE_CHARACTERS for sample in reason.samples)
    assert account.changed["shorter"].documents == 40
    assert ledger.documents_dropped == 40


def test_places_are_all_counted_and_the_first_listed() -> None:
    ledger = Ledger()
    for number in range(PLACES + 7):
        ledger.fault(f"f:{number}", "why")
        ledger.note(f"f{number}", "how")
    assert ledger.bad == PLACES + 7
    assert len(ledger.bad_places) == len(ledger.notes) == PLACES
    assert ledger.bad_places[0] == {"place": "f:0", "why": "why"}


def test_sources_are_counted_apart_and_the_whole_is_plain_data() -> None:
    ledger = Ledger()
    for source, text in (("a", "x"), ("b", "論"), ("a", "yy")):
        ledger.see(Document("d", text, source))
    assert {name: (t.documents, t.characters, t.bytes) for name, t in ledger.read.items()} == {
        "a": (2, 3, 3),
        "b": (1, 1, 3),
    }
    assert ledger.documents_read == 3
    assert json.loads(json.dumps(ledger.plain()))["splits"]["validation"]["documents"] == 0


def test_accounts_add_up_as_if_kept_in_one() -> None:
    """Two tasks' ledgers, one of them by way of a file, are the ledger of both tasks."""
    documents = [Document(f"d{i}", "論" * (100 + i), "ab"[i % 2]) for i in range(60)]
    parts, whole = [Ledger(), Ledger()], Ledger()
    for number, document in enumerate(documents):
        for ledger in (parts[number // 30], whole):
            ledger.see(document)
            ledger.account("halve", [document] * 2, Halve()([document] * 2))
            ledger.fault(f"f:{number}", "why")
            ledger.skip("binary")
            ledger.note(f"f{number}", "how")
            ledger.keep(document)
    total = Ledger()
    total.add(Ledger.of(json.loads(json.dumps(parts[0].plain()))))
    total.add(parts[1])
    assert total == whole
