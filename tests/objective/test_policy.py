"""Losses of policies: by hand, beside trl's, and the same however the rows are cut."""

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hornbook.objective.advantages import LeaveOneOut, Normalised, Unbiased
from hornbook.objective.batch import IGNORED
from hornbook.objective.policy import (
    Clip,
    Clipped,
    Proximal,
    Reading,
    Samples,
    clipped_surrogate,
    clipped_value_loss,
)
from hornbook.train.learner import Critic
from tests.train.doubles import VOCAB, Bigram

LENGTHS = (3, 6, 1, 4)  # tokens that the policy wrote


class Policy(Bigram):
    """A tiny language model with a critic."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = Critic(12)
        nn.init.normal_(self.critic.weight, generator=torch.Generator().manual_seed(1))


def samples(method: Normalised | Unbiased | LeaveOneOut | None = None, *, kl: float = 0.0) -> Samples:
    """Four made-up texts after prompts of two tokens, with numbers as if the policy had moved since."""
    draw = torch.Generator().manual_seed(3)
    inputs = torch.randint(VOCAB, (4, 8), generator=draw)
    labels = torch.full((4, 8), IGNORED)
    for row, length in enumerate(LENGTHS):
        labels[row, 1 : 1 + length] = torch.randint(VOCAB, (length,), generator=draw)
    tokens, lengths = sum(LENGTHS), torch.tensor(LENGTHS)
    random = [torch.randn(tokens, generator=draw) for _ in range(4)]
    weights = torch.ones(4) if method is None else method.weights(lengths, 6)
    advantages = torch.randn(4, generator=draw).repeat_interleave(lengths)
    return Samples(
        inputs, labels, old=random[0] * 0.3 - 2.8, advantages=advantages,
        weights=weights.repeat_interleave(lengths), reference=random[1] * 0.3 - 2.8, values=random[2],
        returns=random[3], count=4 if method else tokens, kl=kl,
    )  # fmt: skip


def some(batch: Samples, rows: slice, count: int) -> Samples:
    """A part of the rows."""
    owner = torch.arange(4).repeat_interleave(torch.tensor(LENGTHS))
    here = (owner >= rows.start) & (owner < rows.stop)
    per_token = {n: getattr(batch, n)[here] for n in ("old", "advantages", "weights", "reference", "values", "returns")}
    return Samples(batch.input_ids[rows], batch.labels[rows], **per_token, count=count, kl=batch.kl)


def test_the_surrogate_by_hand() -> None:
    """Ratios 1.5 and 0.5 for advantages 2 and -1, clipped at 0.8 and 1.2 (Schulman et al. 2017, figure 1).

    1.5 *  2 =  3   clipped 1.2 *  2 =  2.4: the smaller is 2.4, held back
    0.5 *  2 =  1   clipped 0.8 *  2 =  1.6: 1
    1.5 * -1 = -1.5 clipped 1.2 * -1 = -1.2: -1.5
    0.5 * -1 = -0.5 clipped 0.8 * -1 = -0.8: -0.8, held back
    """
    ratio, advantages = torch.tensor([1.5, 0.5, 1.5, 0.5]), torch.tensor([2.0, 2.0, -1.0, -1.0])
    loss, held = clipped_surrogate(ratio.log(), advantages, Clip())
    assert loss.tolist() == pytest.approx([-2.4, -1.0, 1.5, 0.8])
    assert held.tolist() == [True, False, False, True]
    assert clipped_surrogate(ratio.log(), advantages, Clip(high=0.4))[0][0] == pytest.approx(-2.8)


def test_the_clipped_value_loss_by_hand() -> None:
    """Value 1, was 0.5, return 0.6: (1 - 0.6)^2 / 2 = 0.08, the clipped 0.7 would give 0.005; the larger counts.

    Value 1, was 0.5, return 1.4: 0.16 / 2 = 0.08, the clipped 0.7 gives 0.49 / 2 = 0.245.
    """
    values, old = torch.tensor([1.0, 1.0]), torch.tensor([0.5, 0.5])
    assert clipped_value_loss(values, old, torch.tensor([0.6, 1.4]), 0.2).tolist() == pytest.approx([0.08, 0.245])


def theirs(module: str, name: str, batch: Samples, now: Tensor, **fields: Any) -> Tensor:
    """trl's loss on the same log-probabilities."""
    trainer = getattr(pytest.importorskip(f"trl.trainer.{module}"), name)
    mask = torch.arange(6)[None] < torch.tensor(LENGTHS)[:, None]

    def grid(flat: Tensor) -> Tensor:
        return torch.zeros(4, 6).masked_scatter(mask, flat)

    accelerator = SimpleNamespace(gather=lambda x: x, reduce=lambda x, reduction: x, num_processes=1)
    stub = SimpleNamespace(
        _get_per_token_logps_and_entropies=lambda *_, **__: (grid(now), torch.zeros(4, 6), None),
        aux_loss_enabled=False, top_entropy_quantile=1.0, off_policy_mask_threshold=None, use_vllm=False,
        importance_sampling_level="token", beta=batch.kl, epsilon_low=0.2, epsilon_high=0.2, max_completion_length=6,
        args=SimpleNamespace(use_bias_correction_kl=False, delta=None), model=SimpleNamespace(training=True),
        current_gradient_accumulation_steps=1, accelerator=accelerator, _entropy_bonus_enabled=False,
        _metrics={"train": defaultdict(list)}, **fields,
    )  # fmt: skip
    first = torch.tensor(LENGTHS).cumsum(0) - torch.tensor(LENGTHS)
    inputs = {
        "prompt_ids": batch.input_ids[:, :2], "prompt_mask": torch.ones(4, 2), "completion_ids": torch.ones(4, 6),
        "completion_mask": mask.long(), "advantages": batch.advantages[first], "old_per_token_logps": grid(batch.old),
        "old_logps": grid(batch.old).sum(1), "ref_per_token_logps": grid(batch.reference),
    }  # fmt: skip
    found: Tensor = trainer._compute_loss(stub, None, inputs)
    return found


