"""Privacy: what says who somebody is, or opens a door, is replaced by the name of its kind.

`Write to ann@example.org` becomes `Write to <EMAIL>`: a model learns where such things stand and not whose they are.
Every expression takes time in proportion to the text, whatever the text. Names and places take a language model: see
private_names.py.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

from hornbook.corpus import private_numbers, private_secrets
from hornbook.corpus.document import Document, Result, Step
from hornbook.corpus.private_numbers import Finder

Kind = Literal["private_key", "api_key", "email", "iban", "card", "resident_id", "ssn", "ip", "phone"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FINDERS: dict[Kind, Finder] = {
    "private_key": private_secrets.private_keys,
    "api_key": private_secrets.api_keys,
    "email": private_secrets.emails,
    "iban": private_numbers.accounts,
    "card": private_numbers.cards,
    "resident_id": private_numbers.resident_numbers,
    "ssn": private_numbers.social_security_numbers,
    "ip": private_numbers.network_addresses,
    "phone": private_numbers.phones,
}
"""The surest first: where two overlap, the first names both."""
REASONS: dict[Kind, str] = {
    "private_key": "private key", "api_key": "API key", "email": "e-mail address", "iban": "bank account number",
    "card": "card number", "resident_id": "Chinese resident number", "ssn": "US social security number",
    "ip": "public IP address", "phone": "phone number",
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A private thing in a text."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class PrivateData:
    """Replaces private data by placeholders."""

    name: ClassVar[str] = "private data"
    kinds: tuple[Kind, ...] = KINDS
    """Which are looked for."""
    placeholder: str = "<{kind}>"
    """What stands in the place; `{kind}` becomes EMAIL, PHONE, CARD, ... ."""

    def __post_init__(self) -> None:
        if not self.kinds:
            raise ValueError("kinds: an empty list looks for nothing; name some, or leave the step out")

    def build(self) -> Step:
        return self

    def __call__(self, documents: list[Document]) -> Result:
        """Keep every document; those that had private data are changed, with a reason for every kind."""
        result = Result([])
        for document in documents:
            found = find(document.text, self.kinds)
            if found:
                had = {each.kind for each in found}
                result.changed.extend((document, REASONS[kind]) for kind in KINDS if kind in had)
                document = replace(document, text=redact(document.text, found, self.placeholder))
            result.kept.append(document)
        return result


def find(text: str, kinds: tuple[Kind, ...] = KINDS) -> list[Found]:
    """What is private in a text, in order, nothing overlapping.

    >>> find("mail ann@example.org, ssn 514-14-8905")
    [Found(start=5, end=20, kind='email'), Found(start=26, end=37, kind='ssn')]
    """
    spans = sorted((start, KINDS.index(kind), end) for kind in kinds for start, end in FINDERS[kind](text))
    found: list[Found] = []
    for start, place, end in spans:
        if found and start < found[-1].end:
            before = found.pop()
            kind = KINDS[min(place, KINDS.index(before.kind))]
            found.append(Found(before.start, max(end, before.end), kind))
        else:
            found.append(Found(start, end, KINDS[place]))
    return found


def redact(text: str, found: list[Found], placeholder: str) -> str:
    """A text with placeholders.

    >>> redact("mail ann@example.org!", find("mail ann@example.org!"), "[{kind}]")
    'mail [EMAIL]!'
    """
    parts, end = [], 0
    for each in found:
        parts += [text[end : each.start], placeholder.replace("{kind}", each.kind.upper())]
        end = each.end
    return "".join([*parts, text[end:]])
