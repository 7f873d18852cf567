"""Which questions a model may have read before it was asked: those that share 13 words in a row with its training text.

Brown et al. 2020, "Language Models are Few-Shot Learners" (GPT-3), section 4 and appendix C: a score is given for all
questions and for the clean ones alone; where the two differ, the model may have known answers by heart. The n-grams are
those of the corpus tool (corpus/decontaminate.py): in scripts without spaces 1.5 characters stand for a word, and what
stands in more than ten documents is a phrase and no leak. Left out: answers that were read in other words.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from hornbook.corpus import evaluation_items
from hornbook.corpus.document import Document
from hornbook.corpus.evaluation_set import EvaluationSet, tokens
from hornbook.evaluate.task import Item, Outcome

WORDS, SHORTEST, COMMON = 13, 4, 10  # GPT-3's; a question of fewer words than SHORTEST cannot be looked for
AT_ONCE = 256  # documents that are looked through together
ABOUT = ("id", "subject")  # columns of a row that are not its text


def shares(items: Sequence[Item], documents: Iterable[Document], *, words: int = WORDS) -> list[float | None]:
    """Of each question the share of its n-grams that the documents have; None: it is too short to be looked for.

    The documents are gone through once; memory is that of the questions.
    """
    known = EvaluationSet((_passages(number, item) for number, item in enumerate(items)), words, SHORTEST)
    counts = np.zeros(len(known.grams), np.int64)
    for some in _groups(documents):
        hits = known.hits(tokens([document.text for document in some]))
        pairs = np.unique(np.stack([hits.texts, hits.grams]), axis=1)  # a document counts once
        counts += np.bincount(pairs[1], minlength=len(counts))
    found = known.count((counts > 0) & (counts <= COMMON))
    return [int(n) / int(size) if size else None for n, size in zip(found, known.sizes, strict=True)]


def marked(outcomes: Sequence[Outcome], found: Sequence[float | None]) -> list[Outcome]:
    """Outcomes whose details say what share of the question was in the training text."""
    return [
        replace(outcome, detail={**outcome.detail, "seen": share})
        for outcome, share in zip(outcomes, found, strict=True)
    ]


def _passages(number: int, item: Item) -> evaluation_items.Item:
    texts = evaluation_items.texts({name: value for name, value in item.row.items() if name not in ABOUT})
    return evaluation_items.Item(item.subject, number, tuple(texts))


def _groups(documents: Iterable[Document]) -> Iterator[list[Document]]:
    rest = iter(documents)
    while some := list(islice(rest, AT_ONCE)):
        yield some
