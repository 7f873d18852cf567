"""PPO learns the planted preference; every token's advantage is what the critic did not expect."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hornbook.core.errors import RecipeError
from hornbook.generate.language_model import LanguageModel
from hornbook.objective.kl import Kl
from hornbook.train.learner import Critic
from hornbook.tune.ppo import Expected, Ppo
from tests.train.writers import decoder, prompts, writer
from tests.tune import planted
from tests.tune.doubles import place_at, trained
from tests.tune.rewarded import KEPT, asked, stage


@pytest.mark.slow
def test_a_planted_preference_is_learned(planted_base: Path, tmp_path: Path) -> None:
    sizes = {"prompts_per_step": 64, "samples_per_prompt": 1, "max_new_tokens": 24, "template": None}
    more = {"updates_per_rollout": 2, "passes_per_rollout": 2}
    rows = asked(tmp_path / "rows.jsonl", 700)
    given = stage(Ppo, rows, steps=50, reward=KEPT, **sizes, **more)
    place = place_at(tmp_path / "run", planted_base)
    model = trained(given, place)
    scores = given.score(place, model)
    assert scores["reward"]["interval"][0] > scores["reward_before"]["interval"][1]
    assert scores["reward_gain"]["interval"][0] > 0.1
    assert scores["kl"]["value"] < 3
    before, after = (planted.kept(LanguageModel.load(path)) for path in (planted_base, model))
    assert after - before > 30


def test_what_a_token_is_worth() -> None:
    """With trace and discount 1: what is still to come less what was expected, made white over the rollout."""
    model = decoder()
    model.critic = Critic(24)
    torch.nn.init.normal_(model.critic.weight, generator=torch.Generator().manual_seed(0))
    found = writer(model).write(prompts(2), [[1, 2], [3, 4]])
    found.reference = found.old - 0.5
    worth = Expected(1.0, 1.0, Kl())(found, 0.1)
    for number, start in enumerate(found.starts.tolist()):
        length = int(found.new_tokens[number])
        paid = torch.full((length,), -0.05, dtype=torch.float64)  # 0.1 * 0.5 nats
        paid[-1] += found.rewards[number]
        assert worth.returns is not None
        torch.testing.assert_close(worth.returns[start : start + length], paid.flip(0).cumsum(0).flip(0))
    assert float(worth.advantages.mean()) == pytest.approx(0, abs=1e-6)
    assert float(worth.advantages.std()) == pytest.approx(1, abs=1e-6)
    assert worth.counts.tolist() == found.new_tokens.tolist()
    assert worth.kl == 0


def test_a_text_without_a_reward_teaches_nothing() -> None:
    model = decoder()
    model.critic = Critic(24)
    found = writer(model).write(prompts(2), [[1, 2], [3, 4]])
    found.rewards[2] = float("nan")
    worth = Expected(1.0, 0.95, None)(found, 0.0)
    here = slice(int(found.starts[2]), int(found.starts[3]))
    assert worth.weights[here].abs().sum() == 0
    assert worth.counts[2] == 0
    assert not worth.advantages.isnan().any()


def test_the_critic_is_in_the_checkpoint_and_not_in_the_model(tiny_base: Path, tmp_path: Path) -> None:
    given, place = stage(Ppo, asked(tmp_path / "rows.jsonl"), steps=2), place_at(tmp_path / "run", tiny_base)
    model = trained(given, place)
    assert load_file(model / "model.safetensors").keys() == load_file(tiny_base / "model.safetensors").keys()
    (kept,) = (tmp_path / "run" / "checkpoints").glob("*2")
    critic = load_file(kept / "model.safetensors")["critic.weight"]
    assert critic.abs().max() > 0


def test_shares_are_shares(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"trace: 1\.5 is not between 0 and 1"):
        stage(Ppo, tmp_path / "rows.jsonl", trace=1.5)
