"""The encoding of a web page: what it is, then what was said, then what it looks like.

A byte order mark decides, then valid UTF-8 (nothing else is that by chance), then the HTTP header and the page's own
`<meta charset>` where the bytes agree, then a detector. Names mean what they mean to browsers (WHATWG Encoding):
`gb2312` is GB18030, `iso-8859-1` is windows-1252. Text files are read by stricter rules (plain.py).
"""

import codecs
import re
from collections.abc import Iterator

MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
META_BYTES = 4_096  # where a page says its encoding; the standard asks for 1,024, many need more
DETECT_BYTES = 1 << 16  # of text, that the detector sees
LOST_SHARE = 0.02  # of what is beyond ASCII may be damaged before the encoding is taken for another

META = re.compile(rb"""<meta[^>]+?charset\s*=\s*["']?\s*([\w:.-]+)""", re.IGNORECASE)
XML = re.compile(rb"""^\s*<\?xml[^>]+?encoding\s*=\s*["']([\w:.-]+)""", re.IGNORECASE)
MARKUP = re.compile(rb"<[^<>]*>")
CONTROLS = re.compile(rb"[\x80-\x9f]")

# The detector's word, where Windows has more in the same place: bytes that ISO leaves to control characters decide.
WINDOWS = {"iso8859-7": "cp1253", "iso8859-13": "cp1257"}
# Python's codec (by its own name for it) -> the one that browsers use, a superset of it.
WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "cp950": "big5hkscs",
    "shift_jis": "cp932", "euc_kr": "cp949",
}  # fmt: skip
ALIASES = {
    "x-gbk": "gbk", "gb_2312-80": "gbk", "x-x-big5": "big5", "cn-big5": "big5", "x-sjis": "cp932",
    "windows-31j": "cp932", "x-euc-jp": "euc_jp", "windows-949": "cp949", "ks_c_5601-1987": "cp949",
    "windows-874": "cp874", "iso-8859-8-i": "iso8859-8", "x-cp1251": "cp1251", "x-cp1252": "cp1252",
    "x-mac-cyrillic": "mac_cyrillic", "utf8": "utf-8",
}  # fmt: skip
KNOWN = frozenset(
    ["utf-8", "cp866", "cp874", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic"]
    + ["gb18030", "hz", "big5hkscs", "euc_jp", "cp932", "iso2022_jp", "cp949", "johab"]
    + [f"cp{number}" for number in range(1250, 1259)]
    + [f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)]
)


def decode(data: bytes, header: str | None = None) -> tuple[str, str]:
    """The text of a page and the encoding it was in; `header` is the charset that HTTP gave.

    Raises ValueError where the bytes are no text in any encoding that fits.

    >>> decode("<p>é".encode()), decode("<meta charset=gb2312>論語".encode("gbk"))
    (('<p>é', 'utf-8'), ('<meta charset=gb2312>論語', 'gb18030'))
    """
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, "replace"), encoding.removesuffix("-sig")
    escapes = b"\x1b$" in data or b"~{" in data  # ISO-2022-JP and HZ are written in ASCII bytes
    if not (escapes and data.isascii()) and (text := _utf_8(data)) is not None:
        return text, "utf-8"
    if data.count(b"\0") > len(data) // 100:
        raise ValueError("binary data, not a page")
    said = list(dict.fromkeys(_said(data, header)))
    for encoding in said:
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    for encoding in [*said, *([] if data.isascii() else ["utf-8"])]:
        if (text := _mostly(data, encoding)) is not None:
            return text, encoding
    found = _detected(data)
    text = _mostly(data, found) if found else None
    if found is None or text is None:
        raise ValueError("neither UTF-8 nor in the encoding it names, nor in one that could be recognised")
    return text, found


def codec(label: str) -> str | None:
    """Python's codec for an encoding as the web names it, None where there is no such encoding.

    >>> codec("ISO-8859-1"), codec("gb2312"), codec("base64")
    ('cp1252', 'gb18030', None)
    """
    label = label.strip().lower()
    if label.startswith("utf-16"):
        return None  # without a byte order mark, what can say so in ASCII is not UTF-16
    try:
        name = codecs.lookup(ALIASES.get(label, label)).name
    except (LookupError, ValueError):
        return None
    name = WIDER.get(name, name)
    return name if name in KNOWN else None


def _said(data: bytes, header: str | None) -> Iterator[str]:
    head = data[:META_BYTES]
    found = [header, *(match[1].decode("ascii", "replace") for match in (META.search(head), XML.search(head)) if match)]
    yield from (encoding for label in found if label and (encoding := codec(label)))


def _utf_8(data: bytes) -> str | None:
    """The text, where it is UTF-8 that may be cut at the end, inside a character."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        whole = error.start if len(data) - error.start < 4 and "end of data" in error.reason else 0
        return data[:whole].decode() if whole else None


def _mostly(data: bytes, encoding: str) -> str | None:
    """The text with what is damaged in it replaced, if that is little."""
    text = data.decode(encoding, "replace")
    beyond = sum(character > "\x7f" for character in text)
    return text if text.count("\ufffd") <= LOST_SHARE * beyond else None


def _detected(data: bytes) -> str | None:
    """What the text between the tags looks like."""
    try:
        from resiliparse.parse.encoding import detect_encoding
    except ImportError:
        raise ValueError("not UTF-8 and names no encoding; pip install 'hornbook[web]' to have it recognised") from None
    text = b" ".join(MARKUP.sub(b" ", data[: 16 * DETECT_BYTES]).split())[:DETECT_BYTES]
    found = detect_encoding(text, max_len=DETECT_BYTES, html5_compatible=False)
    encoding = codec(found) if found else None
    return WINDOWS.get(encoding, encoding) if encoding and CONTROLS.search(text) else encoding
