"""Words, as every rule of this folder counts them: `words("Don't say 10km!")` are Do, n't, say, 10, km and `!`.

English as the Penn Treebank cuts it and spaCy after it (the published filters were run on spaCy's words): what stands
between two spaces loses signs at both ends, then its contraction, then is cut at inner hyphens and slashes. The same
rules serve every script that writes spaces. A script that does not (Han, kana, Thai, Lao, Khmer, Burmese) is counted in
characters, CHARACTERS_PER_WORD of them for a word; word breaking by dictionary is left out. What stands between two
spaces is looked up if it was cut before, so a text costs little more than `str.split`.
"""

# ruff: noqa: RUF001, RUF002 - the signs of every script, some of which look like others

import re
import sys
from collections.abc import Iterable
from itertools import chain

import regex

from hornbook.corpus.contractions import KNOWN, LONGEST_KNOWN

CHARACTERS_PER_WORD = 1.5
"""Of running Chinese: the Penn Chinese Treebank 5 has 1.63. Thai has more, so that rules are milder for it."""
LONG = 10_000  # what is longer and has no space is no prose: it is cut by one plain expression
REMEMBERED = 24  # longest piece that is remembered, and
PIECES = 1 << 17  # how many are, before all are forgotten: 30 MB

SIGNS = r"…,:;!?¿؟¡()\[\]{}<>_#*&。？！，、；：～·।،۔؛٪" + "'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧"
LOWER, UPPER = r"\p{Ll}\p{Lo}", r"\p{Lu}\p{Lo}"  # a letter without case is both
UNITS = (
    "km² km³ km m² m³ m dm cm² cm³ cm mm² mm³ mm ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph hPa Pa mbar mb"
)
UNITS += " MB kb KB gb GB tb TB T G M K % км м см мм нм кг г мг"
OPENING = regex.compile(rf"\.\.+|US\$|[CA]\$|\+(?![0-9])|[{SIGNS}§%=—–\p{{Sc}}\p{{So}}]")
CLOSING = regex.compile(
    rf"(?:['’][sS]|[{SIGNS}—–\p{{So}}]|(?<=[0-9])(?:[+\p{{Sc}}]|{'|'.join(UNITS.split())})"
    rf"|(?<=[0-9{LOWER}%²\-+{SIGNS}])\.|(?<=[{UPPER}][{UPPER}])\.)$"
)
CLOSING_CHARACTERS = 5  # enough for the longest of them
INNER = regex.compile(
    rf"\.\.+|…|\p{{So}}|(?<=[0-9])[-+*^](?=[0-9-])|(?<=[{LOWER}'\"”“`‘´’])\.(?=[{UPPER}'\"”“`‘´’])"
    r"|(?<=\p{L}),(?=\p{L})|(?<=[\p{L}0-9])(?:-{1,3}|–|——?|~|[:<>=/])(?=\p{L})"
)
URL = regex.compile(
    r"(?:[\w+.-]{2,}+://)?(?:[^\s@]++@)?(?:[a-zA-Z0-9\u00a1-\uffff][-\w]*+\.)++"
    rf"[{LOWER}]{{2,63}}+(?::\d{{2,5}})?(?:[/?#]\S*)?"
)
PLAIN = regex.compile(r"\w+|[^\w\s]+")
_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
MAYBE_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u2e80-\uabff\uf900-\uffef\U000116d0-\U000116ff\U00016f00-\U0003ffff]"
)
"""Where those scripts lie, roughly: a first look that takes a tenth of the time."""
UNSPACED = regex.compile(rf"[[{_SCRIPTS}]--\p{{M}}]\p{{M}}*+", regex.V1)
RUNS = regex.compile(rf"[[{_SCRIPTS}]--\p{{M}}]\p{{M}}*+|(?:[^{_SCRIPTS}]|\p{{M}})++", regex.V1)
SPACED = regex.compile(rf"[\p{{L}}--[{_SCRIPTS}]][\w'’-]*+", regex.V1)
TERMINAL = frozenset(regex.findall(r"\p{Sentence_Terminal}", "".join(map(chr, range(sys.maxunicode + 1)))))
"""The signs that end a sentence in any script; Unicode keeps the list."""
PUNCTUATION = regex.compile(r"\p{P}+")


