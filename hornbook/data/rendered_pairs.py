"""A row of preferences as ids: its prompt with each of its answers, and where the answer begins.

A row is {"prompt": messages, "chosen": text, "rejected": text, "id"}, or, where an answer was judged alone (KTO),
{"prompt": messages, "completion": text, "label": bool, "id"}. Only the last answer and its stop token count, neither
the prompt nor what the assistant said before; what a template puts behind the stop token is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.core.errors import UserError
from hornbook.text.chat import Renderer


@dataclass(frozen=True)
class Answer:
    """A prompt and an answer to it, up to the stop token."""

    ids: list[int]
    start: int
    """The place of the answer's first token."""

    @property
    def prompt(self) -> list[int]:
        """What is answered."""
        return self.ids[: self.start]

    def cut(self, length: int) -> "Answer | None":
        """At most `length` tokens of it; None where nothing of the answer is left."""
        return Answer(self.ids[:length], self.start) if self.start < length else None


Pair = tuple[Answer | None, Answer | None]
"""(chosen, rejected); one of them is None where an answer was judged alone."""


def render(row: Mapping[str, Any], renderer: Renderer, name: str) -> Pair:
    """Both answers of a row, or the one there is; a row that teaches nothing is refused by its name."""
    if "completion" in row:
        answer = _answer(row["prompt"], row["completion"], renderer, f"{name}: completion")
        return (answer, None) if row["label"] else (None, answer)
    chosen = _answer(row["prompt"], row["chosen"], renderer, f"{name}: chosen")
    rejected = _answer(row["prompt"], row["rejected"], renderer, f"{name}: rejected")
    if chosen == rejected:
        raise UserError(f"{name}: chosen and rejected are the same, which teaches nothing; mend the row or take it out")
    return chosen, rejected


def rendered(messages: Sequence[Mapping[str, str]], renderer: Renderer) -> Answer:
    """A conversation that ends with the assistant's answer."""
    found = renderer.render(messages)
    end = len(found.ids) - found.trained[::-1].index(True)
    start = end - [*found.trained[:end][::-1], False].index(False)  # of the last stretch: that is the answer
    return Answer(found.ids[:end], start)


def _answer(prompt: Sequence[Mapping[str, str]], text: Any, renderer: Renderer, name: str) -> Answer:
    if not isinstance(text, str) or not text.strip():
        raise UserError(f"{name}: the answer is {text!r}; give a text, or take the row out")
    try:
        return rendered([*prompt, {"role": "assistant", "content": text}], renderer)
    except UserError as error:
        raise UserError(f"{name}: {error}") from None


def cut(pair: Pair, length: int) -> Pair | None:
    """Both answers cut; None where one has nothing left or both have become the same."""
    chosen, rejected = (answer and answer.cut(length) for answer in pair)
    lost = (chosen is None, rejected is None) != (pair[0] is None, pair[1] is None)
    return None if lost or chosen == rejected else (chosen, rejected)


def size(pair: Pair) -> int:
    """Tokens of both answers, with the prompt of each."""
    return sum(len(answer.ids) for answer in pair if answer is not None)


def strangers(pairs: Sequence[Pair], length: int) -> list[Pair]:
    """Each prompt with the answers to another one, cut at `length` tokens: (prompt i, answers of the next row).

    What KTO measures the distance to the reference by (Ethayarajh et al. 2024, section 4.1), with the next row whose
    prompt is another one, in a circle.
    """
    prompts = [(pair[0] or pair[1] or Answer([], 0)).prompt for pair in pairs]
    return [
        (_swapped(prompt, pairs[other][0], length), _swapped(prompt, pairs[other][1], length))
        for prompt, other in zip(prompts, _next_other(prompts), strict=True)
    ]


def _swapped(prompt: list[int], answer: Answer | None, length: int) -> Answer | None:
    return answer and Answer(prompt + answer.ids[answer.start :], len(prompt)).cut(length)


def _next_other(prompts: list[list[int]]) -> list[int]:
    """For each the place of the next prompt that differs, in a circle; the next one where all are the same."""
    count = len(prompts)
    found = [(here + 1) % count for here in range(count)]
    if all(prompt == prompts[0] for prompt in prompts):
        return found
    for here in reversed(range(2 * count)):
        after = (here + 1) % count
        found[here % count] = after if prompts[after] != prompts[here % count] else found[after]
    return found
