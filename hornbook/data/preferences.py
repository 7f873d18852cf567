"""Rows to preferences: a prompt with an answer that is chosen and one that is rejected, or an answer judged alone.

Pairs are for reward models (Ouyang et al. 2022), DPO and its family; answers judged alone are for KTO (Ethayarajh et
al. 2024). A prompt is messages; chosen, rejected and completion are what the assistant says next, as text. Where chosen
and rejected are whole conversations, as in hh-rlhf (Bai et al. 2022), the prompt is the turns that they share.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hornbook.core.errors import UserError
from hornbook.data.conversations import conversations
from hornbook.data.inputs import apart, together
from hornbook.data.messages import (
    OPENS,
    Message,
    answer_of,
    messages_of,
    others,
    prompt_of,
    renamed,
    shown,
    system,
    transcript,
)
from hornbook.data.rows import Row, kind_name
from hornbook.data.split import Source

PAIR = ("chosen", "rejected")
TRUE = {1: True, 0: False, "1": True, "0": False, "true": True, "false": False}  # True is 1 to a dictionary


def preferences(row: Row, *, columns: Mapping[str, str] | None = None) -> Row:
    """A pair {"prompt", "chosen", "rejected", "id", "margin"?}, or for KTO {"prompt", "completion", "label", "id"}.

    >>> preferences({"id": "a.jsonl:1", "prompt": "Hi", "chosen": "Hello!", "rejected": "No."})
    {'prompt': [{'role': 'user', 'content': 'Hi'}], 'chosen': 'Hello!', 'rejected': 'No.', 'id': 'a.jsonl:1'}
    """
    row = renamed(row, columns)
    missing = [name for name in PAIR if name not in row]
    if not missing:
        return _pair(row)
    if "label" in row:
        return _judged(row)
    raise UserError(
        f"{row['id']}: no column {missing[0]!r} among {shown(row)}; a preference has chosen and rejected, or "
        "a completion and its label; say which they are, for instance `columns: {chosen: better, rejected: worse}`"
    )


@dataclass(frozen=True, kw_only=True)
class Preferences(Source):
    """Preferences in the files of a recipe."""

    USUAL: ClassVar[bool] = True  # what data without `type:` is

    columns: dict[str, str] | None = None
    """The file's own names: {prompt: question, chosen: better, rejected: worse}."""

    def row(self, raw: Row) -> Row:
        """As `preferences`; what an instruction is about stays apart from it, as in instruction tuning (inputs.py)."""
        row, columns = preferences(raw, columns=self.columns), renamed(raw, self.columns)
        return {**row, "prompt": [apart(each, columns) for each in row["prompt"]]}

    def key(self, row: Row) -> Any:
        """A prompt is on one side only, however many answers to it there are."""
        return [(each["role"], together(each)) for each in row["prompt"]]


def _pair(row: Row) -> Row:
    if (asked := _asked(row)) is None:
        prompt, answers = _shared(row)
    else:
        prompt, answers = asked, {name: answer_of(row, name) for name in PAIR}
        if all(turns[: len(prompt)] == prompt for turns in answers.values()):  # whole conversations beside a prompt
            answers = {name: turns[len(prompt) :] for name, turns in answers.items()}
    _ends_with_question(prompt, row)
    chosen, rejected = (_said(answers[name], name, row) for name in PAIR)
    if chosen == rejected:
        raise UserError(f"{row['id']}: chosen and rejected are the same text; there is nothing to prefer, take it out")
    return {"prompt": prompt, "chosen": chosen, "rejected": rejected, "id": row["id"], **_margin(row)}


def _asked(row: Row) -> list[Message] | None:
    """What chosen and rejected answer; None where they begin with it themselves."""
    if "prompt" in row:
        return prompt_of(row)
    if "conversations" in row:
        return [*system(row), *messages_of(row, "conversations")]
    if "messages" in row:
        return messages_of(row, "messages")
    if "instruction" in row:
        return [*conversations({**others(row, [*PAIR, "output"]), "id": row["id"], "output": "-"})["messages"][:-1]]
    return None


def _shared(row: Row) -> tuple[list[Message], dict[str, list[Message]]]:
    """Two conversations as the turns that they share and what comes after them."""
    both = []
    for name in PAIR:
        given = row[name]
        if isinstance(given, str) and given.startswith(OPENS):
            both.append(transcript(given, row["id"]))
        elif isinstance(given, list):
            both.append(messages_of(row, name))
        else:
            raise UserError(f"{row['id']}: no prompt, and {name} is no conversation that begins with one; add `prompt`")
    chosen, rejected = both
    pairs = list(zip(chosen, rejected, strict=False))
    common = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(chosen), len(rejected)) - 1)
    return chosen[:common], {"chosen": chosen[common:], "rejected": rejected[common:]}


def _judged(row: Row) -> Row:
    """One answer and whether it is wanted."""
    label = row["label"]
    known = label.lower() if isinstance(label, str) else label
    if not isinstance(known, str | int) or known not in TRUE:
        raise UserError(
            f"{row['id']}: label is {label!r}; say true for an answer that is wanted, false for one that is not"
        )
    if "completion" in row and "prompt" in row:
        prompt, answer = prompt_of(row), answer_of(row, "completion")
    else:
        messages = conversations(row)["messages"]
        prompt, answer = messages[:-1], messages[-1:]
    _ends_with_question(prompt, row)
    return {"prompt": prompt, "completion": _said(answer, "completion", row), "label": TRUE[known], "id": row["id"]}


def _ends_with_question(prompt: list[Message], row: Row) -> None:
    if not prompt or prompt[-1]["role"] != "user":
        ends = f"ends with the {prompt[-1]['role']}'s turn" if prompt else "is empty"
        raise UserError(f"{row['id']}: the prompt {ends}, not with the user's; fix the row or take it out")


def _said(turns: list[Message], name: str, row: Row) -> str:
    """What the assistant says in the one turn that is judged."""
    if len(turns) != 1 or turns[0]["role"] != "assistant":
        roles = ", ".join(turn["role"] for turn in turns) or "nothing"
        raise UserError(
            f"{row['id']}: {name} should be one turn of the assistant after the prompt, and is {roles}; chosen and "
            "rejected may differ in the last turn only"
        )
    return turns[0]["content"]


def _margin(row: Row) -> Row:
    """By how much chosen is better (Touvron et al. 2023, section 3.2.2), where the row says it."""
    margin = row.get("margin")
    if margin is None:
        return {}
    try:
        number = float(margin)
    except (TypeError, ValueError):
        raise UserError(f"{row['id']}: margin is {kind_name(margin)}, not a number; fix the row") from None
    if not math.isfinite(number):
        raise UserError(f"{row['id']}: margin is {number}, not a number that can be learnt from; fix the row")
    return {"margin": number}
