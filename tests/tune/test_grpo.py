"""Groups of texts learn the planted preference; what a text is worth is its method's."""

from pathlib import Path

import pytest
import torch

from hornbook.generate.language_model import LanguageModel
from hornbook.objective.advantages import LeaveOneOut, Method, Normalised, Unbiased
from hornbook.objective.kl import Kl
from hornbook.tune.grpo import Compared, Grpo
from tests.train.writers import decoder, prompts, writer
from tests.tune import planted
from tests.tune.doubles import place_at, trained
from tests.tune.rewarded import KEPT, asked, stage


@pytest.mark.slow
@pytest.mark.parametrize("method", [Normalised(), Unbiased(), LeaveOneOut()], ids=["grpo", "dr_grpo", "rloo"])
def test_a_planted_preference_is_learned(method: Method, planted_base: Path, tmp_path: Path) -> None:
    """The share of held-out answers without the word rises by more than chance; the divergence stays small."""
    sizes = {"prompts_per_step": 8, "samples_per_prompt": 8, "max_new_tokens": 24, "template": None}
    rows = asked(tmp_path / "rows.jsonl", 700)
    given = stage(Grpo, rows, steps=25, method=method, reward=KEPT, **sizes)
    place = place_at(tmp_path / "run", planted_base)
    model = trained(given, place)
    scores = given.score(place, model)
    assert scores["reward"]["interval"][0] > scores["reward_before"]["interval"][1]
    assert scores["reward_gain"]["interval"][0] > 0.1
    assert scores["kl"]["value"] < 3  # nats an answer
    before, after = (planted.kept(LanguageModel.load(path)) for path in (planted_base, model))
    assert after - before > 30  # of 200: three deviations


def test_worth_of_texts() -> None:
    """Of two prompts with three texts each; the divergence is a part of RLOO's reward and of GRPO's loss."""
    found = writer(decoder()).write(prompts(2), [[1, 2, 3], [4, 5, 6]])
    found.rewards = torch.tensor([1.0, 0.0, 0.0, 2.0, 2.0, float("nan")], dtype=torch.float64)
    found.reference = found.old - 1.0  # a nat a token
    tokens = found.new_tokens
    worth = Compared(Normalised(), 3, 10, Kl())(found, 0.5)
    assert worth.kl == 0.5
    assert worth.counts.tolist() == [1, 1, 1, 1, 1, 0]
    first = worth.advantages[found.starts]
    assert first.tolist() == pytest.approx([1.15450, -0.57725, -0.57725, 0, 0, 0], abs=1e-4)  # (1 - 1/3) / 0.57735
    assert worth.weights[found.starts].tolist() == pytest.approx([*(1 / tokens[:5]).tolist(), 0])
    left_out = Compared(LeaveOneOut(), 3, 10, Kl())(found, 0.5)
    rewards = found.rewards[:3] - 0.5 * tokens[:3]
    expected = [float(rewards[i] - (rewards.sum() - rewards[i]) / 2) for i in range(3)]
    assert left_out.advantages[found.starts][:3].tolist() == pytest.approx(expected)
    assert left_out.kl == 0
