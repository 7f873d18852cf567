import pytest

from hornbook.corpus.iso639 import CODES, TWO, two_letters


def test_the_table() -> None:
    assert len(set(TWO.values())) >= 180
    assert all(len(two) == 2 and len(three) == 3 for three, two in TWO.items())
    assert len(TWO) == len(CODES.split())


@pytest.mark.parametrize(
    ("name", "two"),
    [("eng", "en"), ("deu", "de"), ("ger", "de"), ("zho", "zh"), ("EN_us", "en"), ("fr", "fr"), ("", None)],
)
def test_names(name: str, two: str | None) -> None:
    assert two_letters(name) == two
