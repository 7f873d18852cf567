"""Web pages as documents: decoded, with their markup, which the step `extract` turns into text.

Markup is kept at reading, so that a recipe says how the text is found in it, and one that wants HTML can have it. What
is no page (pictures, styles, answers of other kinds) is counted by its kind and left out.
"""

import re
from typing import BinaryIO

from hornbook.corpus.document import Document
from hornbook.corpus.encoding import decode
from hornbook.corpus.ledger import BadFile, NoText
from hornbook.corpus.sources import File

PAGE_BYTES = 16_000_000  # a longer page is data; Common Crawl cuts at 1 MB
ENDINGS = (".html", ".htm", ".xhtml")
PAGES = ("text/html", "application/xhtml+xml")
PLAIN = "text/plain"
START = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^>]*-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
START_BYTES = 1_024
FORMAT = "format"  # in a document's metadata, with this value where its text is a page
HTML = "html"


def whole(stream: BinaryIO, file: File) -> Document:
    """The page that a file holds."""
    data = stream.read(PAGE_BYTES + 1)
    if not data.strip():
        raise NoText(str(file.path), "empty file")
    try:
        return page(data, Document(file.id, "", file.source))
    except ValueError as error:
        raise BadFile(str(file.path), f"{error}; replace or delete the file") from None


def page(data: bytes, document: Document, kind: str = PAGES[0], charset: str | None = None) -> Document:
    """The document with a page of this kind as its text; ValueError where it is none that can be read."""
    if len(data) > PAGE_BYTES:
        raise ValueError(f"a page of over {PAGE_BYTES} bytes")
    text, encoding = decode(data, charset)
    metadata = dict(document.metadata) if encoding == "utf-8" else {**document.metadata, "encoding": encoding}
    if kind in PAGES:
        metadata[FORMAT] = HTML
    return Document(document.id, text, document.source, document.url, document.language, metadata)


def is_page(document: Document) -> bool:
    """Whether a document's text is a page: a reader has said so, or it begins like one."""
    return document.metadata.get(FORMAT) == HTML or START.match(document.text[:START_BYTES]) is not None


def looks_like_a_page(data: bytes) -> bool:
    """The same of bytes of which nobody has said what they are."""
    return START.match(data[:START_BYTES].decode("latin-1").lstrip("ï»¿")) is not None
