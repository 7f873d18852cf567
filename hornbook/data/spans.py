"""Text with spans taken out: the model writes what is missing, span by span (T5).

Raffel et al. 2020, section 3.1.4 and 3.3.4: 15 % of the tokens in spans of 3 on average; each span is replaced by one
sentinel, and the answer is every sentinel followed by its span, then one sentinel more. How many tokens and spans is
fixed but for a fraction, how they lie is chance. In T5's own code the last span ends the text; here it lies anywhere.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hornbook.data.answers import Rewritten
from hornbook.data.batches import Windows
from hornbook.data.marks import marks
from hornbook.data.order import about
from hornbook.data.shards import Split
from hornbook.text.tokenizer import Tokenizer

Ids = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Spans:
    """Rows of at most `length` tokens, some of whose spans are to be written."""

    length: int
    """Tokens the encoder reads, sentinels and the end mark included."""
    share: float = 0.15
    """Share of the text's tokens that is taken out."""
    mean: float = 3.0
    """Tokens of a span, on average."""

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"share: {self.share} is not a share between 0 and 1; try 0.15")
        if self.mean < 1:
            raise ValueError(f"mean: spans of {self.mean} tokens are none; give 1 or more, such as 3")
        if self.length < 8:
            raise ValueError(f"length: {self.length} leaves no room for text between the spans; try 128")

    def build(self, split: Split, tokenizer: Tokenizer, *, seed: int | None) -> Rewritten:
        """Rows of a split in an order drawn from the seed, or in the order of the text with None."""
        found = marks(tokenizer)
        text = self.text_length(self.length - 1 - len(found.before))
        sentinels = found.require_sentinels(int(self.share * text / self.mean) + 2)

        def rewrite(ids: Ids, rng: np.random.Generator) -> tuple[Ids, Ids]:
            return take_out(ids, sentinels, draw_spans(len(ids), self, rng))

        answer = self.share * text * (1 + 1 / self.mean) + 2
        windows = Windows(length=text).build(split, seed=seed)
        return Rewritten(windows, rewrite, found, length=self.length + round(answer), trained=answer)

    def text_length(self, room: int) -> int:
        """Tokens of text that always fit into `room` when spans have become sentinels."""
        text = room
        while text + 1 - int(self.share * (text + 1)) + int(self.share * (text + 1) / self.mean) + 1 <= room:
            text += 1
        return text


def draw_spans(tokens: int, config: Spans, rng: np.random.Generator) -> tuple[Ids, Ids]:
    """(starts, sizes) of the spans in a text of so many tokens."""
    out = about(config.share * tokens, rng)
    count = min(max(about(config.share * tokens / config.mean, rng), int(out > 0)), out, tokens - out + 1)
    borders = np.sort(rng.permutation(max(out - 1, 0))[: max(count - 1, 0)]) + 1
    sizes = np.diff(np.concatenate([[0], borders, [out]])) if count else np.zeros(0, dtype=np.int64)
    return scatter(sizes, tokens, rng), sizes


def scatter(sizes: Ids, tokens: int, rng: np.random.Generator) -> Ids:
    """Starts of spans of these sizes in a text of so many tokens: every way in which no two touch is as likely.

    >>> scatter(np.array([2, 0, 1]), 5, np.random.default_rng(0)).tolist()
    [0, 3, 4]
    """
    left = tokens - int(sizes.sum())
    gaps = np.sort(rng.permutation(left + 1)[: len(sizes)])  # tokens that stay before each span
    return gaps + np.cumsum(sizes) - sizes


def take_out(ids: Ids, sentinels: Ids, spans: tuple[Ids, Ids]) -> tuple[Ids, Ids]:
    """(the text with sentinels, the spans behind their sentinels and the last sentinel).

    >>> text, answer = take_out(np.arange(8), np.array([90, 91, 92]), (np.array([1, 5]), np.array([2, 1])))
    >>> text.tolist(), answer.tolist()
    ([0, 90, 3, 4, 91, 6, 7], [90, 1, 2, 91, 5, 92])
    """
    text, answer, done = [], [], 0
    for sentinel, start, size in zip(sentinels, *spans, strict=False):
        text += [ids[done:start], [sentinel]]
        answer += [[sentinel], ids[start : start + size]]
        done = start + size
    last = sentinels[len(spans[0])]
    return np.concatenate([*text, ids[done:]]), np.concatenate([*answer, [last]])
