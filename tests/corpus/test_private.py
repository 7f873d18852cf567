"""Private data: what is planted is found, what is not private stays, and no text takes longer than its length."""

import json
import pickle
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.corpus.document import Document
from hornbook.corpus.private import KINDS, Kind, PrivateData, find, redact
from tests.corpus.planted import planted

PROMISED = 0.95
NEMO: dict[str, Kind] = {"phone_number": "phone", "credit_card_number": "card", "email": "email", "ssn": "ssn"}
PRESIDIO: dict[str, Kind] = {"CREDIT_CARD": "card", "EMAIL_ADDRESS": "email", "US_SSN": "ssn", "IP_ADDRESS": "ip"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_planted_is_found_and_nothing_of_it_stays(kind: Kind) -> None:
    found = exact = 0
    for text, _, value in planted(kind, 400):
        left = redact(text, [each for each in find(text) if each.kind == kind], "<{kind}>")
        found += value not in left and f"<{kind.upper()}>" in left
        exact += left == text.replace(value, f"<{kind.upper()}>")
    assert found >= PROMISED * 400
    assert exact >= PROMISED * 400, "the sentence around it stays whole"


@pytest.mark.parametrize(
    "text",
    [
        "On 2026-11-22 at 12:30:45 we sold 1,234,567.89 of 9876543210 and 3.14159265358979.",
        "ISBN 978-3-16-148410-0, doi:10.1000/182, pages 1234-1240, lines 100-200-3000",
        "192.168.0.1, 10.0.0.7, 127.0.0.1, 2001:db8::1, fe80::1, std::vector, 12:30:45, version 1.2.3.4",
        "4111 1111 1111 1112 fails Luhn, 1234567812345678 has no issuer, 0000000000000000",
        "GB82 WEST 1234 5698 7654 33 fails mod 97; AB12 CDEF 3456 7890",
        "000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000",
        "110105194912310021 fails its check; 110105194913310026 has a 13th month",
        "token = get_access_token_from_request2(request); password: correct-horse-battery-staple",
        "user@localhost, @decorator, a @ b, import x@y, 3@4.5",
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b, 1700000000000, 12345678901",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "ID13800138000, 0.13800138000, 23800138000, 学而时习之, 一二三四五六七八九十",
    ],
)
def test_what_is_not_private_stays(text: str) -> None:
    assert find(text) == []


def test_only_the_kinds_that_are_asked_for() -> None:
    document = Document("d", "ann@example.org, 514-14-8905", "s")
    result = PrivateData(kinds=("ssn",), placeholder="[{kind}]").build()([document])
    assert [kept.text for kept in result.kept] == ["ann@example.org, [SSN]"]
    assert result.changed == [(document, "US social security number")]


def test_a_reason_for_every_kind_and_none_without() -> None:
    documents = [Document("a", "ann@example.org bob@example.org 138-0013-8000", "s"), Document("b", "nothing", "s")]
    result = PrivateData()(documents)
    assert [reason for _, reason in result.changed] == ["e-mail address", "phone number"]
    assert [kept.text for kept in result.kept] == ["<EMAIL> <EMAIL> <PHONE>", "nothing"]
    assert not result.dropped
    assert pickle.loads(pickle.dumps(PrivateData())) == PrivateData()


def test_overlapping_finds_go_together() -> None:
    """A key block with an address in it is one private key."""
    block = "-----BEGIN RSA PRIVATE KEY-----\nann@example.org\n-----END RSA PRIVATE KEY-----"
    assert [(each.kind, each.end) for each in find(f"{block} x")] == [("private_key", len(block))]


def test_a_block_without_an_end_goes_as_far_as_its_lines() -> None:
    lines = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(["Ab1+" * 16] * 3)
    assert redact(f"{lines}\nSo it goes.", find(f"{lines}\nSo it goes."), "<{kind}>") == "<PRIVATE_KEY>\nSo it goes."


def test_a_recipe_says_the_kinds() -> None:
    assert recipe.parse(PrivateData, {"kinds": ["email"]}).kinds == ("email",)
    with pytest.raises(RecipeError, match="'fax' is not one of"):
        recipe.parse(PrivateData, {"kinds": ["fax"]})
    with pytest.raises(ValueError, match="leave the step out"):
        PrivateData(kinds=())


HOSTILE = (
    "a", "1", "@", "a@", "a.", "a@a.", "1.", "1 ", "+1", "2:", "2001:", "AA11", "AA11 ", "GB82 WEST ", "eyJ",
    "eyJaaaaaaaaaaa.", "token=", "token   ", "sk-", "-----BEGIN PRIVATE KEY-----", "(", "212-", "(212) 555-", "00 ",
    "13800138000", "1380 ", "汉", "4111 1111 1111 1111 ", "密码", "password is ", " - ", "-----END PRIVATE KEY-----a",
    "api_key:\n\n\n",
)  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_time_grows_no_faster_than_the_text(unit: str) -> None:
    """Four times the text takes about four times as long; eight allows for a busy machine."""

    def seconds(characters: int) -> float:
        text = unit * (characters // len(unit))
        started = time.process_time()
        find(text)
        return time.process_time() - started

    short = max(min(seconds(20_000) for _ in range(3)), 0.004)
    assert min(seconds(80_000) for _ in range(2)) < 10 * short


@pytest.mark.slow
@pytest.mark.parametrize("unit", HOSTILE)
def test_five_megabytes_of_spite_take_seconds(unit: str) -> None:
    started = time.process_time()
    find(unit * (5_000_000 // len(unit)))
    assert time.process_time() - started < 20


def nemo(folder: Path) -> Iterator[tuple[str, list[tuple[int, int, str]]]]:
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text().splitlines():
            text, spans = "", []
            for before, tag, value in re.findall(r"([^<]*)(?:<(\w+)>([^<]*)</\w+>)?", line):
                text += before
                spans += [(len(text), len(text) + len(value), tag)] if tag else []
                text += value
            yield text, spans


def test_sets_that_others_marked(shared_data: Path) -> None:
    """All of the kinds that are promised; a phone without separators, area brackets or a word before it is not."""
    rows = [(*row, NEMO) for row in nemo(shared_data / "web" / "pii_nemo")]
    for row in json.loads((shared_data / "web" / "pii_presidio" / "generated_small.json").read_text()):
        spans = [(span["start_position"], span["end_position"], span["entity_type"]) for span in row["spans"]]
        rows.append((row["full_text"], spans, PRESIDIO))
    missed, wrong = [], []
    for text, spans, names in rows:
        found = find(text)
        for start, end, tag in spans:
            wanted = names.get(tag)
            if wanted and not any(each.kind == wanted and each.start <= start and each.end >= end for each in found):
                missed.append(text[start:end])
        wrong += [text[e.start : e.end] for e in found if not any(s < e.end and e.start < end for s, end, _ in spans)]
    assert (missed, wrong) == (["2312322334"], [])
