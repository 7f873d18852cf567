"""The five losses against trl's on the same logits, against hand-worked numbers, and packed against alone."""

import math
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hornbook.objective import preference
from hornbook.objective.preference import DPO, IPO, KTO, ORPO, Simpo
from tests.objective.answered import Case, case, padded

ALL = [DPO(), DPO(beta=0.4, label_smoothing=0.2), IPO(), KTO(rejected_weight=0.7), ORPO(), Simpo()]


def ours(objective: Any, given: Case, point: float = 0.0) -> tuple[Tensor, Tensor]:
    """The mean loss, and its gradient by the logits."""
    model = given.model()
    loss = objective(model, given.batch(point))
    (loss.sum / loss.count).backward()
    return (loss.sum / loss.count).detach(), model.logits.grad


def trl_stub(**fields: Any) -> Any:
    gather = SimpleNamespace(device=torch.device("cpu"), gather=lambda x: x, gather_for_metrics=lambda x: x)
    usual = {"_metrics": {"train": defaultdict(list)}, "_total_train_tokens": 0, "_tp_size": 1, "ld_alpha": None}
    model = SimpleNamespace(training=True)
    return SimpleNamespace(**{"accelerator": gather, "model": model, "aux_loss_enabled": False, **usual, **fields})


def says(answers: list[Any], logits: Tensor) -> tuple[dict[str, Tensor], Any]:
    """The inputs of a trl trainer, and a model that answers with these logits."""
    inputs = padded(answers, logits)
    each = inputs.pop("log_probs")
    nothing = torch.zeros_like(each)
    output = SimpleNamespace(log_probs=each, entropy=nothing, mean_logits=nothing, is_top1=nothing.bool())
    return inputs, lambda **_: output


def trl_dpo(given: Case, logits: Tensor, **fields: Any) -> Tensor:
    trainer = pytest.importorskip("trl.trainer.dpo_trainer")
    order = [*range(0, len(given.answers), 2), *range(1, len(given.answers), 2)]
    inputs, model = says([given.answers[i] for i in order], logits[order])
    inputs |= {"ref_chosen_logps": given.rows.reference[:, 0], "ref_rejected_logps": given.rows.reference[:, 1]}
    usual = {"precompute_ref_logps": True, "f_divergence_type": "reverse_kl", "loss_weights": [1.0]}
    stub = trl_stub(**usual, use_weighting=False, label_smoothing=0.0, **fields)
    loss: Tensor = trainer.DPOTrainer._compute_loss(stub, model, inputs, False)
    return loss


