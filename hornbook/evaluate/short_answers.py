"""Exact match and token F1, for answers of a few words: SQuAD's, and for Chinese by character.

Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions for Machine Comprehension of Text", section 6.1, with the rule of
version 2.0 that nothing equals nothing. Signs, case and (in English) articles do not count. Chinese is compared as a
bag of characters with other words whole; CMRC 2018's F1 is of the longest common piece and is left out.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

import regex

from hornbook.corpus.words import RUNS, UNSPACED
from hornbook.evaluate.measured import Averaged
from hornbook.evaluate.segments import Language, Segments

ARTICLES = re.compile(r"\b(a|an|the)\b")
SIGNS = regex.compile(r"[\p{P}\p{S}]")
ASCII_SIGNS = str.maketrans("", "", string.punctuation)


def exact_match(segments: Segments) -> Averaged:
    """The share of texts that are one of their references."""
    return _best(segments, lambda one, other: float(one == other))


def token_f1(segments: Segments) -> Averaged:
    """The mean F1 of the words that a text shares with a reference, the best one where there are several."""
    return _best(segments, f1)


def f1(one: Sequence[str], other: Sequence[str]) -> float:
    """How much two bags of words share.

    >>> f1(["big", "cat"], ["big", "black", "cat"])
    0.8
    """
    if not one or not other:
        return float(not one and not other)
    same = sum((Counter(one) & Counter(other)).values())
    if not same:
        return 0.0
    precision, recall = same / len(one), same / len(other)
    return 2 * precision * recall / (precision + recall)


def answer_words(text: str, language: Language) -> list[str]:
    """What counts of an answer.

    >>> answer_words("The U.S.A., of course!", "en"), answer_words("《论语》 GPT-4", "zh")
    (['usa', 'of', 'course'], ['论', '语', 'gpt4'])
    """
    if language == "en":
        return ARTICLES.sub(" ", text.lower().translate(ASCII_SIGNS)).split()
    bare = SIGNS.sub("", text.lower())
    if language == "words":
        return bare.split()
    return [word for run in RUNS.findall(bare) for word in ([run] if UNSPACED.match(run) else run.split())]


def _best(segments: Segments, measure: Callable[[list[str], list[str]], float]) -> Averaged:
    each = []
    for text, some in zip(segments.written, segments.references, strict=True):
        own = answer_words(text, segments.language)
        each.append(max(measure(own, answer_words(reference, segments.language)) for reference in some))
    return Averaged(each, f"squad|tok:{segments.language}|case:lc")
