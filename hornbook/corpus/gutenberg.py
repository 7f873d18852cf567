"""Books of Project Gutenberg without the licence before and after them, which 70,000 books have word for word.

The header names title, author and language: they go to the document's metadata. Marks of all periods are known: `***
START OF THE PROJECT GUTENBERG EBOOK`, the small print of the nineties, `End of the Project Gutenberg Etext of`. What is
no such book passes untouched. Left in: notes of transcribers inside a book.
"""

import re
from dataclasses import dataclass, replace
from typing import ClassVar

from hornbook.corpus.document import Document, Result, Step

HEAD_CHARACTERS = 40_000  # the small print of old books is 15,000 characters long
TAIL_CHARACTERS = 60_000  # the licence at the end is 19,000
CREDITS_CHARACTERS = 1_000
NAME = r"project\s+gutenberg"
TITLE_END = r"(?:[^\n*]*(?:\n[^\n*]+){0,3}\*{3})?"  # a long title goes on in the next lines
START = re.compile(rf"^[ \t]*\*\*\*?[ \t]*start\s+of\s+(?:this|the)\s+{NAME}{TITLE_END}", re.I | re.M)
SMALL_PRINT = re.compile(r"^[^\n]*\*end[ \t]?\*?[ \t]*the small print[^\n]*$", re.I | re.M)
END = re.compile(
    rf"^[ \t]*\*\*\*?[ \t]*end\s+of\s+(?:this|the)\s+{NAME}"
    rf"|^[ \t]{{0,40}}\*{{0,9}}[ \t]{{0,9}}(?:this is the )?end\s+of\s+(?:the\s+|this\s+)?{NAME}(?:'|’)?s?\b",  # noqa: RUF001  # books have both
    re.I | re.M,
)
CREDITS = re.compile(r"(?:e-?text |this e(?:book|text) was )?(?:prepared|produced|scanned|transcribed)\s+by\b", re.I)
FIELDS = re.compile(r"^(title|author|language):[ \t]*(\S[^\n]*)", re.I | re.M)


@dataclass(frozen=True, kw_only=True)
class Gutenberg:
    """Takes header and footer off the books of Project Gutenberg."""

    name: ClassVar[str] = "gutenberg"

    def build(self) -> Step:
        return self

    def __call__(self, documents: list[Document]) -> Result:
        """Keep every document that has more than a licence."""
        result = Result([])
        for document in documents:
            text, said = body(document.text)
            if text == document.text:
                result.kept.append(document)
            elif not text.strip():
                result.dropped.append((document, "nothing but the licence"))
            else:
                result.changed.append((document, "header and footer of Project Gutenberg"))
                result.kept.append(replace(document, text=text, metadata={**document.metadata, **said}))
        return result


def body(text: str) -> tuple[str, dict[str, str]]:
    """A book without its header and footer, and what the header says of it.

    >>> body("Title: Emma\\n*** START OF THE PROJECT GUTENBERG EBOOK EMMA ***\\n\\nEmma Woodhouse\\n")
    ('Emma Woodhouse\\n', {'title': 'Emma'})
    """
    head = text[:HEAD_CHARACTERS]
    start = _start(head)
    tail = max(start, len(text) - TAIL_CHARACTERS)
    end = END.search(text, tail)
    if not start and not end:
        return text, {}
    said = {name.lower(): value.strip() for name, value in FIELDS.findall(head[:start])}
    kept = text[start : end.start() if end else len(text)]
    return _without_credits(kept) if start else kept.rstrip() + "\n", said


def _start(head: str) -> int:
    """Where the book begins: behind the last mark, and behind the line in which it stands."""
    marks = [match.end() for pattern in (START, SMALL_PRINT) for match in pattern.finditer(head)]
    if not marks:
        return 0
    line_end = head.find("\n", max(marks))
    return len(head) if line_end < 0 else line_end + 1


def _without_credits(book: str) -> str:
    """Less the paragraph that names those who typed it, where it is the first one."""
    book = book.strip()
    if CREDITS.match(book):
        paragraph, _, rest = book.partition("\n\n")
        if len(paragraph) > CREDITS_CHARACTERS:  # a file without empty lines: the credits are one line
            rest = book.partition("\n")[2]
        book = rest.strip()
    return book + "\n" if book else ""
