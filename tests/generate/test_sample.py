"""Sampling against transformers' processors on the same logits, and against the exact distribution."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.generate.sample import Sampling, draw, keep_min_p, keep_top_k, keep_top_p, penalize

# the 99.9 % point of chi-square, by degrees of freedom (tables; a seeded test that passes once passes for ever)
CHI_SQUARE_999 = {7: 24.32, 9: 27.88, 19: 43.82}


def some_logits(rows: int = 6, vocab: int = 50) -> Tensor:
    return torch.randn(rows, vocab, generator=torch.Generator().manual_seed(0)) * 3


@pytest.fixture(scope="module")
def processors() -> object:
    return pytest.importorskip("transformers.generation.logits_process")


@pytest.mark.parametrize("k", [1, 5, 50, 500])
def test_top_k_equals_transformers(processors: object, k: int) -> None:
    expected = processors.TopKLogitsWarper(k)(torch.zeros(6, 1, dtype=torch.long), some_logits())
    assert torch.equal(keep_top_k(some_logits(), k), expected)


@pytest.mark.parametrize("p", [0.01, 0.3, 0.9, 0.999])
def test_top_p_equals_transformers(processors: object, p: float) -> None:
    expected = processors.TopPLogitsWarper(p)(torch.zeros(6, 1, dtype=torch.long), some_logits())
    assert torch.equal(keep_top_p(some_logits(), p), expected)


@pytest.mark.parametrize("p", [0.001, 0.05, 0.5, 1.0])
def test_min_p_equals_transformers(processors: object, p: float) -> None:
    expected = processors.MinPLogitsWarper(p)(torch.zeros(6, 1, dtype=torch.long), some_logits())
    assert torch.equal(keep_min_p(some_logits(), p), expected)


@pytest.mark.parametrize("penalty", [0.7, 1.3])
def test_repetition_penalty_equals_transformers(processors: object, penalty: float) -> None:
    ids = torch.randint(50, (6, 9), generator=torch.Generator().manual_seed(1))
    seen = torch.zeros(6, 50, dtype=torch.bool).scatter(1, ids, True)
    expected = processors.RepetitionPenaltyLogitsProcessor(penalty)(ids, some_logits())
    assert torch.equal(penalize(some_logits(), seen, penalty), expected)


def test_all_together_in_transformers_order(processors: object) -> None:
    ids = torch.randint(50, (6, 9), generator=torch.Generator().manual_seed(1))
    seen = torch.zeros(6, 50, dtype=torch.bool).scatter(1, ids, True)
    expected = some_logits()
    for processor in (
        processors.RepetitionPenaltyLogitsProcessor(1.2),
        processors.TemperatureLogitsWarper(0.7),
        processors.TopKLogitsWarper(20),
        processors.TopPLogitsWarper(0.9),
        processors.MinPLogitsWarper(0.02),
    ):
        expected = processor(ids, expected)
    sampling = Sampling(temperature=0.7, top_k=20, top_p=0.9, min_p=0.02, repetition_penalty=1.2)
    assert torch.equal(sampling.filter(some_logits(), seen), expected)


def test_the_defaults_leave_the_logits_alone() -> None:
    assert torch.equal(Sampling().filter(some_logits(), None), some_logits())


def chi_square(counts: Tensor, probabilities: Tensor) -> float:
    expected = probabilities.double() * counts.sum()
    return float(((counts - expected) ** 2 / expected).sum())


@pytest.mark.parametrize(
    ("sampling", "kept"),
    [(Sampling(), 20), (Sampling(top_k=8), 8), (Sampling(temperature=1.7, top_k=10), 10), (Sampling(min_p=0.04), None)],
)
def test_draws_follow_the_exact_distribution(sampling: Sampling, kept: int | None) -> None:
    logits = torch.linspace(-1.5, 1.5, 20)[torch.randperm(20, generator=torch.Generator().manual_seed(2))]
    exact = sampling.filter(logits[None], None).softmax(-1)[0]
    generator = torch.Generator().manual_seed(3)
    drawn = sampling.choose(logits.expand(20_000, -1), None, [generator] * 20_000)
    counts = torch.bincount(drawn, minlength=20)
    assert not counts[exact == 0].any(), "a token that was ruled out was drawn"
    live = exact > 0
    assert kept is None or int(live.sum()) == kept
    degrees = int(live.sum()) - 1
    limit = CHI_SQUARE_999.get(degrees, degrees + 4 * math.sqrt(2 * degrees))
    assert chi_square(counts[live], exact[live]) < limit


def test_the_books_draws(shared_data: Path) -> None:
    """Chapter 5: top-3 probabilities, and how often each of nine words comes up at three temperatures."""
    chapter = json.loads((shared_data / "vectors/rasbt_published.json").read_text())["ch05"]
    logits = torch.tensor([chapter["sampling_logits"]])
    top3 = Sampling(top_k=3).filter(logits, None).softmax(-1)[0]
    assert top3.tolist() == pytest.approx(chapter["top_k3_probs"], abs=5e-5)
    for temperature, key in ((1.0, "counts_of_1000_seed123_T1"), (0.1, "counts_T0.1"), (5.0, "counts_T5")):
        published = torch.tensor(chapter[key])
        exact = (logits[0] / temperature).softmax(-1)
        generator = torch.Generator().manual_seed(0)
        ours = torch.bincount(
            Sampling(temperature=temperature).choose(logits.expand(1000, -1), None, [generator] * 1000), minlength=9
        )
        for counts in (published, ours):  # both are 1,000 draws from the same distribution: five sigma
            assert ((counts - 1000 * exact).abs() <= 5 * (1000 * exact * (1 - exact)).sqrt() + 1).all()


def test_greedy_is_the_most_likely_token() -> None:
    logits = some_logits()
    for sampling in (Sampling(temperature=0), Sampling(top_k=1)):
        assert torch.equal(sampling.choose(logits, None, []), logits.argmax(-1))


def test_greedy_still_minds_the_penalty() -> None:
    seen = torch.tensor([[False, True]])
    chosen = Sampling(temperature=0, repetition_penalty=2.0).choose(torch.tensor([[1.0, 1.5]]), seen, [])
    assert chosen.tolist() == [0]


def test_a_row_draws_the_same_alone_and_in_a_batch() -> None:
    logits, sampling = some_logits(), Sampling(temperature=0.9, top_p=0.95)
    together = sampling.choose(logits, None, [torch.Generator().manual_seed(row) for row in range(6)])
    alone = [sampling.choose(logits[r : r + 1], None, [torch.Generator().manual_seed(r)]).item() for r in range(6)]
    assert together.tolist() == alone


def test_the_edges_of_the_unit_interval_draw_possible_tokens() -> None:
    logits = torch.tensor([[-math.inf, 0.0, 1.0, -math.inf]] * 3)
    points = torch.tensor([0.0, 1 - 2**-53, 0.5], dtype=torch.float64)
    assert draw(logits, points).tolist() == [1, 2, 2]


def test_bfloat16_logits_are_drawn_from_in_fp32() -> None:
    chosen = Sampling(top_k=4).choose(some_logits().bfloat16(), None, [torch.Generator().manual_seed(0)] * 6)
    assert chosen.dtype == torch.int64


def test_values_that_do_not_fit_are_refused() -> None:
    for name, bad in [("temperature", -1), ("top_k", 0), ("top_p", 0), ("top_p", 1.5), ("min_p", 2)]:
        with pytest.raises(UserError, match=f"{name}: "):
            Sampling(**{name: bad})
    with pytest.raises(UserError, match="repetition_penalty: 0"):
        Sampling(repetition_penalty=0)
