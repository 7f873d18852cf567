"""Writes golden_datatrove.json: which rules of datatrove's filters each real text breaks, every rule asked by itself.

datatrove wants packages that the project does not; it runs in an interpreter of its own, which needs nothing of ours:

    PEER/bin/python tests/corpus/make_datatrove_golden.py ../shared/data

where PEER is a virtual environment with `datatrove[processing]==0.10.1` and spacy (blank English pipeline, no model).
"""

import functools
import json
import sys
from pathlib import Path

import datatrove.pipeline.filters.c4_filters as c4
import datatrove.pipeline.filters.fineweb_quality_filter as fineweb
import datatrove.pipeline.filters.gopher_quality_filter as quality
import datatrove.pipeline.filters.gopher_repetition_filter as repetition
import numpy as np
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4ParagraphFilter,
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.utils.text import split_into_sentences, split_into_words

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.corpus import real_texts

OUT = Path(__file__).parent / "golden_datatrove.json"
OFF = 10**9

words = functools.lru_cache(4)(split_into_words)  # twenty rules ask for the words of the same text
quality.split_into_words = repetition.split_into_words = fineweb.split_into_words = words
c4.split_into_sentences = functools.lru_cache(4_096)(split_into_sentences)

QUALITY = [
    "min_doc_words",
    "max_doc_words",
    "min_avg_word_length",
    "max_avg_word_length",
    "max_symbol_word_ratio",
    "max_bullet_lines_ratio",
    "max_ellipsis_lines_ratio",
    "max_non_alpha_words_ratio",
    "min_stop_words",
]
REPETITION = ["dup_para_frac", "dup_para_char_frac", "dup_line_frac", "dup_line_char_frac"]
GRAMS = {"top_n_grams": ((2, 0.2), (3, 0.18), (4, 0.16)),
         "dup_n_grams": ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))}  # fmt: skip
FINEWEB = {"line_punct_thr": 0, "short_line_thr": OFF, "char_duplicates_ratio": OFF, "new_line_ratio": OFF}


def filters() -> dict[str, list[BaseFilter]]:
    """Every filter, once for every rule with the others switched off."""
    alone = [GopherQualityFilter(**{name: None for name in QUALITY if name != rule}) for rule in QUALITY]
    repeated = [
        GopherRepetitionFilter(**{name: None for name in REPETITION if name != rule}, **dict.fromkeys(GRAMS, ()))
        for rule in REPETITION
    ]
    nothing = dict.fromkeys([*REPETITION], None) | dict.fromkeys(GRAMS, ())
    repeated += [
        GopherRepetitionFilter(**nothing | {name: (each,)}) for name, values in GRAMS.items() for each in values
    ]
    lines = [FineWebQualityFilter(**{name: off for name, off in FINEWEB.items() if name != rule}) for rule in FINEWEB]
    return {
        "gopher_quality": alone,
        "gopher_repetition": repeated,
        "fineweb": lines,
        "c4": [C4QualityFilter()],
        "c4_lines": [C4QualityFilter(min_num_sentences=-1, filter_curly_bracket=False, filter_lorem_ipsum=False)],
        "c4_paragraphs": [C4ParagraphFilter()],
    }


def main(data: Path) -> None:
    """Ask every filter about every text."""
    every, reasons, texts = filters(), [], {}
    sources = (real_texts.english, real_texts.pages, real_texts.languages, real_texts.chinese)
    for text in [*real_texts.made(), *(text for source in sources for text in source(data))]:
        answer = []
        for name, rules in every.items():
            for rule in rules:
                document = Document(text=text, id="")
                reason = ask(rule, document)
                if reason is not None:
                    if f"{name}: {reason}" not in reasons:
                        reasons.append(f"{name}: {reason}")
                    answer.append(str(reasons.index(f"{name}: {reason}")))
                elif document.text != text:
                    answer.append(f"{name}={real_texts.key(document.text)}")
        texts[real_texts.key(text)] = " ".join(answer)
        print(len(texts), end="\r", flush=True)
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in texts.items())
    OUT.write_text(f'{{"reasons": {json.dumps(reasons)},\n"texts": {{\n{rows}\n}}}}\n')


def ask(rule: BaseFilter, document: Document) -> str | None:
    """Why the filter drops a document; `error` where it fails (a text without words is divided by)."""
    try:
        answer = rule.filter(document)
    except (ZeroDivisionError, ValueError, AssertionError):
        return "error"
    return None if answer is True else answer[1]


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        main(Path(sys.argv[1]))
