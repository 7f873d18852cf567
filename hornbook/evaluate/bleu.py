"""BLEU and chrF, computed by sacrebleu, with the signature that says how.

Papineni et al. 2002, "BLEU: a Method for Automatic Evaluation of Machine Translation"; Popovic 2015, "chrF: character
n-gram F-score"; Post 2018, "A Call for Clarity in Reporting BLEU Scores", from whom the signature is. Both are 0 to 100
and belong to a corpus: they are no means of sentences' scores, which are given besides (with effective_order). Leaves
out chrF++ and TER.
"""

import numpy as np
from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from hornbook.evaluate.measured import Numbers, Pooled
from hornbook.evaluate.segments import Language, Segments

TOKENIZERS: dict[Language, str] = {"en": "13a", "words": "13a", "zh": "zh", "characters": "char"}


def bleu(segments: Segments) -> Pooled:
    """BLEU over the segments; of Chinese with sacrebleu's `zh` tokenizer, which cuts it by character."""
    tokenizer = TOKENIZERS[segments.language]
    return _pooled(BLEU(tokenize=tokenizer), BLEU(tokenize=tokenizer, effective_order=True), segments)


def chrf(segments: Segments) -> Pooled:
    """chrF2 over the segments: character n-grams up to six, spaces left out, the same in every language."""
    return _pooled(CHRF(), CHRF(), segments)


def _pooled(metric: Metric, single: Metric, segments: Segments) -> Pooled:
    """The counts that sacrebleu makes of each segment, and its formula for their sum."""
    most = max(map(len, segments.references))
    columns = [[one[place] if place < len(one) else None for one in segments.references] for place in range(most)]
    counts = metric._extract_corpus_statistics(segments.written, columns)  # type: ignore[arg-type]  # None: no such one

    def formula(total: Numbers, by: Metric = metric) -> float:
        return float(by._compute_score_from_stats(total.tolist()).score)

    array = np.array(counts, dtype=np.float64)
    return Pooled(array, formula, [formula(row, single) for row in array], str(metric.get_signature()))
