"""What stands around a question to a model, in the language of its rules: who speaks, and the forms it fills in.

The English is that of Bai et al. 2022 (arXiv 2212.08073): transcripts in section 3.1, choosing in section 4.1. A rules
file in another language writes its own.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Words:
    """Names in transcripts, which a model without a chat template reads, and the texts of a judge."""

    human: str = "Human"
    assistant: str = "Assistant"
    critique_request: str = "CritiqueRequest"
    critique: str = "Critique"
    revision_request: str = "RevisionRequest"
    revision: str = "Revision"
    compare: str = (
        "Consider the following conversation between a human and an assistant:\n{conversation}\n\n{choose}\n\n"
        "Options:\n(A) {a}\n(B) {b}"
    )
    """{conversation}, {choose}, {a} and {b} are filled in."""
    verdict: str = "The answer is: ("
    """What the judge's answer begins with: A or B follows."""
    think: str = "Let's think step by step:"
    """What it begins with where the judge thinks first (section 4.1, chain of thought)."""
    ask: str = (
        "Consider the following conversation between a human and an assistant:\n{conversation}\n\n{question} "
        "Answer yes or no."
    )
    """{conversation} and {question} are filled in."""
    answer: str = "The answer is:"
    """What the answer to it begins with: `yes` or `no` follows."""
    yes: str = " yes"
    no: str = " no"

    def __post_init__(self) -> None:
        for name, blanks in (("compare", ("conversation", "choose", "a", "b")), ("ask", ("conversation", "question"))):
            for blank in blanks:
                if f"{{{blank}}}" not in getattr(self, name):
                    raise ValueError(f"{name}: has no {{{blank}}}, where the text goes; put it in")


def fill(form: str, **texts: str) -> str:
    """A form with its blanks filled; braces in the texts stay as they are.

    >>> fill("{a} or {b}?", a="{b}", b="tea")
    '{b} or tea?'
    """
    return re.sub("|".join(f"{{{name}}}" for name in texts), lambda match: texts[match[0][1:-1]], form)
