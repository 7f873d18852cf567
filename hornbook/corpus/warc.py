"""Web archives as documents: WARC (ISO 28500), WET and the older ARC, plain or packed record by record.

A response is what a server sent, a resource a page without the server's words around it, a conversion (WET) the text of
a page. Requests, metadata (WAT), visits that found nothing new, and answers other than 200 are no documents.
"""

import re
from collections.abc import Iterator

from hornbook.corpus import html, http
from hornbook.corpus.document import Document
from hornbook.corpus.iso639 import two_letters
from hornbook.corpus.ledger import Ledger, NoText
from hornbook.corpus.records import Format, Record, records
from hornbook.corpus.sources import File

ENDINGS = (".warc", ".wet", ".wat", ".arc")
KINDS = ("response", "resource", "conversion")
UNSAID = ("", "application/octet-stream", "unknown/unknown", "unk")
GROUPS = frozenset({"application", "audio", "font", "image", "message", "model", "text", "video"})
LANGUAGES = "warc-identified-content-language"


def documents(file: File, kind: str, ledger: Ledger) -> Iterator[Document]:
    """A document for every page of an archive; `kind` is the ending of its name."""
    form, bad, found = ARC if kind == ".arc" else WARC, ledger.bad, False
    for record in records(file.path, form, lambda place, why: ledger.fault(f"{file.path}:{place}", why)):
        if record.headers.get("warc-type", "").lower() in KINDS:
            found = True
            try:
                yield _page(record, file)
            except NoText as error:
                ledger.skip(error.why)
            except ValueError as error:
                ledger.fault(f"{file.path}:{record.place}", f"{error}; the record is left out")
    if not found and ledger.bad == bad:
        raise NoText(str(file.path), "archive without a page" if file.path.stat().st_size else "empty file")


def _page(record: Record, file: File) -> Document:
    """The page of a record; NoText where it is none, ValueError where it cannot be read."""
    headers, body, charset = record.headers, record.body, None
    kind, charset = http.media_type(headers.get("content-type", ""))
    if kind == "application/http":
        answer = http.parse(body)
        if answer.status != 200:
            raise NoText(record.place, "an answer other than 200, a page that is not there")
        body, kind, charset = answer.body, answer.kind, answer.charset
        if kind in UNSAID:
            kind = headers.get("warc-identified-payload-type", "").lower()
    if not body.strip():
        raise NoText(record.place, "empty record")
    if kind in UNSAID and html.looks_like_a_page(body):
        kind = html.PAGES[0]
    if kind not in (*html.PAGES, html.PLAIN):
        group = kind.partition("/")[0]  # few different words, whatever servers make up
        raise NoText(record.place, f"not a page ({group if group in GROUPS else 'of no known kind'})")
    url = headers.get("warc-target-uri", "").strip("<>") or None
    language = two_letters(headers.get(LANGUAGES, "").partition(",")[0])  # the first has the largest share
    place = Document(f"{file.id}:{record.place}", "", file.source, url, language)
    return html.page(body, place, kind, charset)


def _warc_head(head: bytes) -> dict[str, str]:
    if not head:
        raise ValueError("no WARC record begins here")
    return http.headers(head.split(b"\n")[1:])


def _arc_head(head: bytes) -> dict[str, str]:
    """As a WARC would say it. ARC: `URL IP date type length`, then the answer of the server."""
    if not head:
        raise ValueError("no ARC record begins here")
    url, *_, kind, length = head.decode("utf-8", "replace").split()
    page = url.startswith(("http://", "https://"))
    return {
        "warc-type": "response" if page else "warcinfo",
        "warc-target-uri": url,
        "warc-identified-payload-type": kind,
        "content-type": "application/http",
        "content-length": length,
    }


WARC = Format(
    "WARC",
    start=re.compile(rb"\nWARC/\d\.\d\d?\r?\n"),
    head_end=re.compile(rb"\r?\n\r?\n"),
    headers=_warc_head,
)
ARC = Format(
    "ARC",
    start=re.compile(rb"\n(?:https?|ftp|dns|filedesc|news):\S{1,4000} \S+ \d{14} [^\n]{1,300} \d+\r?\n"),
    head_end=re.compile(rb"\n"),
    headers=_arc_head,
)
