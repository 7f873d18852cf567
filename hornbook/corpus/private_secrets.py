"""Secrets and e-mail addresses: keys of services, private key blocks, what a program calls password or token.

Keys whose issuers gave them a known beginning are found wherever they stand. Other keys look like any identifier: they
count where a name before them says what they are and they are too random for a word (entropy of their characters).
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest

from hornbook.corpus.shingles import lower

Span = tuple[int, int]

EMAIL = re.compile(
    r"(?<![A-Za-z0-9.!#$%&'*+/=?^_`{|}~-])[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}+[@\uff20]"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}+)\.){1,6}(?:[A-Za-z]{2,24})(?![A-Za-z0-9])"
)
OPENING = "!#$%&'*+/=?^_`{|}~-."  # allowed in the name of a mailbox (RFC 5322), but at its begin it is the text around
STARTS = (
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}",  # Amazon
    r"AIza[\w-]{35}",  # Google
    r"ya29\.[\w-]{20,200}",
    r"gh[pousr]_[A-Za-z0-9]{36,251}",  # GitHub
    r"github_pat_\w{22,251}",
    r"glpat-[\w-]{20,64}",  # GitLab
    r"sk-(?:proj-|ant-|or-|svcacct-)?[A-Za-z0-9_-]{20,200}",  # OpenAI, Anthropic and those that follow them
    r"hf_[A-Za-z]{34}",  # Hugging Face
    r"xox[abeoprs]-[A-Za-z0-9-]{10,200}",  # Slack
    r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,200}",  # Stripe
    r"SG\.[\w-]{16,32}\.[\w-]{16,64}",  # SendGrid
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-[\w-]{50,250}",
    r"dop_v1_[a-f0-9]{64}",  # DigitalOcean
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",  # Shopify
    r"LTAI[A-Za-z0-9]{12,24}",  # Alibaba Cloud
    r"AKID[A-Za-z0-9]{32}",  # Tencent Cloud
    r"eyJ[\w-]{10,1000}\.eyJ[\w-]{10,2000}\.[\w-]{10,1000}",  # JSON web tokens
)
KEY_STARTS = ("AKIA", "ASIA", "ABIA", "ACCA", "AIza", "ya29.", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "sk_", "rk_", "hf_", "xox", "SG.", "npm_", "pypi-", "dop_", "shp", "LTAI", "AKID", "eyJ")  # fmt: skip  # noqa: E501  # one table
KEY = re.compile(rf"(?<![A-Za-z0-9_-])(?:{'|'.join(STARTS)})(?![A-Za-z0-9_-])")
NAMES = ("key", "secret", "token", "password", "passwd", "密钥", "密码", "令牌")
WHICH_KEY = re.compile(r"(?:api|access|secret|auth|private|client|app)[_ -]?$")  # a key alone may be a column's
WHICH_KEY_CHARACTERS = 8
VALUE = re.compile(r"[\"'\u201d]?\s{0,3}+(?:[:=\uff1a]|=>|is|是|为)\s{0,3}+[\"'\u201c]?([A-Za-z0-9+/_=.~-]{16,256}+)")
RANDOM = 3.5  # bits a character: words joined by underscores have about 3.2, 32 signs of base64 above 4.2
RANDOM_HEX = 2.9  # 16 signs of 16 have 3.1 on average, 32 have 3.5; no word is written in them with digits
HEX = re.compile(r"[0-9a-fA-F-]+")
BLOCK = re.compile(r"-----(BEGIN|END) (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
BLOCK_CHARACTERS = 20_000  # an RSA key of 16,384 bits has 12,700
BODY = re.compile(r"(?:\s{0,4}+[A-Za-z0-9+/=]{16,})*+")


def emails(text: str) -> Iterator[Span]:
    """E-mail addresses."""
    if "@" in text or "\uff20" in text:
        for match in EMAIL.finditer(text):
            start = match.end() - len(match.group().lstrip(OPENING))
            if text[start] not in "@\uff20":
                yield start, match.end()


def api_keys(text: str) -> Iterator[Span]:
    """Keys of services by their beginning; others by the name before them and their randomness."""
    if any(start in text for start in KEY_STARTS):
        for match in KEY.finditer(text):
            if any(character.isdigit() for character in match.group()) or match.group().startswith("hf_"):
                yield match.span()
    end = 0
    for name_end in sorted(_named(lower(text))):
        value = VALUE.match(text, name_end) if name_end > end else None
        end = value.end() if value else end  # a value is read once, whatever names are in it
        if value and is_random(value.group(1)):
            yield value.span(1)


def _named(text: str) -> Iterator[int]:
    """Where in a text in lower case the names of secrets end."""
    for name in NAMES:
        place = text.find(name)
        while place >= 0:
            if name != "key" or WHICH_KEY.search(text[max(0, place - WHICH_KEY_CHARACTERS) : place]):
                yield place + len(name)
            place = text.find(name, place + 1)


def is_random(value: str) -> bool:
    """Whether a value has letters and two digits or more, and is too mixed to be words.

    >>> is_random("9f86d081884c7d659a2feaa0c55ad015"), is_random("get_access_token_from_request2")
    (True, False)
    """
    digits = sum(character.isdigit() for character in value)
    return digits >= 2 and digits < len(value) and entropy(value) >= (RANDOM_HEX if HEX.fullmatch(value) else RANDOM)


def entropy(value: str) -> float:
    """Bits a character, by how often each occurs in the value itself (Shannon).

    >>> entropy("aabb"), entropy("abcdefgh")
    (1.0, 3.0)
    """
    return sum(count / len(value) * math.log2(len(value) / count) for count in Counter(value).values())


def private_keys(text: str) -> Iterator[Span]:
    """Private key blocks from begin to end; of one that is cut off, the lines that are there."""
    if "PRIVATE KEY" not in text:
        return
    marks = list(BLOCK.finditer(text))
    for mark, following in zip_longest(marks, marks[1:]):
        if mark[1] == "END":
            continue
        if following and following[1] == "END" and following.end() - mark.start() <= BLOCK_CHARACTERS:
            yield mark.start(), following.end()
        else:
            body = BODY.match(text, mark.end())
            yield mark.start(), body.end() if body else mark.end()
