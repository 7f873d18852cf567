"""Every rule of Gopher, C4 and FineWeb decides as datatrove 0.10.1 does, text by text.

golden_datatrove.json holds datatrove's answers (make_datatrove_golden.py). Differences are deliberate:
* scripts without spaces: theirs are cut by rules for English, ours counted in characters;
* texts without a word: theirs divide by zero;
* Georgian, Thaana, Canadian syllabics: no letters to spaCy, so their sentences do not end (`UNKNOWN_LETTERS`);
* one rule for hashes and ellipses: theirs gives only the first of the two.
"""

import functools
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import regex

from hornbook.corpus.c4 import C4, C4Paragraphs
from hornbook.corpus.document import Document
from hornbook.corpus.fineweb import FineWeb
from hornbook.corpus.gopher import GopherQuality
from hornbook.corpus.gopher_repetition import GopherRepetition
from hornbook.corpus.words import unspaced
from tests.corpus import real_texts

GOLDEN = Path(__file__).parent / "golden_datatrove.json"
NAMES = {
    "gopher_short_doc": "too few words",
    "gopher_long_doc": "too many words",
    "gopher_below_avg_threshold": "words too short",
    "gopher_above_avg_threshold": "words too long",
    "gopher_too_many_hashes": "too many hashes",
    "gopher_too_many_ellipsis": "too many ellipses",
    "gopher_too_many_bullets": "mostly bullets",
    "gopher_too_many_end_ellipsis": "lines end in ellipses",
    "gopher_below_alpha_threshold": "too few words with letters",
    "gopher_enough_stop_words": "too few stop words",
    "dup_para_frac": "repeated paragraphs",
    "dup_para_char_frac": "characters in repeated paragraphs",
    "dup_line_frac": "repeated lines",
    "dup_line_char_frac": "characters in repeated lines",
    **{f"top_{n}_gram": f"one phrase of {n} words over and over" for n in (2, 3, 4)},
    **{f"duplicated_{n}_n_grams": f"repeated phrases of {n} words" for n in range(5, 11)},
    "line_punct_ratio": "few lines end a sentence",
    "short_line_ratio": "mostly short lines",
    "char_dup_ratio": "characters in repeated lines",
    "list_ratio": "too many lines for its words",
    "lorem_ipsum": "lorem ipsum",
    "curly_bracket": "curly bracket",
    "too_few_sentences": "too few sentences",
    "< 3 paragraphs": "too few paragraphs",
    "empty": "empty",
}
FILTERS = {"gopher_quality": GopherQuality(), "gopher_repetition": GopherRepetition(), "fineweb": FineWeb()}
PAGES = {"c4": C4(), "c4_lines": C4(min_sentences=0, curly_brackets=True)}
UNKNOWN_LETTERS = regex.compile(r"[\p{Georgian}\p{Thaana}\p{Canadian_Aboriginal}]")
Answers = set[tuple[str, str]]


@functools.cache
def golden() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(GOLDEN.read_text())
    return data


def theirs(text: str) -> Answers:
    reasons = golden()["reasons"]
    found = set()
    for item in golden()["texts"][real_texts.key(text)].split():
        name, equals, hashed = item.partition("=")
        if equals:
            found.add((name, hashed))
        elif (reason := reasons[int(item)].partition(": "))[2] != "error":
            found.add((reason[0], NAMES[reason[2]]))
    return found


def ours(text: str) -> Answers:
    found = {(name, reason) for name, rule in FILTERS.items() for reason in rule.reasons(text)}
    if ("gopher_quality", "too many hashes") in found:
        found.discard(("gopher_quality", "too many ellipses"))
    for name, page in PAGES.items():
        kept, dropped, _ = page.judge(text)
        if dropped or kept != text:
            found.add((name, dropped or real_texts.key(kept)))
    if reason := C4Paragraphs().reason(Document("", text, "")):
        found.add(("c4_paragraphs", reason))
    return found


def compare(texts: Iterable[str]) -> Counter[str]:
    """How often each rule was broken; fails at the first text on which the two disagree."""
    broken: Counter[str] = Counter()
    for text in texts:
        if unspaced(text):
            continue
        expected, found = theirs(text), ours(text)
        if UNKNOWN_LETTERS.search(text):
            expected, found = ({pair for pair in each if pair[0] != "c4"} for each in (expected, found))
        if "lorem ipsum" in text.lower():  # the golden file's lines were made with that rule switched off
            expected, found = ({pair for pair in each if pair[0] != "c4_lines"} for each in (expected, found))
        assert found == expected, text[:200]
        broken.update(f"{name}: {reason}" for name, reason in found if not name.startswith("c4_lines"))
    return broken


def test_made_up_texts_break_the_same_rules() -> None:
    broken = compare(real_texts.made())
    assert len([rule for rule, count in broken.items() if count >= 3]) >= 15


@pytest.mark.parametrize("source", ["english", "pages", "languages"])
def test_real_texts_break_the_same_rules(shared_data: Path, source: str) -> None:
    broken = compare(getattr(real_texts, source)(shared_data))
    assert broken.total() > 100


def test_every_rule_is_broken_by_some_text() -> None:
    """All but the longest document: no text here has 100,000 words."""
    seen = {NAMES[reason.partition(": ")[2]] for reason in golden()["reasons"] if not reason.endswith("error")}
    assert set(NAMES.values()) - seen == {"too many words"}
