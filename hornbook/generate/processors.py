"""What becomes of logits before a token is drawn: pure functions of (rows, vocab) logits.

Repetition penalty (Keskar et al. 2019, CTRL), n-gram blocking (Paulus et al. 2018), top-k (Fan et al. 2018), top-p
(Holtzman et al. 2020), min-p (Nguyen et al. 2024), typical (Meister et al. 2023): the same numbers as transformers'
processors. Presence and frequency penalties are those of OpenAI's API. A token that is ruled out has the logit -inf.
"""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from hornbook.core.errors import UserError

RULED_OUT = float("-inf")
NOTHING = -1  # where a token stands: none can be drawn

Logits = Float[Tensor, "rows vocab"]


def add_bias(logits: Logits, bias: Mapping[int, float]) -> Logits:
    """Add a number to the logits of some tokens.

    >>> add_bias(torch.tensor([[1.0, 2.0, 3.0]]), {0: 5.0}).tolist()
    [[6.0, 2.0, 3.0]]
    """
    more = torch.tensor(list(bias.values()), dtype=logits.dtype, device=logits.device)
    return logits.index_add(-1, _ids(bias, logits, "bias"), more.expand(len(logits), -1))


def penalize(logits: Logits, seen: Bool[Tensor, "rows vocab"], penalty: float) -> Logits:
    """Move the logits of tokens that were seen towards less likely: divided if positive, multiplied if negative."""
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def penalize_counts(logits: Logits, counts: Logits, *, presence: float, frequency: float) -> Logits:
    """Take `presence` off the logits of tokens that were written, and `frequency` for each time.

    >>> penalize_counts(torch.zeros(1, 3), torch.tensor([[0.0, 1, 3]]), presence=0.5, frequency=0.25).tolist()
    [[0.0, -0.75, -1.25]]
    """
    return logits - frequency * counts - presence * (counts > 0)


def rule_out(logits: Logits, banned: Sequence[int]) -> Logits:
    """Rule some tokens out."""
    return logits.index_fill(-1, _ids(banned, logits, "banned"), RULED_OUT)


def force(logits: Logits, tokens: Sequence[int | None]) -> Logits:
    """Rule out all but one token in the rows that have one; the others are left alone.

    >>> force(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), [None, 0]).tolist()
    [[1.0, 2.0], [0.0, -inf]]
    """
    forced = {row: token for row, token in enumerate(tokens) if token is not None}
    if not forced:
        return logits
    rows = torch.tensor(list(forced), device=logits.device)
    columns = _ids(list(forced.values()), logits, "forced")
    return logits.index_fill(0, rows, RULED_OUT).index_put((rows, columns), logits.new_zeros(()))


def keep_top_k(logits: Logits, k: int) -> Logits:
    """Rule out all but the k largest logits; ties with the k-th stay.

    >>> keep_top_k(torch.tensor([[1.0, 4.0, 3.0, 2.0]]), 2).tolist()
    [[-inf, 4.0, 3.0, -inf]]
    """
    smallest = logits.topk(min(k, logits.shape[-1]), dim=-1).values[..., -1:]
    return logits.masked_fill(logits < smallest, RULED_OUT)


def keep_top_p(logits: Logits, p: float) -> Logits:
    """Rule out the least likely tokens as long as what stays holds at least p; the most likely one always stays.

    >>> keep_top_p(torch.tensor([[0.5, 0.3, 0.2]]).log(), 0.6).exp().round(decimals=1).tolist()
    [[0.5, 0.30000001192092896, 0.0]]
    """
    ascending, order = logits.sort(dim=-1)
    out = ascending.softmax(-1).cumsum(-1) <= 1 - p
    out[..., -1] = False
    return logits.masked_fill(out.scatter(-1, order, out), RULED_OUT)


def keep_min_p(logits: Logits, p: float) -> Logits:
    """Rule out tokens less than p times as likely as the most likely one."""
    probabilities = logits.softmax(-1)
    return logits.masked_fill(probabilities < p * probabilities.amax(-1, keepdim=True), RULED_OUT)


def keep_typical(logits: Logits, p: float) -> Logits:
    """Keep the tokens whose surprise is nearest to the expected one, the entropy, until they hold p (section 4).

    >>> keep_typical(torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log(), 0.25).exp().round(decimals=1).tolist()
    [[0.0, 0.30000001192092896, 0.0, 0.0]]
    """
    chances = logits.log_softmax(-1)
    entropy = -(chances.exp() * chances).nansum(-1, keepdim=True)
    nearest, order = (-chances - entropy).abs().sort(dim=-1)
    last = (logits.gather(-1, order).softmax(-1).cumsum(-1) < p).sum(-1, keepdim=True)
    out = nearest > nearest.gather(-1, last.clamp(max=logits.shape[-1] - 1))
    out[..., 0] = False
    return logits.masked_fill(out.scatter(-1, order, out), RULED_OUT)


def most_likely(logits: Logits) -> Int[Tensor, " rows"]:
    """The token of the largest logit of each row; NOTHING where all are ruled out or are no numbers."""
    largest, ids = logits.max(-1)
    return ids.where(largest.isfinite(), NOTHING)


def draw(logits: Logits, points: Float64[Tensor, " rows"]) -> Int[Tensor, " rows"]:
    """Turn a uniform number in [0, 1) per row into a token: the one whose stretch of the probability it falls on.

    A token of probability 0 has no stretch; NOTHING where all are ruled out or are no numbers.

    >>> draw(torch.tensor([[0.25, 0.0, 0.75]] * 3).log(), torch.tensor([0.0, 0.24, 0.26], dtype=torch.float64)).tolist()
    [0, 0, 2]
    """
    reach = logits.softmax(-1).cumsum(-1, dtype=torch.float64)
    total = reach[..., -1:]
    target = (points[..., None] * total).minimum(torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(reach, target, right=True).where(total > 0, NOTHING)[..., 0]


def log_probabilities(
    logits: Logits, ids: Int[Tensor, " rows"], top: int = 0
) -> tuple[Float[Tensor, " rows"], Float[Tensor, "rows top"], Int[Tensor, "rows top"]]:
    """How likely each row's token was, and the `top` likeliest tokens with theirs: chosen, likeliest, their ids."""
    chances = logits.float().log_softmax(-1)
    likeliest = chances.topk(min(top, chances.shape[-1]), dim=-1)
    return chances.gather(-1, ids[:, None])[:, 0], likeliest.values, likeliest.indices


def _ids(tokens: Sequence[int] | Mapping[int, float], logits: Tensor, name: str) -> Tensor:
    """Tokens as an index; UserError where there is no such token."""
    vocab = logits.shape[-1]
    if max(tokens) >= vocab:
        raise UserError(f"{name}: there is no token {max(tokens)}; the model has {vocab}, from 0 to {vocab - 1}")
    return torch.tensor(list(tokens), device=logits.device)
