"""Search over the files of a folder: BM25, in English, Chinese and whatever writes words with spaces.

Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", equation 3.15, with the idf that
Lucene takes, ln(1 + (N - n + 0.5) / (n + 0.5)), which stays above 0 however few passages there are. Han and kana, which
write no spaces, are searched by pairs of neighbouring characters; English words lose a final s (Harman 1991).
Leaves out other endings, synonyms and an index on disk: a folder of some thousand passages is read in a second.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hornbook.core.errors import UserError

K1 = 1.5  # how soon a word that comes again counts no more; 1.2 to 2 (section 3.7)
B = 0.75  # how much long passages are held back
ENDINGS = (".txt", ".md")
SHORTEST = 3  # letters of a word that is left alone
CHARACTERS = 600  # a passage is paragraphs up to about this length

_HAN = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")


@dataclass(frozen=True)
class Passage:
    """A piece of a text and where it stands, "file.txt:12"."""

    text: str
    place: str


@dataclass(frozen=True)
class Hit:
    """A passage that was found."""

    passage: Passage
    score: float


class Index:
    """Passages by their words."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages: list[Passage] = []
        self.lengths: list[int] = []
        self.where: dict[str, dict[int, int]] = defaultdict(dict)  # word -> passage -> how often
        for passage in passages:
            self.add(passage)

    def add(self, passage: Passage) -> None:
        """Take in one more."""
        found = words(passage.text)
        for word, count in Counter(found).items():
            self.where[word][len(self.passages)] = count
        self.passages.append(passage)
        self.lengths.append(len(found))

    def search(self, query: str, limit: int = 3) -> list[Hit]:
        """The passages that fit best, the best first; those that share no word with the query are not there."""
        scores = self.scores(query)
        best = sorted(scores, key=lambda number: (-scores[number], number))[:limit]
        return [Hit(self.passages[number], scores[number]) for number in best]

    def scores(self, query: str) -> dict[int, float]:
        """The score of every passage that shares a word with a query, by its number."""
        total, mean = len(self.passages), sum(self.lengths) / max(len(self.lengths), 1)
        scores: dict[int, float] = defaultdict(float)
        for word in words(query):
            places = self.where.get(word, {})
            idf = math.log(1 + (total - len(places) + 0.5) / (len(places) + 0.5))
            for number, count in places.items():
                long = 1 - B + B * self.lengths[number] / mean
                scores[number] += idf * count * (K1 + 1) / (count + K1 * long)
        return dict(scores)


def words(text: str) -> list[str]:
    """What a text is searched by: its words in lower case; of Han, pairs of characters.

    >>> words("The Cats' 2 hats"), words("北京大学 和 I")
    (['the', 'cat', '2', 'hat'], ['北京', '京大', '大学', '和', 'i'])
    """
    found: list[str] = []
    for run in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        if len(run) > 1 and re.match(rf"[{_HAN}]", run):
            found += [run[i : i + 2] for i in range(len(run) - 1)]
        else:
            found.append(_singular(run))
    return found


def _singular(word: str) -> str:
    """A word without the s of a plural or a verb, by Harman's S-stemmer.

    >>> [_singular(word) for word in ("likes", "cities", "glass", "bus", "is")]
    ['like', 'city', 'glass', 'bus', 'is']
    """
    if len(word) <= SHORTEST or word.endswith(("us", "ss")) or not word.endswith("s"):
        return word
    return word[:-3] + "y" if word.endswith("ies") and not word.endswith(("eies", "aies")) else word[:-1]


def read_folder(folder: str | Path) -> Index:
    """The texts under a folder, as passages."""
    folder = Path(folder)
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not paths:
        raise UserError(f"{folder}: has no {' or '.join(ENDINGS)} file to search; put your texts there")
    return Index([passage for path in paths for passage in passages(path, path.relative_to(folder).as_posix())])


def passages(path: Path, name: str) -> list[Passage]:
    """A file's paragraphs, short ones together; each knows the line it begins in."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text; save it as UTF-8, or take it out of the folder") from None
    found: list[Passage] = []
    taken: list[str] = []
    begun = 1
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            begun = begun if taken else number
            taken.append(line.strip())
        if taken and (number > len(lines) or (not line.strip() and sum(map(len, taken)) > CHARACTERS // 2)):
            found.append(Passage("\n".join(taken), f"{name}:{begun}"))
            taken = []
    return found
