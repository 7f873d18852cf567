"""The main text of web pages: what a reader came for, without menus, sidebars, comments and footers.

Trafilatura (Barbaresi 2021), as RefinedWeb and FineWeb use it, or resiliparse (Bevendorff et al. 2018), as DCLM does:
8 times as fast, and it leaves more of the page's frame in. Documents that are not pages pass untouched. Pages of more
tags than any text has, or nested deeper than any, are dropped unread: both libraries need time or memory out of all
proportion for them.
"""

import html as entities
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from hornbook.core.errors import UserError
from hornbook.corpus.clean import LONE_SURROGATE
from hornbook.corpus.document import Document, Result, Step
from hornbook.corpus.html import FORMAT, is_page

MOST_TAGS = 100_000  # trafilatura needs about 50 microseconds for each
DEEPEST = 3_000  # time grows with the square: at 100,000 resiliparse needs minutes
TITLE_CHARACTERS = 300
TAG = re.compile(r"<[a-zA-Z!/?]")
# Those that only their own end closes; an unclosed <p> or <li> is closed by the next.
NESTING = re.compile(
    r"<(/?)(?:div|span|section|article|main|aside|header|footer|nav|table|ul|ol|dl|font|b|i|u|em|strong|small|big|center"
    r"|blockquote|a|form|fieldset|label|pre|code|svg|g|object|ins|del|sub|sup|s|q|tt|details|figure)\b",
    re.IGNORECASE,
)
TITLE = re.compile(r"<title\b[^>]{0,300}>([^<]*)<", re.IGNORECASE)
Texts = Callable[[str], str | None]
"""From a page to its main text."""


@dataclass(frozen=True, kw_only=True)
class Trafilatura:
    """The careful one."""

    precision: bool = True
    """Rather leave out what may not belong to the text: FineWeb's setting. False: the library's own balance."""

    def build(self) -> Texts:
        """Ready to use; UserError where the library is not installed."""
        try:
            import trafilatura
        except ImportError:
            raise _missing("trafilatura") from None
        logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # the ledger says which pages gave no text

        def text(page: str) -> str | None:
            found: str | None = trafilatura.extract(page, include_comments=False, favor_precision=self.precision)
            return found

        return text


@dataclass(frozen=True, kw_only=True)
class Resiliparse:
    """The fast one."""

    def build(self) -> Texts:
        """Ready to use; UserError where the library is not installed."""
        try:
            from resiliparse.extract.html2text import extract_plain_text
        except ImportError:
            raise _missing("resiliparse") from None
        return lambda page: extract_plain_text(page, main_content=True, alt_texts=False, preserve_formatting=True)


@dataclass(frozen=True, kw_only=True)
class Extract:
    """Turns pages into their main text; the title of a page goes to the document's metadata."""

    name: ClassVar[str] = "extract"
    extractor: Trafilatura | Resiliparse = field(default_factory=Trafilatura)

    def build(self) -> Step:
        return Extractor(self.extractor.build())


@dataclass(frozen=True)
class Extractor:
    """The step at work."""

    texts: Texts
    name: ClassVar[str] = Extract.name

    def __call__(self, documents: list[Document]) -> Result:
        """Keep the pages that have a text, and all that are no pages."""
        result = Result([])
        for document in documents:
            if not is_page(document):
                result.kept.append(document)
                continue
            reason = unfit(document.text)
            text = None if reason else self.texts(LONE_SURROGATE.sub("\ufffd", document.text))
            if text is None or not text.strip():
                result.dropped.append((document, reason or "no main text"))
                continue
            result.changed.append((document, "main text taken out of its page"))
            result.kept.append(replace(document, text=text, metadata=_metadata(document)))
        return result


def unfit(page: str) -> str | None:
    """Why a page is not read, None where it is.

    >>> unfit("<p>text"), unfit('{"a": 1}'), unfit("<div>" * 5_000 + "text")
    (None, 'not HTML', 'nested too deep')
    """
    tags = page.count("<")
    if tags <= DEEPEST:
        return None if TAG.search(page) else "not HTML"
    if tags > MOST_TAGS:
        return "too many tags"
    depth = deepest = 0
    for end in NESTING.findall(page):
        depth = max(depth - 1, 0) if end else depth + 1
        deepest = max(deepest, depth)
    return "nested too deep" if deepest > DEEPEST else None


def title(page: str) -> str | None:
    """What a page says its title is.

    >>> title("<html><title>Salt &amp;\\n pepper</title>")
    'Salt & pepper'
    """
    found = TITLE.search(page)
    words = " ".join(entities.unescape(found[1]).split()) if found else ""
    return words[:TITLE_CHARACTERS] or None


def _metadata(document: Document) -> dict[str, str]:
    kept = {key: value for key, value in document.metadata.items() if key != FORMAT}
    found = title(document.text)
    return {**kept, "title": found} if found else kept


def _missing(name: str) -> UserError:
    return UserError(f"extract: {name} is not installed; pip install 'hornbook[web]'")
