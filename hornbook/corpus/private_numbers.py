"""Numbers that belong to somebody: phones, cards, accounts, social security and resident numbers, network addresses.

A long text is read once for places where seven digits stand close together; only those are looked at more closely, and
what has a check digit must pass it. Nothing is promised of numbers that only look local: seven digits without an area,
the national forms of other countries.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hornbook.corpus import checksums

Span = tuple[int, int]
Finder = Callable[[str], Iterator[Span]]

GAP = r"[ .()/\u00a0\u2010-\u2013-]"  # what stands between the digits of a number
DENSE = re.compile(rf"[0-9](?:{GAP}{{0,3}}+[0-9]){{6,}}+")
MARGIN = 14  # signs after the digits that may belong to the number, or speak against it
EDGE = r"(?<![0-9A-Za-z_+/])(?<![0-9A-Za-z_][.,-])"  # Chinese signs may touch a number, Latin letters may not
CODE = r"(?:[17]|2[07]|3[0-469]|4[013-9]|42[013]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[235689]\d\d)"  # ITU-T E.164, assigned
WORDS_BEFORE = 40  # characters in which a word may say what a number is
SAYS_PHONE = re.compile(
    r"phone|mobile|\b(?:tel|call|cell|fax|text)\b|whatsapp|电话|電話|手机|手機|联系|致电|热线|传真", re.I
)
SAYS_SOCIAL = re.compile(r"\bssn\b|social security", re.I)
NOT_AN_ADDRESS = re.compile(r"(?:versions?|releases?|sections?|chapters?|\bver|\bv|版本)[\s.:=]*$", re.I)


class Numbers(NamedTuple):
    """A form of number: how it is written, what may follow, and what else must be true of it (None: nothing)."""

    pattern: re.Pattern[str]
    proof: Callable[[str], bool] | None = None
    said: re.Pattern[str] | None = None
    """A word for it must stand before it."""

    def find(self, text: str, start: int, end: int) -> Iterator[Span]:
        """The places of such numbers in a part of a text."""
        for match in self.pattern.finditer(text, start, end):
            if self.proof is not None and not self.proof(re.sub(r"\W", "", match.group())):
                continue
            if self.said and not self.said.search(text, max(0, match.start() - WORDS_BEFORE), match.start()):
                continue
            yield match.span()


def _numbers(pattern: str, proof: Callable[[str], bool] | None = None, said: re.Pattern[str] | None = None) -> Numbers:
    return Numbers(re.compile(rf"{EDGE}(?:{pattern})(?![0-9A-Za-z_]|[-.,][0-9])", re.ASCII), proof, said)


def e164(digits: str) -> bool:
    """Whether digits are as many as a telephone number has with its country's code (ITU-T E.164: at most 15)."""
    return 8 <= len(digits.removeprefix("00")) <= 15


