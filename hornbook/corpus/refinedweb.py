"""RefinedWeb's line-wise corrections: counters, buttons and menus go, the article around them stays.

Penedo et al. 2023, "The RefinedWeb Dataset", section 3.2 and appendix G.2: a line goes that is nearly all capitals,
only a number, a counter ("3 likes"), or one word; a line of up to ten words also where it begins or ends as navigation
does. Where more than 5 % of the words went, the page was no article. The paper does not print its patterns nor the
share of capitals; those here are ours, with Chinese ones. Lines of scripts without spaces are counted in characters.
"""

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

from hornbook.corpus.document import Document, Result, Step
from hornbook.corpus.filter import check_shares
from hornbook.corpus.words import CHARACTERS_PER_WORD, UNSPACED, unspaced

COUNTER = re.compile(
    r"[\d.,]+ ?[kKmM万]?\+? ?(?:likes?|shares?|comments?|views?|replies|retweets?|followers?|votes?|points?|reads?"
    r"|赞|评论|条评论|转发|阅读|浏览|回复|收藏|人关注)\s*[.:]?",
    re.IGNORECASE,
)
LONGEST = 200  # characters of a line that may be navigation
NUMBER = re.compile(r"[\W\d_]+")
NAVIGATION = re.compile(
    r"(?:sign[ -]?in|sign[ -]?up|log[ -]?in|register|read more|see more|learn more|click here|share (?:this|on)|home\b"
    r"|登录|注册|首页|上一篇|下一篇|返回).*"
    r"|.*(?:read more|see more|learn more|sign[ -]?in|log[ -]?in|items? in cart|\.\.\. ?more)\W*"
    r"|.*(?:阅读全文|查看更多|点击进入)\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class RefinedWebLines:
    """Takes lines out that are not of the article; drops the document where that was too much of it."""

    name: ClassVar[str] = "refinedweb lines"
    max_uppercase: float = 0.8
    """Share of a line's letters; ours."""
    short_words: int = 10
    """Words of a line that may be navigation, at most; more is a sentence about it."""
    max_removed: float = 0.05
    """Share of a document's words that may go; more, and the document goes."""

    def __post_init__(self) -> None:
        check_shares(self, "max_uppercase", "max_removed")

    def build(self) -> Step:
        return self

    def __call__(self, documents: list[Document]) -> Result:
        """A document is kept with fewer lines, or dropped."""
        result = Result([])
        for document in documents:
            text, dropped, why = self.judge(document.text)
            if dropped:
                result.dropped.append((document, "too much of it menus and counters"))
                continue
            if text != document.text:
                result.changed.append((document, why))
                document = replace(document, text=text)
            result.kept.append(document)
        return result

    def judge(self, text: str) -> tuple[str, bool, str]:
        """The lines that stay, whether too much went, and why most of it did."""
        kept: list[str] = []
        reasons: Counter[str] = Counter()
        total = removed = 0.0
        for line in text.split("\n"):
            count = length(line)
            total += count
            if reason := self.reason(line.strip(), count):
                removed += count
                reasons[reason] += 1
            else:
                kept.append(line)
        return "\n".join(kept), removed > self.max_removed * total, max(reasons, key=reasons.__getitem__, default="")

    def reason(self, line: str, count: float) -> str | None:
        """Why a line of so many words goes.

        >>> [RefinedWebLines().reason(line, length(line)) for line in ("3,211 likes", "Sign in", "It rained.")]
        ['counters', 'navigation', None]
        """
        if not line:
            return None
        if NUMBER.fullmatch(line):
            return "numbers and signs"
        if COUNTER.fullmatch(line):
            return "counters"
        if count <= 1 or (len(line.split()) == 1 and not unspaced(line)):
            return "lines of one word"
        if count <= self.short_words and len(line) <= LONGEST and NAVIGATION.fullmatch(line):
            return "navigation"
        letters = [letter for letter in line if letter.isalpha()]
        if sum(map(str.isupper, letters)) > self.max_uppercase * len(letters):
            return "capitals"
        return None


def length(line: str) -> float:
    """The words of a line; of scripts without spaces, the characters over CHARACTERS_PER_WORD."""
    return len(UNSPACED.findall(line)) / CHARACTERS_PER_WORD if unspaced(line) else len(line.split())
