"""Contrastive search against the paper's equation, reading the whole text again for every candidate."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from hornbook.core.errors import UserError
from hornbook.generate.contrastive import Contrastive
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.sample import Sampling
from tests.tiny_models import shaken, small

PROMPT = [1, 3, 2, 9]


def by_hand(model: Any, tokens: int, k: int, alpha: float) -> list[int]:
    ids = list(PROMPT)
    for _ in range(tokens):
        with torch.no_grad():
            chances = model(torch.tensor([ids])).logits[0, -1].softmax(-1)
            scores = {}
            for token in chances.topk(k).indices.tolist():
                vectors = model(torch.tensor([[*ids, token]])).hidden[0]
                alike = max(float(F.cosine_similarity(vectors[-1], old, dim=0)) for old in vectors[:-1])
                scores[token] = (1 - alpha) * float(chances[token]) - alpha * alike
        ids.append(max(scores, key=lambda token: scores[token]))
    return ids[len(PROMPT) :]


@pytest.mark.parametrize(("k", "alpha"), [(4, 0.6), (8, 0.3), (3, 1.0)])
@pytest.mark.parametrize("name", ["llama", "mamba-tiny", "rwkv-tiny"])
def test_the_equation_by_hand(name: str, k: int, alpha: float) -> None:
    model: Any = small(vocab=31, layers=2) if name == "llama" else shaken(name)
    (found,) = Contrastive(candidates=k, alpha=alpha).run(model, Writing(PROMPT), Sampling(), Limits(max_new_tokens=8))
    assert found.ids == by_hand(model, 8, k, alpha)
    with torch.no_grad():
        chances = model(torch.tensor([PROMPT + found.ids])).logits[0, len(PROMPT) - 1 : -1].log_softmax(-1)
    total = float(chances[torch.arange(8), torch.tensor(found.ids)].sum())
    assert found.log_probability == pytest.approx(total, abs=1e-4)
    assert found.score == pytest.approx(total / 8, abs=1e-4)


@pytest.mark.parametrize("config", [Contrastive(alpha=0.0), Contrastive(candidates=1)])
def test_without_the_penalty_it_is_greedy(config: Contrastive) -> None:
    model, limits = small(vocab=31, layers=2), Limits(max_new_tokens=12, end=frozenset([7]))
    writing = Writing(PROMPT)
    for _ in write(model, [writing], Sampling(temperature=0), limits):
        pass
    (found,) = config.run(model, Writing(PROMPT), Sampling(), limits)
    assert (found.ids, found.end) == (writing.new, writing.end)


def test_it_ends_and_minds_what_is_ruled_out() -> None:
    model = small(vocab=31, layers=2)
    free = Contrastive().run(model, Writing(PROMPT), Sampling(), Limits(max_new_tokens=8))[0].ids
    (found,) = Contrastive().run(model, Writing(PROMPT), Sampling(), Limits(max_new_tokens=8, end=frozenset([free[3]])))
    assert (found.ids, found.end) == (free[: free.index(free[3])], free[3])
    allowed = (4, 5)
    sampling = Sampling(banned=tuple(token for token in range(31) if token not in allowed))
    (found,) = Contrastive(candidates=6).run(model, Writing(PROMPT), sampling, Limits(max_new_tokens=8))
    assert set(found.ids) <= set(allowed)
    assert Contrastive().run(model, Writing(PROMPT), Sampling(), Limits(max_new_tokens=0))[0].ids == []


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="candidates: 0"):
        Contrastive(candidates=0)
    with pytest.raises(UserError, match="alpha: 2"):
        Contrastive(alpha=2)
    with pytest.raises(UserError, match="no token can come next"):
        Contrastive().run(small(), Writing([1]), Sampling(banned=(0, 1, 2, 3, 4)), Limits())