def log_p(model: Policy, batch: Samples) -> Tensor:
    trained = batch.labels != IGNORED
    scores = model.head(model(batch.input_ids).hidden).log_softmax(-1)
    return scores[trained].gather(1, batch.labels[trained][:, None])[:, 0]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("method", "kind"), [(Normalised(), "grpo"), (Unbiased(), "dr_grpo")])
@pytest.mark.parametrize("kl", [0.0, 0.3])
def test_grpo_is_trls(method: Normalised | Unbiased, kind: str, kl: float) -> None:
    """Loss and gradient by the weights."""
    model, batch = Policy(), samples(method, kl=kl)
    loss = Clipped(clip=Clip(), reading=Reading())(model, batch)
    (loss.sum / loss.count).backward()  # type: ignore[no-untyped-call]
    ours = model.layer.weight.grad.clone()
    model.zero_grad()
    other = theirs("grpo_trainer", "GRPOTrainer", batch, log_p(model, batch), loss_type=kind)
    other.backward()
    assert float(loss.sum.detach() / loss.count) == pytest.approx(float(other), abs=1e-6)
    torch.testing.assert_close(ours, model.layer.weight.grad, atol=1e-6, rtol=0)


@pytest.mark.filterwarnings("ignore")
def test_rloo_has_trls_gradient_where_the_policy_wrote_the_texts() -> None:
    """There a ratio a token and a ratio a text are the same step."""
    model, batch = Policy(), samples(LeaveOneOut())
    batch = Samples(**{**batch.__dict__, "old": log_p(model, batch).detach()})
    loss = Clipped(clip=Clip(), reading=Reading())(model, batch)
    (loss.sum / loss.count).backward()  # type: ignore[no-untyped-call]
    ours = model.layer.weight.grad.clone()
    model.zero_grad()
    theirs("rloo_trainer", "RLOOTrainer", batch, log_p(model, batch)).backward()
    torch.testing.assert_close(ours, model.layer.weight.grad, atol=1e-6, rtol=0)


def test_ppo_adds_the_critics_loss() -> None:
    model, batch = Policy(), samples()
    loss = Proximal(clip=Clip(), reading=Reading(), value_weight=0.5)(model, batch)
    policy, _ = clipped_surrogate(log_p(model, batch) - batch.old, batch.advantages, Clip())
    values = model.critic(model(batch.input_ids).hidden[batch.labels != IGNORED])
    critic = clipped_value_loss(values, batch.values, batch.returns, 0.2)
    assert float(loss.sum) == pytest.approx(float((policy + 0.5 * critic).sum()), abs=1e-5)
    assert loss.count == sum(LENGTHS)
    assert loss.shares["value_loss"] == pytest.approx((float(critic.sum()), sum(LENGTHS)))


@pytest.mark.parametrize(
    "objective", [Clipped(clip=Clip(), reading=Reading()), Proximal(clip=Clip(), reading=Reading())]
)
def test_cutting_a_step_into_batches_changes_nothing(objective: Clipped) -> None:
    found = []
    for parts in ([(0, 4)], [(0, 1), (1, 4)]):
        model, batch = Policy(), samples(Normalised(), kl=0.1)
        losses = [objective(model, some(batch, slice(a, b), b - a)) for a, b in parts]
        torch.stack([loss.sum for loss in losses]).sum().backward()  # type: ignore[no-untyped-call]
        assert sum(loss.count for loss in losses) == 4
        found.append(model.layer.weight.grad)
    torch.testing.assert_close(found[0], found[1], atol=1e-6, rtol=0)


def test_temperature_and_what_is_never_written_are_the_engines() -> None:
    """The policy's logits are those that a token is drawn from."""
    model = Policy()
    hidden = torch.randn(5, 12, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Reading(0.5, 9).of(model.head)(hidden), model.head(hidden)[:, :9] / 0.5)


def test_texts_cannot_be_cut_and_clips_bound() -> None:
    with pytest.raises(ValueError, match="cannot be cut"):
        samples().cut(4)
    with pytest.raises(ValueError, match="bound no ratio"):
        Clip(low=1.5)
    assert samples().to("cpu").count == sum(LENGTHS)
    assert Clipped(clip=Clip(), reading=Reading()).count(samples()) == sum(LENGTHS)
