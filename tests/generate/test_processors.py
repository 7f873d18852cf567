"""Every processor against transformers' on the same logits; those that are OpenAI's, by hand."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.generate.processors import (
    NOTHING,
    add_bias,
    draw,
    force,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    keep_typical,
    log_probabilities,
    most_likely,
    penalize,
    penalize_counts,
    rule_out,
)

NO_TEXT = torch.zeros(6, 1, dtype=torch.long)


def some_logits(rows: int = 6, vocab: int = 50) -> Tensor:
    return torch.randn(rows, vocab, generator=torch.Generator().manual_seed(0)) * 3


@pytest.fixture(scope="module")
def processors() -> Any:
    return pytest.importorskip("transformers.generation.logits_process")


@pytest.mark.parametrize("k", [1, 5, 50, 500])
def test_top_k_equals_transformers(processors: Any, k: int) -> None:
    assert torch.equal(keep_top_k(some_logits(), k), processors.TopKLogitsWarper(k)(NO_TEXT, some_logits()))


@pytest.mark.parametrize("p", [0.01, 0.3, 0.9, 0.999])
def test_top_p_equals_transformers(processors: Any, p: float) -> None:
    assert torch.equal(keep_top_p(some_logits(), p), processors.TopPLogitsWarper(p)(NO_TEXT, some_logits()))


@pytest.mark.parametrize("p", [0.001, 0.05, 0.5, 1.0])
def test_min_p_equals_transformers(processors: Any, p: float) -> None:
    assert torch.equal(keep_min_p(some_logits(), p), processors.MinPLogitsWarper(p)(NO_TEXT, some_logits()))


@pytest.mark.parametrize("p", [0.01, 0.2, 0.7, 0.95, 0.999])
@pytest.mark.parametrize("k", [50, 7])
def test_typical_equals_transformers(processors: Any, p: float, k: int) -> None:
    """Also where others have been ruled out before."""
    logits = keep_top_k(some_logits(), k)
    assert torch.equal(keep_typical(logits, p), processors.TypicalLogitsWarper(p)(NO_TEXT, logits))


def test_typical_may_leave_out_the_most_likely_token() -> None:
    kept = keep_typical(torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log(), 0.25)
    assert kept.isfinite().tolist() == [[False, True, False, False]]  # entropy 1.28: 0.3 surprises by 1.20


@pytest.mark.parametrize("penalty", [0.7, 1.3])
def test_repetition_penalty_equals_transformers(processors: Any, penalty: float) -> None:
    ids = torch.randint(50, (6, 9), generator=torch.Generator().manual_seed(1))
    seen = torch.zeros(6, 50, dtype=torch.bool).scatter(1, ids, True)
    expected = processors.RepetitionPenaltyLogitsProcessor(penalty)(ids, some_logits())
    assert torch.equal(penalize(some_logits(), seen, penalty), expected)


def test_bias_equals_transformers(processors: Any) -> None:
    bias = {3: 2.5, 0: -1.0, 49: 100.0}
    theirs = processors.SequenceBiasLogitsProcessor([[[token], more] for token, more in bias.items()])
    assert torch.equal(add_bias(some_logits(), bias), theirs(NO_TEXT, some_logits()))


def test_banned_tokens_equal_transformers(processors: Any) -> None:
    theirs = processors.SuppressTokensLogitsProcessor([4, 7, 49])
    assert torch.equal(rule_out(some_logits(), (4, 7, 49)), theirs(NO_TEXT, some_logits()))


def test_a_forced_token_equals_transformers(processors: Any) -> None:
    expected = processors.ForcedBOSTokenLogitsProcessor(5)(NO_TEXT, some_logits())
    assert torch.equal(force(some_logits(), [5] * 6), expected)
    some = force(some_logits(), [None, 5, None, 7, None, None])
    assert torch.equal(some[1], expected[1])
    assert some[3].argmax() == 7
    assert torch.equal(some[[0, 2, 4, 5]], some_logits()[[0, 2, 4, 5]])


def test_presence_and_frequency_are_openais_formula() -> None:
    """mu[j] - c[j] * frequency - (c[j] > 0) * presence"""
    logits, counts = some_logits(1, 4), torch.tensor([[0.0, 1.0, 2.0, 5.0]])
    found = penalize_counts(logits, counts, presence=0.6, frequency=0.2)
    expected = [float(logits[0, j]) - c * 0.2 - (c > 0) * 0.6 for j, c in enumerate([0, 1, 2, 5])]
    assert found[0].tolist() == pytest.approx(expected)


def test_tokens_that_are_not_there_are_refused() -> None:
    for change in (
        lambda: add_bias(some_logits(), {50: 1.0}),
        lambda: rule_out(some_logits(), (3, 50)),
        lambda: force(some_logits(), [50] * 6),
    ):
        with pytest.raises(UserError, match="there is no token 50; the model has 50, from 0 to 49"):
            change()


def test_the_edges_of_the_unit_interval_draw_possible_tokens() -> None:
    logits = torch.tensor([[-math.inf, 0.0, 1.0, -math.inf]] * 3)
    points = torch.tensor([0.0, 1 - 2**-53, 0.5], dtype=torch.float64)
    assert draw(logits, points).tolist() == [1, 2, 2]


def test_where_nothing_can_be_drawn_it_is_said_of_that_row() -> None:
    logits = torch.tensor([[-math.inf, -math.inf], [0.0, 1.0], [math.nan, 1.0], [math.inf, 0.0]])
    points = torch.full((4,), 0.9, dtype=torch.float64)
    assert draw(logits, points).tolist() == [NOTHING, 1, NOTHING, NOTHING]
    assert most_likely(logits).tolist() == [NOTHING, 1, NOTHING, NOTHING]


def test_log_probabilities_of_the_chosen_and_of_the_likeliest() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]).log()
    chosen, values, ids = log_probabilities(logits, torch.tensor([2, 2]), top=2)
    assert chosen.exp().tolist() == pytest.approx([0.2, 0.7])
    assert values.exp().flatten().tolist() == pytest.approx([0.5, 0.3, 0.7, 0.2])
    assert ids.tolist() == [[0, 1], [2, 1]]
    assert log_probabilities(logits, torch.tensor([0, 0]))[1].shape == (2, 0)
    assert log_probabilities(logits, torch.tensor([0, 0]), top=9)[1].shape == (2, 3)


NUMBERS = st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=30).map(lambda row: torch.tensor([row]))


@given(logits=NUMBERS, p=st.floats(0.001, 1.0), k=st.integers(1, 40))
def test_what_is_kept_is_enough_and_unchanged(logits: Tensor, p: float, k: int) -> None:
    """A limit keeps a token at least, changes no logit that it keeps, and top-p and typical keep p in all."""
    for kept in (keep_top_k(logits, k), keep_top_p(logits, p), keep_min_p(logits, p), keep_typical(logits, p)):
        live = kept.isfinite()
        assert live.any()
        assert torch.equal(kept[live], logits[live])
    assert keep_top_k(logits, k).isfinite().sum() >= min(k, logits.shape[-1])
    shares = logits.softmax(-1)
    for kept in (keep_top_p(logits, p), keep_typical(logits, p)):
        assert float(shares[kept.isfinite()].sum()) >= p - 1e-5
    assert keep_top_p(logits, p).max() == logits.max()


@given(logits=NUMBERS, point=st.floats(0, 1, exclude_max=True))
def test_a_draw_falls_on_its_stretch(logits: Tensor, point: float) -> None:
    (token,) = draw(logits, torch.tensor([point], dtype=torch.float64)).tolist()
    shares = logits.softmax(-1)[0].double()
    total = float(shares.sum())
    assert shares[token] > 0
    assert float(shares[:token].sum()) <= point * total + 1e-12
    assert point * total <= float(shares[: token + 1].sum()) + 1e-12
