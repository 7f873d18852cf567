"""Perplexity over a sliding window, and bits per byte, of one text or several.

The recipe is the Hugging Face documentation's ("Perplexity of fixed-length models"): windows of the model's length that
begin `stride` tokens apart; of each only the tokens that no window before it had are judged, so each but the first has
at least window - stride tokens of context. The recipe weighs a window's mean by its new tokens less one, though only
the first window has a token that nothing foretells; our perplexity does the same, to be the published number.

Perplexity is per token, so models with other tokenizers cannot be compared by it. Bits per byte can: every token is
paid for, the first one after the mark that texts begin with, and the sum is divided by the bytes of the text.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.core.errors import UserError
from hornbook.evaluate.interval import bootstrap_ratio
from hornbook.evaluate.request import Stretch
from hornbook.evaluate.scorer import Scorer
from hornbook.model.encoder import EncoderModel
from hornbook.model.encoder_decoder import EncoderDecoderModel


@dataclass(frozen=True)
class Window:
    """One place of the sliding window."""

    nats: float
    """Surprise of the judged tokens."""
    judged: int
    new: int
    """Tokens that no window before had; the judged ones, and the first where nothing stands before it."""
    first: float
    """Nats of that first token after the mark that texts begin with; 0 where there is none."""
    bytes: int


@dataclass(frozen=True)
class Slid:
    """A text that the window went over."""

    windows: Sequence[Window]
    bytes: int


def slide(scorer: Scorer, text: str, *, window: int | None = None, stride: int | None = None) -> Slid:
    """Let the window go over a text; unless given, `window` is the model's length and `stride` half a window."""
    window, stride = sizes(scorer, window, stride)
    lm = scorer.lm
    assert lm.tokenizer is not None, "what has none is refused before it is asked"
    bare = list(lm.tokenizer.encode(text))
    encoder = isinstance(scorer.module, EncoderModel)  # puts its marks around every window itself
    ids = bare if encoder else lm.plain_ids(text)
    marks = len(ids) - len(bare)
    if len(bare) < 2:
        raise UserError(f"{len(bare)} tokens: nothing to foretell; give a text of two or more")
    stretches = places(ids, window, stride)
    heads = [None if each.context else Stretch((scorer.begin,), each.continuation[:1]) for each in stretches]
    if marks:
        heads[0] = None  # the mark itself is no text
    bodies = [_after_first(each) for each in stretches]
    asked = [each for each in (*heads, *bodies) if each is not None and each.continuation]
    nats = {each: -one.nats for each, one in zip(asked, scorer.stretches(asked), strict=True)}
    found = []
    for number, (stretch, head, body) in enumerate(zip(stretches, heads, bodies, strict=True)):
        text_ids = stretch.continuation[marks if number == 0 else 0 :]
        size = len(lm.tokenizer.decode_bytes(text_ids))
        first = nats[head] if head else 0.0
        judged = len(body.continuation)
        found.append(Window(nats.get(body, 0.0), judged, len(stretch.continuation), first, size))
    return Slid(found, len(text.encode()))


def sizes(scorer: Scorer, window: int | None, stride: int | None) -> tuple[int, int]:
    """Window and stride in tokens; raises UserError where the model or the recipe cannot have them."""
    if isinstance(scorer.module, EncoderDecoderModel):
        raise UserError("perplexity: the model reads one text and writes another; give a decoder or a masked model")
    length = scorer.length
    if isinstance(scorer.module, EncoderModel) and scorer.lm.tokenizer is not None:
        length -= len(scorer.lm.tokenizer.wrap([])[0])
    window = length if window is None else window
    if not 2 <= window <= length:
        raise UserError(f"--window: {window} tokens; the model reads 2 to {length}")
    stride = max(1, window // 2) if stride is None else stride
    if not 1 <= stride <= window:
        raise UserError(f"--stride: {stride} with a window of {window} leaves tokens out; give 1 to {window}")
    return window, stride


def places(ids: Sequence[int], window: int, stride: int) -> list[Stretch]:
    """What each window has anew, and what stands before that in it.

    >>> [(each.context, each.continuation) for each in places([1, 2, 3, 4, 5, 6, 7], window=4, stride=2)]
    [((), (1, 2, 3, 4)), ((3, 4), (5, 6)), ((5, 6), (7,))]
    """
    found, done = [], 0
    for begin in range(0, len(ids), stride):
        end = min(begin + window, len(ids))
        found.append(Stretch(tuple(ids[begin:done]), tuple(ids[done:end])))
        done = end
        if end == len(ids):
            break
    return found


def _after_first(stretch: Stretch) -> Stretch:
    """Without the token that nothing stands before, which is context only."""
    return stretch if stretch.context else Stretch(stretch.continuation[:1], stretch.continuation[1:])


def summary(texts: Sequence[Slid]) -> dict[str, Any]:
    """Perplexity and bits per byte of texts together, each with its 95 % interval over windows (None: there is one).

    Windows that follow each other know each other's text, so another text of the kind may differ by more.
    """
    windows = [window for text in texts for window in text.windows]
    weights = [float(window.new - 1) for window in windows]
    surprise = [
        window.nats / window.judged * weight if window.judged else 0.0
        for window, weight in zip(windows, weights, strict=True)
    ]
    bits = [(window.nats + window.first) / math.log(2) for window in windows]
    size, several = sum(text.bytes for text in texts), len(windows) > 1
    shares = bootstrap_ratio(bits, [max(window.bytes, 1) for window in windows])
    spread = bootstrap_ratio(surprise, [max(weight, 1e-9) for weight in weights])
    return {
        "perplexity": {
            "value": math.exp(sum(surprise) / sum(weights)),
            "interval": [math.exp(end) for end in spread] if several else None,
        },
        "bits_per_byte": {"value": sum(bits) / size, "interval": list(shares) if several else None},
        "tokens": sum(window.judged + (window.first > 0) for window in windows),
        "bytes": size,
        "windows": len(windows),
    }
