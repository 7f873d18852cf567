"""Text files: which encoding, and in pieces where they are long.

UTF-8 (with or without a byte order mark) or UTF-16 with one; GB18030 where UTF-8 fails and what comes out is plainly
Chinese. Nothing else is guessed: a wrong guess teaches a model garbage without a word.
"""

import codecs
import io
from collections import Counter
from collections.abc import Callable, Iterator
from typing import BinaryIO

from hornbook.corpus.document import Document
from hornbook.corpus.ledger import BadFile, Ledger, NoText
from hornbook.corpus.sources import File

PIECE = 4_000_000  # characters; a longer file becomes several documents, cut at the end of a line
PEEK = 1 << 16  # bytes that decide whether a file is text
BLOCK = 1 << 20
Opener = Callable[[], BinaryIO]

BINARY_STARTS = (b"%PDF-", b"\x89PNG", b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\x7fELF")
BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

# The commonest characters of modern and classical Chinese, in both scripts, and the punctuation. They are a
# third and more of any Chinese text; other East Asian encodings read as GB18030 give a few per cent.
COMMON_CHINESE = frozenset(
    "的一是不了在人有我他这这個个们们來来到时時大地为為子中你说說生国國年着就那和要她出也得里裡后後自以会會家可下而过過天去能对對小多"
    "然于於心学學么麼之都好看起发發当當没沒成只如事把还還用第样樣道想作种種开開美乎者其曰也矣焉何所無无與与，。、：；「」“”"  # noqa: RUF001  # Chinese punctuation is meant
)
CHINESE_SHARE = 0.1


def pieces(open_file: Opener, file: File, ledger: Ledger) -> Iterator[Document]:
    """The text of a file as one document, or as several named `path#1`, `path#2`, ... where it is long."""
    encoding = _encoding(open_file, file)
    if encoding != "utf-8-sig":
        ledger.note(str(file.path), f"read as {encoding.upper()}")
    number = 0
    with io.TextIOWrapper(open_file(), encoding=encoding, newline="") as text:
        while piece := text.read(PIECE):
            if len(piece) == PIECE:
                piece += text.readline(PIECE)
            number += 1
            whole = number == 1 and len(piece) < PIECE
            yield Document(file.id if whole else f"{file.id}#{number}", piece, file.source)
    if number == 0:
        yield Document(file.id, "", file.source)


def _encoding(open_file: Opener, file: File) -> str:
    """The encoding in which the whole file can be read; the file is opened anew for each that is tried."""
    with open_file() as stream:
        head = stream.read(PEEK)
    bom = BOMS.get(head[:2])
    if (b"\0" in head and not bom) or head.startswith(BINARY_STARTS):
        raise NoText(str(file.path), "binary file: no text to read")
    first = bom or "utf-8-sig"
    _, fault = _decode(open_file, first)
    if fault is None:
        return first
    if bom:
        raise BadFile(f"{file.path}:{fault}", "starts as UTF-16 but is not; save the file as UTF-8")
    sample, other = _decode(open_file, "gb18030")
    if other is None and is_chinese(sample):
        return "gb18030"
    raise BadFile(f"{file.path}:{fault}", "not UTF-8 text, nor Chinese in GB18030; save the file as UTF-8")


def _decode(open_file: Opener, encoding: str) -> tuple[str, int | None]:
    """The characters beyond ASCII at the start of a file, and the line where decoding fails (None: nowhere)."""
    decoder = codecs.getincrementaldecoder(encoding)()
    sample, line = "", 1
    with open_file() as stream:
        while True:
            block = stream.read(BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return sample, line + error.object[: error.start].count(b"\n")
            if len(sample) < PEEK and not text.isascii():
                sample += "".join(character for character in text[:PEEK] if ord(character) > 127)
            line += block.count(b"\n")
            if not block:
                return sample, None


def is_chinese(characters: str) -> bool:
    """Whether characters beyond ASCII look like Chinese and not like another encoding read wrongly.

    >>> is_chinese("學而時習之"), is_chinese("r閟um閟".replace("rum", ""))
    (True, False)
    """
    counts = Counter(characters)
    common = sum(count for character, count in counts.items() if character in COMMON_CHINESE)
    return common >= CHINESE_SHARE * max(len(characters), 1)
