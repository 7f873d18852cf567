"""Advantages worked out by hand."""

import pytest
import torch

from hornbook.objective.advantages import LeaveOneOut, Normalised, Unbiased, gae, whiten


def test_gae_by_hand() -> None:
    """Three tokens, discount 0.9, trace 0.8.

    delta_2 = 1 + 0.9 * 0   - 0.2 =  0.8       A_2 = 0.8
    delta_1 = 0 + 0.9 * 0.2 - 0.4 = -0.22      A_1 = -0.22 + 0.72 * 0.8   = 0.356
    delta_0 = 0 + 0.9 * 0.4 - 0.5 = -0.14      A_0 = -0.14 + 0.72 * 0.356 = 0.11632
    """
    rewards, values = torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([[0.5, 0.4, 0.2]])
    found = gae(rewards, values, discount=0.9, trace=0.8)
    assert found[0].tolist() == pytest.approx([0.11632, 0.356, 0.8])


def test_a_shorter_row_is_as_if_alone() -> None:
    rewards, values = torch.tensor([[0.0, 1.0, 0.0], [0.3, 0.1, 2.0]]), torch.tensor([[0.5, 0.4, 0.0], [0.1, 0.2, 0.3]])
    both = gae(rewards, values, trace=0.9)
    torch.testing.assert_close(both[:1, :2], gae(rewards[:1, :2], values[:1, :2], trace=0.9))
    assert both[0, 2] == 0


def test_with_trace_and_discount_of_one_it_is_what_came_less_what_was_expected() -> None:
    rewards, values = torch.rand(4, 7), torch.rand(4, 7)
    to_come = rewards.flip(1).cumsum(1).flip(1)
    torch.testing.assert_close(gae(rewards, values), to_come - values)


def test_groups_by_hand() -> None:
    """Of 1, 0, 0, 1 the mean is 0.5, the deviation sqrt(4 * 0.25 / 3) = 0.57735; the others of a 1 have mean 1/3."""
    rewards = torch.tensor([[1.0, 0.0, 0.0, 1.0]])
    assert Normalised().advantages(rewards)[0].tolist() == pytest.approx(
        [0.86588, -0.86588, -0.86588, 0.86588], abs=1e-5
    )
    assert Unbiased().advantages(rewards)[0].tolist() == [0.5, -0.5, -0.5, 0.5]
    assert LeaveOneOut().advantages(rewards)[0].tolist() == pytest.approx([2 / 3, -2 / 3, -2 / 3, 2 / 3])


@pytest.mark.parametrize("method", [Normalised(), Unbiased(), LeaveOneOut()])
def test_a_prompt_whose_texts_are_all_the_same_teaches_nothing(method: Normalised | Unbiased | LeaveOneOut) -> None:
    assert method.advantages(torch.full((2, 5), 0.7)).abs().max() < 1e-6


def test_what_a_token_weighs() -> None:
    """A text weighs 1 in GRPO, its share of the most there may be in Dr. GRPO, as much as it has tokens in RLOO."""
    tokens = torch.tensor([2, 8])
    for method, texts in ((Normalised(), [1, 1]), (Unbiased(), [0.25, 1]), (LeaveOneOut(), [2, 8])):
        assert (method.weights(tokens, 8) * tokens).tolist() == pytest.approx(texts)


def test_white_numbers_have_mean_0_and_deviation_1() -> None:
    found = whiten(torch.tensor([1.0, 2.0, 6.0]))
    assert float(found.mean()) == pytest.approx(0, abs=1e-6)
    assert float(found.std()) == pytest.approx(1)
    assert whiten(torch.tensor([3.0])).tolist() == [3.0]
