"""ROUGE-1, ROUGE-2 and ROUGE-L, computed by rouge-score: how much of a reference a text says again.

Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries": words, pairs of words, the longest common
subsequence; the F-measure of each segment, and their mean. Of several references the best counts. rouge-score's own
tokenizer throws away all that is not a-z or 0-9, so texts of other letters and of scripts without spaces are cut by
ours, which does the same to English. Leaves out stemming (as the library does unless asked) and ROUGE-Lsum.
"""

from importlib.metadata import version

from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]
from rouge_score.tokenizers import DefaultTokenizer, Tokenizer  # type: ignore[import-untyped]

from hornbook.evaluate.measured import Averaged
from hornbook.evaluate.segments import Segments, bare_words

KINDS = ("rouge1", "rouge2", "rougeL")


class AnyScript(Tokenizer):  # type: ignore[misc]  # a class of a library without types
    """Words of any script; characters of those that write no spaces."""

    def tokenize(self, text: str) -> list[str]:
        """The words of a text."""
        return bare_words(text)


def rouge(segments: Segments) -> dict[str, Averaged]:
    """The three F-measures, 0 to 1."""
    english = segments.language == "en"
    scorer = RougeScorer(list(KINDS), tokenizer=DefaultTokenizer() if english else AnyScript())
    found = [
        scorer.score_multi(list(some), text) for text, some in zip(segments.written, segments.references, strict=True)
    ]
    cut = "default" if english else {"words": "words", "zh": "char", "characters": "char"}[segments.language]
    signature = f"f-measure|tok:{cut}|stem:no|rouge-score:{version('rouge-score')}"
    return {kind: Averaged([float(each[kind].fmeasure) for each in found], signature) for kind in KINDS}