AREA, EXTENSION = r"[2-9][0-8]\d", r"(?: ?(?:x|ext\.?) ?\d{1,6})?"  # North American Numbering Plan
PHONES = (
    _numbers(rf"(?:\+?(?:00)?1[-. ]{{0,2}})?(?:\({AREA}\)[-. ]{{0,2}}|{AREA}[-. ])[2-9]\d\d[-. ]\d{{4}}{EXTENSION}"),
    _numbers(rf"(?:(?:\+|00)1)?{AREA}[2-9]\d{{6}}", said=SAYS_PHONE),
    _numbers(r"(?:\+86[- ]?|0086[- ]?|86-)?1(?:3\d|4[5-9]|5[0-35-9]|6[2567]|7[0-8]|8\d|9[0-35-9])([- ]?)\d{4}\1\d{4}"),
    _numbers(r"(?:\(0(?:10|2\d|[3-9]\d\d)\) ?|0(?:10|2\d|[3-9]\d\d)[- ])[2-8]\d{2,3}[- ]?\d{4}", said=SAYS_PHONE),
)
ABROAD = re.compile(
    rf"(?<![0-9A-Za-z_.+])(?:\+|\(\+|00(?=[1-9]\d{{0,2}}[ .-])){CODE}(?:{GAP}{{0,3}}+[0-9]){{5,13}}+{EXTENSION}"
    r"(?![0-9A-Za-z_])",
    re.ASCII,
)
CARDS = (
    _numbers(r"\d{13,19}", checksums.card),
    _numbers(r"\d{4}([- ])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?", checksums.card),
    _numbers(r"\d{4}([- ])\d{6}\1\d{4,5}", checksums.card),  # Diners Club, American Express
)
SOCIAL = (
    _numbers(r"\d{3}-\d{2}-\d{4}", checksums.social_security),
    _numbers(r"\d{3} ?\d{2} ?\d{4}", checksums.social_security, SAYS_SOCIAL),
)
RESIDENT = (_numbers(r"[1-8]\d{5}(?:18|19|20)\d{9}[0-9Xx]", checksums.resident),)
IBAN = re.compile(r"[A-Z](?<![0-9A-Za-z][A-Z])[A-Z][0-9]{2}(?:[ -]?[A-Z0-9]){11,30}+")
IP4 = re.compile(r"[0-9](?<![0-9A-Za-z_.-][0-9])[0-9]{0,2}+(?:\.[0-9]{1,3}+){3}(?![0-9A-Za-z_]|\.[0-9])")
IP6 = re.compile(
    r"[23](?<![0-9A-Za-z_:.][23])[0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}+:){0,6}+[0-9A-Fa-f]{0,4}+(?![0-9A-Za-z_:])"
)


def phones(text: str) -> Iterator[Span]:
    """North American, Chinese, and international ones (+ or 00 before the country's code)."""
    for start, end in _dense(text):
        for form in PHONES:
            yield from form.find(text, start, end)
        for match in ABROAD.finditer(text, start, end):
            digits = re.sub(r"\D", "", re.split("[xe]", match.group())[0])
            if e164(digits):
                yield match.span()


def cards(text: str) -> Iterator[Span]:
    """Card numbers of the large issuers."""
    return _proven(text, CARDS)


def social_security_numbers(text: str) -> Iterator[Span]:
    """Social security numbers of the United States."""
    return _proven(text, SOCIAL)


def resident_numbers(text: str) -> Iterator[Span]:
    """Numbers of the Chinese resident identity card."""
    return _proven(text, RESIDENT)


def accounts(text: str) -> Iterator[Span]:
    """International bank account numbers, with or without spaces."""
    for match in IBAN.finditer(text):
        wanted, signs = checksums.IBAN_LENGTHS.get(match.group()[:2], 0), 0
        for place, sign in enumerate(match.group(), match.start()):
            signs += sign.isalnum()
            if signs == wanted and not text[place + 1 : place + 2].isalnum():
                if checksums.iban(re.sub(r"\W", "", text[match.start() : place + 1])):
                    yield match.start(), place + 1
                break


def network_addresses(text: str) -> Iterator[Span]:
    """IP addresses, versions 4 and 6, of the public network; not those of a house or of documentation."""
    if text.count(".") >= 3:
        for match in IP4.finditer(text):
            if _is_public(match.group()) and not NOT_AN_ADDRESS.search(text, max(0, match.start() - 12), match.start()):
                yield match.span()
    if text.count(":") >= 2:
        for match in IP6.finditer(text):
            if _is_public(match.group()):
                yield match.span()


def _proven(text: str, forms: tuple[Numbers, ...]) -> Iterator[Span]:
    for start, end in _dense(text):
        for form in forms:
            yield from form.find(text, start, end)


def _dense(text: str) -> Iterator[Span]:
    """Where digits are close together, with what may belong to them before and after."""
    for match in DENSE.finditer(text):
        yield max(0, match.start() - 3), match.end() + MARGIN


def _is_public(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
        return found.is_global and not found.is_multicast
    except ValueError:
        return False
