"""Documents made to be slow: every filter takes time in proportion to the length, whatever is in it."""

import time

import pytest

from hornbook.corpus.bad_words import BadWordFilter, WordList
from hornbook.corpus.c4 import C4, C4Paragraphs
from hornbook.corpus.chinese import ChineseQuality
from hornbook.corpus.document import Document, Step
from hornbook.corpus.fineweb import FineWeb
from hornbook.corpus.gopher import GopherQuality
from hornbook.corpus.gopher_repetition import GopherRepetition
from hornbook.corpus.language import ScriptLanguage
from hornbook.corpus.refinedweb import RefinedWebLines
from hornbook.corpus.source_code import CodeQuality

FILTERS: list[Step] = [
    GopherQuality(), GopherRepetition(), C4(), C4Paragraphs(), FineWeb(), RefinedWebLines(), ChineseQuality(),
    CodeQuality(), ScriptLanguage().build(), BadWordFilter({"en": WordList.of(["a b", "bad"])}, "en", 0.0),
]  # fmt: skip
UNITS = [
    "a",
    "(",
    "[1",
    "...",
    "… ",
    "a ",
    "a\n",
    "read more ",
    "1 like ",
    "{[(",
    "中",
    "中文 ",
    "。\n",
    "\n\n",
    "- \n",
    "#",
]


def seconds(step: Step, text: str) -> float:
    """The least CPU time of two."""
    taken = []
    for _ in range(2):
        started_at = time.process_time()
        step([Document("a", text, "s")])
        taken.append(time.process_time() - started_at)
    return min(taken)


@pytest.mark.parametrize("step", FILTERS, ids=lambda step: step.name)
def test_sixteen_times_the_text_takes_no_more_than_in_proportion(step: Step) -> None:
    """Up to 80 times, for noise and sorting; quadratic would be 256."""
    for unit in UNITS:
        short, long = unit * (4_000 // len(unit)), unit * (64_000 // len(unit))
        assert seconds(step, long) < 80 * max(seconds(step, short), 0.001), unit
