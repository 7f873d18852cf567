"""Numbers in the forms in which people write them, and what only looks like one."""

# ruff: noqa: RUF001  # Chinese punctuation is meant

import pytest

from hornbook.corpus import private_numbers as numbers
from hornbook.corpus.private import find
from hornbook.corpus.private_numbers import Finder


def found(finder: Finder, text: str) -> list[str]:
    return sorted({text[start:end] for start, end in finder(text)})


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("(814) 360 8593 or 986.291.2294x751", ["(814) 360 8593", "986.291.2294x751"]),
        ("+44 (0)20 7946 0958; 0049 30 901820", ["+44 (0)20 7946 0958", "0049 30 901820"]),
        ("call 2312322334", ["2312322334"]),
        ("order 2312322334", []),
        ("手机号13800138000，+86 138-0013-8000", ["13800138000", "+86 138-0013-8000"]),
        ("电话：010-62751234，传真（0755）8888 8888", ["010-62751234"]),
        ("12800138000 21380013800 1380013800", []),  # no such prefix; 11 digits inside others; one short
        ("112-456-7890 212-156-7890", []),  # areas and exchanges begin with 2 to 9
        ("+0 123 456 789, +999", []),
    ],
)  # fmt: skip
def test_phones(text: str, phones: list[str]) -> None:
    assert [text[each.start : each.end] for each in find(text, ("phone",))] == phones


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("from 58.74.121.78 to 10.0.0.1", ["58.74.121.78"]),
        ("[2606:4700:4700::1111]:443 and fe80::1", ["2606:4700:4700::1111"]),
        ("v8.8.8.8, version 8.8.8.8, 8.8.8.8.8, 1.8.8.888, 224.0.0.1", []),
    ],
)
def test_network_addresses(text: str, addresses: list[str]) -> None:
    assert found(numbers.network_addresses, text) == addresses


def test_an_account_ends_where_its_country_says() -> None:
    text = "GB29 NWBK 6016 1331 9268 19 IS OURS, DE89370400440532013000."
    assert found(numbers.accounts, text) == ["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19"]
    assert found(numbers.accounts, "GB29NWBK60161331926819A") == []


def test_social_security_numbers_without_dashes_need_a_word() -> None:
    assert found(numbers.social_security_numbers, "SSN 514 14 8905") == ["514 14 8905"]
    assert found(numbers.social_security_numbers, "box 514 14 8905") == []


def test_cards_in_groups() -> None:
    text = "4111-1111-1111-1111, 3782 822463 10005, 4111 1111-1111 1111"
    assert found(numbers.cards, text) == ["3782 822463 10005", "4111-1111-1111-1111"]


def test_resident_numbers_touch_chinese() -> None:
    assert found(numbers.resident_numbers, "身份证11010519491231002X号") == ["11010519491231002X"]
    assert found(numbers.resident_numbers, "A11010519491231002X") == []
