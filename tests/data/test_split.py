"""Splits: exact counts, the same rows on the same side every time, and nothing on two sides."""

from hornbook.data.split import Split


def test_the_counts_of_the_book() -> None:
    rows = [{"id": f"a:{number}", "text": str(number)} for number in range(1494)]
    parts = Split(train=0.7, validation=0.1).divide(rows)
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [1045, 149, 300]
    assert sorted(row["id"] for side in (parts.train, parts.validation, parts.test) for row in side) == sorted(
        row["id"] for row in rows
    )