def words(text: str) -> list[str]:
    """The words of a text in order, signs among them; characters of scripts without spaces.

    >>> words('He said: "I cannot pay $5.50 (U.S.)!"')
    ['He', 'said', ':', '"', 'I', 'can', 'not', 'pay', '$', '5.50', '(', 'U.S.', ')', '!', '"']
    >>> words("well-known v2.0, 論語。学GPT-2")
    ['well', '-', 'known', 'v2.0', ',', '論', '語', '。', '学', 'GPT-2']
    """
    return list(chain.from_iterable(map(_PIECES.__getitem__, text.split())))


def unspaced(text: str) -> bool:
    """Whether a text is to be measured in characters: it has more unspaced characters than spaced words.

    >>> unspaced("子曰：學而時習之。 GPT-2"), unspaced("the word 道 means way")
    (True, False)
    """
    if text.isascii() or not MAYBE_UNSPACED.search(text):
        return False
    return len(UNSPACED.findall(text)) > len(SPACED.findall(text))


def sentences(cut: Iterable[str], most: int) -> int:
    """How many sentences some words make; counted up to `most`. A sign after an end belongs to the sentence before.

    >>> sentences(words('"Is it?" he asked. Yes...'), 9)
    3
    """
    count, ended = 0, True
    for word in cut:
        if word in TERMINAL:
            ended = True
            count = count or 1
        elif ended and (not count or not PUNCTUATION.fullmatch(word)):
            count, ended = count + 1, False
            if count >= most:
                break
    return count


class _Pieces(dict[str, tuple[str, ...]]):
    """What stood between two spaces -> its words; the short ones are remembered."""

    def __missing__(self, piece: str) -> tuple[str, ...]:
        if piece.isascii() or not MAYBE_UNSPACED.search(piece) or not UNSPACED.search(piece):
            found = tuple(_cut(piece))
        else:
            runs = RUNS.findall(piece)
            found = tuple(chain.from_iterable((run,) if UNSPACED.match(run) else self[run] for run in runs))
        if len(piece) <= REMEMBERED:
            if len(self) >= PIECES:
                self.clear()
            self[piece] = found
        return found


_PIECES = _Pieces()


def _cut(piece: str) -> list[str]:
    """The words of what stands between two spaces: signs off both ends, then the inside."""
    if len(piece) > LONG:
        return PLAIN.findall(piece)
    before: list[str] = []
    after: list[str] = []
    start, end = 0, len(piece)
    while start < end and not _known(piece, start, end):
        opening = OPENING.match(piece, start, end)
        first = opening.end() if opening else start
        last = _closing(piece, first, end)
        if _known(piece, first, end):  # `"e.g.`: what is left is known with its sign
            last = end
        elif _known(piece, start, last):  # `'em,`
            first = start
        if first == start and last == end:
            break
        before += [piece[start:first]] if first > start else []
        after += [piece[last:end]] if last < end else []
        start, end = first, last
    return [*before, *_inside(piece[start:end]), *reversed(after)]


def _known(piece: str, start: int, end: int) -> bool:
    return end - start <= LONGEST_KNOWN and piece[start:end] in KNOWN


def _closing(piece: str, start: int, end: int) -> int:
    """Where the sign at the end of a piece begins; `end` where there is none."""
    if piece.endswith("..", start, end):
        while end > start and piece[end - 1] == ".":
            end -= 1
        return end
    found = CLOSING.search(piece, max(start, end - CLOSING_CHARACTERS), end)
    return found.start() if found else end


def _inside(piece: str) -> list[str]:
    if not piece:
        return []
    if piece in KNOWN:
        return list(KNOWN[piece])
    if piece.isalpha() or URL.fullmatch(piece):
        return [piece]
    found, start = [], 0
    for sign in INNER.finditer(piece):
        if sign.start() == 0:
            continue
        found += [piece[start : sign.start()]] if sign.start() > start else []
        found.append(sign.group())
        start = sign.end()
    return [*found, piece[start:]] if start < len(piece) else found
