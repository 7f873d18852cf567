"""Check digits against published examples, and against the property that one changed digit is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus.checksums import IBAN_LENGTHS, card, iban, luhn, resident, social_security


@pytest.mark.parametrize(
    "number",
    [  # what the issuers give for tests
        "4111111111111111", "4222222222222", "5555555555554444", "2223003122003222", "378282246310005",
        "6011111111111117", "3530111333300000", "30569309025904", "6200000000000005",
    ],
)  # fmt: skip
def test_issuers_test_numbers(number: str) -> None:
    assert card(number)
    assert not card(number[:-1])
    assert not card(number[:-1] + str((int(number[-1]) + 1) % 10))


@given(st.text("0123456789", min_size=12, max_size=18), st.integers(0, 17), st.integers(1, 9))
def test_luhn_sees_any_one_digit(body: str, place: int, change: int) -> None:
    (number,) = [body + check for check in "0123456789" if luhn(body + check)]
    place %= len(number)
    assert not luhn(number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :])


@pytest.mark.parametrize(
    "account",
    [  # the SWIFT registry's examples
        "GB29NWBK60161331926819", "DE89370400440532013000", "FR1420041010050500013M02606", "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S", "SA0380000000608010167519", "CH9300762011623852957",
    ],
)  # fmt: skip
def test_examples_of_the_registry(account: str) -> None:
    assert iban(account)
    assert not iban(account.replace("0", "1", 1))
    assert not iban(account + "0")


def test_every_country_has_two_letters_and_a_length() -> None:
    assert all(len(country) == 2 and 15 <= length <= 33 for country, length in IBAN_LENGTHS.items())
    assert len(IBAN_LENGTHS) > 75


def test_resident_numbers() -> None:
    """The standard's own two examples (GB 11643-1999, annex A); lower-case x counts."""
    assert resident("11010519491231002X")
    assert resident("440524188001010014")
    assert resident("11010519491231002x")
    assert not resident("990105194912310021")


def test_ranges_of_social_security() -> None:
    assert social_security("001010001")
    assert not any(map(social_security, ("000010001", "666010001", "900010001", "001000001", "001010000")))
