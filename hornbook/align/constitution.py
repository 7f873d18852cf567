"""The constitution that Bai et al. 2022 published (github.com/anthropics/ConstitutionalHarmlessnessPaper), as rules.

CritiqueRevisionInstructions.json holds requests for critiques and revisions, RLMadisonInstructions.json questions which
of two answers is better, CritiqueRevisionFewShotPrompts.json worked examples. The lists are independent, so rules of
the first kind (`harmful0` ...) criticise and rules of the second (`choose0` ...) judge.
"""

import re
from pathlib import Path
from typing import Any

from hornbook.align.rules import Rule, Rules, Shot
from hornbook.core.errors import UserError
from hornbook.core.files import read_json

REQUESTS, CHOICES = "CritiqueRevisionInstructions.json", "RLMadisonInstructions.json"
SHOTS = "CritiqueRevisionFewShotPrompts.json"

_SHOT = re.compile(
    r"(?P<prompt>.*)\n\nAssistant:(?P<answer>.*?)\n\nCritiqueRequest:(?P<critique_request>.*?)\n\nCritique:"
    r"(?P<critique>.*?)\n\nRevisionRequest:(?P<revision_request>.*?)\n\nRevision:(?P<revision>.*?)(?:\n\nHuman:)?\s*",
    re.DOTALL,
)


def read(folder: Path) -> Rules:
    """The rules of a folder `prompts/` of the paper's repository."""
    if not (folder / REQUESTS).is_file():
        raise UserError(f"{folder}: has no {REQUESTS}; give the paper's folder `prompts`, or a rules file")
    rules = [_critic(name, texts) for name, texts in read_json(folder / REQUESTS).items()]
    choices = read_json(folder / CHOICES) if (folder / CHOICES).is_file() else []
    shots = read_json(folder / SHOTS) if (folder / SHOTS).is_file() else []
    judges = [Rule(name=f"choose{i}", choose=_middle(text, "", "Options:")) for i, text in enumerate(choices)]
    return Rules(rules=(*rules, *judges), shots=tuple(_shot(number, text) for number, text in enumerate(shots)))


def _critic(name: str, texts: dict[str, Any]) -> Rule:
    prompt = texts["prompt"][0] if isinstance(texts["prompt"], list) else texts["prompt"]
    critique = _middle(prompt, "CritiqueRequest:", "Critique:")
    return Rule(name=name, critique=critique, revision=_middle(texts["edit_request"], "RevisionRequest:", "Revision:"))


def _middle(text: str, before: str, after: str) -> str:
    r"""What stands between two marks.

    >>> _middle("\n\nRevisionRequest: Be kind.\n\nRevision:", "RevisionRequest:", "Revision:")
    'Be kind.'
    """
    return text.strip().removeprefix(before).removesuffix(after).strip()


def _shot(number: int, text: str) -> Shot:
    match = _SHOT.fullmatch(text)
    if match is None:
        raise UserError(f"{SHOTS}: example {number} is not a critique and a revision; leave the file as published")
    texts = {name: part if name == "prompt" else part.strip() for name, part in match.groupdict().items()}
    return Shot(**texts)