@pytest.mark.filterwarnings("ignore")  # of trl's imports
@pytest.mark.parametrize(("objective", "kind", "beta"), [(DPO(beta=0.3), "sigmoid", 0.3), (IPO(tau=0.2), "ipo", 0.2)])
def test_dpo_and_ipo_are_trls(objective: Any, kind: str, beta: float) -> None:
    given = case()
    logits = given.logits.clone().requires_grad_()
    theirs = trl_dpo(given, logits, loss_types=[kind], beta=beta)
    theirs.backward()
    loss, gradient = ours(objective, given)
    assert float(loss) == pytest.approx(float(theirs), abs=1e-6, rel=1e-6)
    torch.testing.assert_close(gradient, logits.grad, atol=1e-6, rtol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_kto_is_trls() -> None:
    """At trl's reference point, which is that of a micro-batch; both weights in use."""
    trainer = pytest.importorskip("trl.trainer.kto_trainer")
    given = case()
    logits = given.logits.clone().requires_grad_()
    inputs, model = says(given.answers, logits)
    inputs |= {"label": torch.tensor([True, False] * 5), "ref_logps": given.rows.reference.flatten()}
    inputs |= {"ref_KL_logps": torch.full((10,), -3.0)}
    stub = trl_stub(
        precompute_ref_logps=True, calculate_KL=True, loss_type="kto", beta=0.3,
        desirable_weight=1.2, undesirable_weight=0.7, _compute_kl_logps=lambda *_: torch.full((10,), -2.25),
    )  # fmt: skip
    theirs = trainer.KTOTrainer._compute_loss(stub, model, inputs, False)
    theirs.backward()
    loss, gradient = ours(KTO(beta=0.3, chosen_weight=1.2, rejected_weight=0.7), given, point=0.75)
    assert float(loss) == pytest.approx(float(theirs), abs=1e-6, rel=1e-6)
    torch.testing.assert_close(gradient, logits.grad, atol=1e-6, rtol=1e-5)


def means(given: Case, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Mean log-probability a token of the chosen and the rejected answers."""
    inputs = padded(given.answers, logits)
    mean = inputs["log_probs"].sum(1) / inputs["completion_mask"].sum(1)
    return mean[::2], mean[1::2]


@pytest.mark.filterwarnings("ignore")
def test_orpo_is_trls() -> None:
    """With answers of one length the two normalisations of the likelihood are one (trl's is over prompts as well)."""
    trainer = pytest.importorskip("trl.experimental.orpo.orpo_trainer")
    given = case(equal=True)
    logits = given.logits.clone().requires_grad_()
    chosen, rejected = means(given, logits)
    losses, *_ = trainer.ORPOTrainer.odds_ratio_loss(trl_stub(beta=0.25), chosen, rejected)
    inputs = padded(given.answers, logits)
    likelihood = inputs["log_probs"][::2].sum() / inputs["completion_mask"][::2].sum()
    theirs = -likelihood - losses.mean()
    theirs.backward()
    loss, gradient = ours(ORPO(weight=0.25), given)
    assert float(loss) == pytest.approx(float(theirs), abs=1e-6, rel=1e-6)
    torch.testing.assert_close(gradient, logits.grad, atol=1e-6, rtol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "smoothing"), [("simpo", 0.0), ("sigmoid", 0.15)])
def test_simpo_and_smoothed_dpo_are_trls(kind: str, smoothing: float) -> None:
    """trl's CPO trainer has both; of cDPO the formula is the same with log-ratios in place of log-probabilities."""
    trainer = pytest.importorskip("trl.experimental.cpo.cpo_trainer")
    given = case()
    stub = trl_stub(loss_type=kind, alpha=0.0, beta=2.2, simpo_gamma=0.7, label_smoothing=smoothing)
    if kind == "simpo":
        chosen, rejected = means(given, given.logits)
        loss, _ = ours(Simpo(beta=2.2, gamma=0.7), given)
    else:
        inputs = padded(given.answers, given.logits)
        ratio = inputs["log_probs"].sum(1).view(-1, 2) - given.rows.reference
        chosen, rejected = ratio[:, 0], ratio[:, 1]
        loss, _ = ours(DPO(beta=2.2, label_smoothing=smoothing), given)
    losses, *_ = trainer.CPOTrainer.cpo_loss(stub, chosen, rejected)
    assert float(loss) == pytest.approx(float(losses.mean()), abs=1e-6, rel=1e-6)


def test_by_hand() -> None:
    """One pair: the model is a nat surer of the chosen answer than the reference, and a nat less of the other."""
    up, down, half = torch.tensor([1.0]), torch.tensor([-1.0]), math.log(0.5)
    sigmoid = 1 / (1 + math.exp(-0.2))
    assert float(preference.dpo(up, down, beta=0.1)) == pytest.approx(-math.log(sigmoid))
    smooth = -0.9 * math.log(sigmoid) - 0.1 * math.log(1 - sigmoid)
    assert float(preference.dpo(up, down, beta=0.1, smoothing=0.1)) == pytest.approx(smooth)
    assert float(preference.ipo(up, down, tau=0.1)) == pytest.approx((2 - 5) ** 2)
    for wanted, by_hand in ((True, 1 - 1 / (1 + math.exp(-0.5))), (False, 1 - 1 / (1 + math.exp(0.5)))):
        found = preference.kto(up, torch.tensor([wanted]), torch.tensor([0.5]), beta=1.0)
        assert float(found) == pytest.approx(by_hand)
    # p = 1/2 against p = 1/4: odds 1 and 1/3
    found = preference.orpo(torch.tensor([half]), torch.tensor([2 * half]), weight=0.1)
    assert float(found) == pytest.approx(-half - 0.1 * math.log(3 / (1 + 3)))
    found = preference.simpo(torch.tensor([half]), torch.tensor([2 * half]), beta=2.0, gamma=1.0)
    assert float(found) == pytest.approx(math.log(1 + math.exp(-(2 * math.log(2) - 1))))


@pytest.mark.parametrize("objective", ALL, ids=lambda each: type(each).__name__)
def test_packing_and_cutting_a_step_up_change_nothing(objective: Any) -> None:
    """Every pair alone, all in few rows, and one row at a time: the same sum, the same gradient."""
    whole, alone = case(length=64), case(length=64)
    alone.rows.packs = [[pair] for pair in range(5)]
    assert len(whole.rows.packs) < 5
    loss, gradient = ours(objective, whole, point=0.3)
    for other in (ours(objective, alone, point=0.3), _in_pieces(objective, whole)):
        torch.testing.assert_close(other[0], loss, atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(other[1], gradient, atol=1e-6, rtol=1e-5)


def _in_pieces(objective: Any, given: Case) -> tuple[Tensor, Tensor]:
    """A row at a time, gradients accumulated, divided by the count of all."""
    whole, total, count, gradient = given.rows.packs, 0.0, 0, torch.zeros_like(given.logits)
    for pack in whole:
        given.rows.packs = [pack]
        model = given.model()
        loss = objective(model, given.batch(0.3))
        loss.sum.backward()
        total, count, gradient = total + loss.sum.detach(), count + loss.count, gradient + model.logits.grad
    given.rows.packs = whole
    return total / count, gradient / count


@pytest.mark.parametrize("objective", ALL, ids=lambda each: type(each).__name__)
def test_a_step_makes_what_is_wanted_likelier(objective: Any) -> None:
    given = case()
    model = given.model()
    before = objective(model, given.batch())
    for _ in range(20):
        loss = objective(model, given.batch())
        (gradient,) = torch.autograd.grad(loss.sum, model.logits)
        with torch.no_grad():
            model.logits -= 0.5 * gradient
    after = objective(model, given.batch())
    assert float(after.sum.detach()) < float(before.sum.detach())
    assert after.shares["margin"][0] > before.shares["margin"][0]
    assert set(after.shares) <= set(objective.SHARES)
    assert objective.count(given.batch()) == after.count == (10 if isinstance(objective, KTO) else 5)


def test_shares_are_of_what_is_there() -> None:
    """At the reference itself nothing has drifted and no answer is preferred: half right by chance."""
    given = case()
    chosen, rejected = padded(given.answers, given.logits)["log_probs"].sum(1).view(-1, 2).T
    given.rows.reference = torch.stack([chosen, rejected], 1)
    shares = DPO()(given.model(), given.batch()).shares
    assert shares["drift"][0] == pytest.approx(0, abs=1e-4)
    assert shares["drift"][1] == sum(len(answer.ids) - answer.start for answer in given.answers)
    total, count = shares["chosen_log_p"]
    assert (total / count, count) == (pytest.approx(float(chosen.mean()), rel=1e-5), 5)


@pytest.mark.parametrize("objective", ALL, ids=lambda each: type(each).__name__)
def test_nothing_to_train_on_is_nothing(objective: Any) -> None:
    given = case(pairs=1)
    batch = given.batch()
    batch.labels.fill_(-100)
    model = given.model()
    loss = objective(model, batch)
    loss.sum.backward()
    assert (float(loss.sum.detach()), loss.count) == (0.0, 0)
    assert not model.logits.grad.any()


def test_a_sure_answer_does_not_make_orpo_infinite() -> None:
    """p = 1 has infinite odds; the loss stays a number, and so does its gradient."""
    sure = torch.tensor([0.0], requires_grad=True)
    loss = preference.orpo(sure, torch.tensor([-40.0]), weight=0.1).sum()
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(sure.grad).all()
    exact = torch.log(1 - torch.tensor([-1e-3, -0.5, -3.0], dtype=torch.float64).exp())
    torch.testing.assert_close(preference._log_complement(torch.tensor([-1e-3, -0.5, -3.0])), exact.float())


@pytest.mark.parametrize(
    ("kind", "fields"), [(DPO, {"beta": 0}), (DPO, {"label_smoothing": 0.5}), (IPO, {"tau": -1}), (KTO, {"beta": 0})]
)
def test_what_makes_no_sense_is_refused(kind: Any, fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        kind(**fields)


def test_reduction_of_kto_at_the_point() -> None:
    """Where the ratio is the reference point the value is a half, whichever way the answer was judged."""
    found = preference.kto(torch.tensor([2.0, 2.0]), torch.tensor([True, False]), torch.tensor([2.0, 2.0]), beta=0.1)
    assert found.tolist() == pytest.approx([0.5, 0.5])
    assert F.sigmoid(torch.tensor(0.0)) == 0.5
