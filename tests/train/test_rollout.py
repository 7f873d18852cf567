"""Rows of a step are written when they are asked for, and are the same for whoever asks again."""

import json
from pathlib import Path

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.objective.kl import Kl
from hornbook.objective.policy import Samples
from hornbook.train.parallel import Ranks
from hornbook.train.rollout import Plan, deal
from tests.train.writers import rollouts


def texts(batch: Samples) -> list[tuple[list[int], list[int]]]:
    """Every row without its padding."""
    found = []
    for ids, labels in zip(batch.input_ids.tolist(), batch.labels.tolist(), strict=True):
        last = max(place for place, label in enumerate(labels) if label >= 0) + 1
        found.append((ids[:last], labels[:last]))
    return found


def test_a_step_is_the_same_however_it_is_asked_for(tmp_path: Path) -> None:
    plan = Plan(prompts=3, samples=4)
    whole = rollouts(tmp_path / "a", plan).batch(0, 12)
    pieces = rollouts(tmp_path / "b", plan)
    parts = [pieces.batch(first, size) for first, size in ((0, 5), (5, 4), (9, 3))]
    assert texts(whole) == [text for part in parts for text in texts(part)]
    for name in ("old", "advantages", "weights"):
        torch.testing.assert_close(getattr(whole, name), torch.cat([getattr(p, name) for p in parts]), atol=0, rtol=0)
    assert whole.count == sum(part.count for part in parts) == 12
    rewards = sum(part.seen["reward"][0] for part in parts)
    assert whole.seen["reward"] == (pytest.approx(rewards), 12.0)
    assert "generation_seconds" in whole.seen
    assert ["generation_seconds" in part.seen for part in parts] == [True, False, False]


def test_advantages_are_within_a_prompt(tmp_path: Path) -> None:
    """Those of its texts sum to nothing."""
    source = rollouts(tmp_path, Plan(prompts=3, samples=4))
    source.batch(0, 12)
    first = source.worth.advantages[source.written.starts].view(3, 4)
    assert first.sum(1).abs().max() < 1e-5
    assert first.abs().max() > 0.1


def test_a_rollout_may_serve_several_steps(tmp_path: Path) -> None:
    """Four updates, two passes: each text in two steps, in other company; then the model is asked again."""
    plan = Plan(prompts=2, samples=3, updates=4, passes=2)
    assert (plan.rows, plan.groups) == (6, 4)
    source = rollouts(tmp_path, plan)
    steps = [texts(source.batch(6 * step, 6)) for step in range(4)]
    assert sorted(steps[0] + steps[1]) == sorted(steps[2] + steps[3])
    assert source.number == 0
    source.batch(24, 6)
    assert source.number == 1
    assert source.rows_per_epoch == 5 * 3 * 2


def test_prompts_come_round_before_one_comes_again(tmp_path: Path) -> None:
    source = rollouts(tmp_path, Plan(prompts=5, samples=2))
    assert sorted(name for (name,) in source.documents(0, 10)) == [f"rows.jsonl:{n}" for n in range(1, 6)]
    source.batch(0, 10)
    names = [name for (name,) in source.documents(0, 10)]
    assert sorted(names) == sorted([f"rows.jsonl:{n}" for n in range(1, 6)] * 2)


def test_what_steps_have_learned_from_is_read_again(tmp_path: Path) -> None:
    """A process that comes to the second step of a rollout has another model by then."""
    plan = Plan(prompts=2, samples=3, updates=2, passes=2)
    first = rollouts(tmp_path, plan, kl=Kl())
    first.batch(0, 6)
    expected = first.batch(6, 6)
    again = rollouts(tmp_path, plan, kl=Kl())
    with torch.no_grad():
        for parameter in again.writer.model.parameters():
            parameter.add_(0.1)
    found = again.batch(6, 6)
    assert texts(found) == texts(expected)
    torch.testing.assert_close(found.old, expected.old, atol=0, rtol=0)
    for path in (tmp_path / "rollouts").glob("*"):
        path.rename(tmp_path / path.name)
    with pytest.raises(UserError, match="rollout 0 is gone"):
        rollouts(tmp_path, plan, kl=Kl()).batch(6, 6)


def test_the_first_step_of_a_rollout_always_asks_the_model(tmp_path: Path) -> None:
    """What lies there from before may be another model's."""
    plan = Plan(prompts=2, samples=3)
    rollouts(tmp_path, plan).batch(0, 6)
    again = rollouts(tmp_path, plan)
    with torch.no_grad():
        for parameter in again.writer.model.parameters():
            parameter.mul_(-1)
    assert texts(again.batch(0, 6)) != texts(rollouts(tmp_path / "other", plan).batch(0, 6))


def test_files_stay_as_long_as_a_checkpoint_may_ask(tmp_path: Path) -> None:
    source = rollouts(tmp_path, Plan(prompts=2, samples=2, updates=2, passes=2))
    for step, row in ((0, 0), (3, 12)):
        write_json(tmp_path / "checkpoints" / f"step-{step:08d}" / "state.json", {"row": row})
    for step in range(5):
        source.batch(4 * step, 4)
    assert len(list((tmp_path / "rollouts").iterdir())) == 3
    (tmp_path / "checkpoints" / "step-00000000" / "state.json").unlink()
    source.batch(24, 4)
    assert sorted(path.name[:8] for path in (tmp_path / "rollouts").iterdir()) == ["00000001", "00000002", "00000003"]


def test_every_text_is_written_down_once(tmp_path: Path) -> None:
    plan = Plan(prompts=2, samples=3)
    source = rollouts(tmp_path, plan, kl=Kl())
    for step in (0, 1, 2, 1, 2):  # as after a step back
        source.batch(6 * step, 6)
    rows = [json.loads(line) for line in (tmp_path / "rollouts.jsonl").read_text().splitlines()]
    assert [row["rollout"] for row in rows] == [0] * 6 + [1] * 6 + [2] * 6
    row = rows[0]
    assert row.keys() == {"rollout", "id", "prompt", "completion", "parts", "reward", "tokens", "finished", "kl"}
    assert row["reward"] == pytest.approx(sum(row["parts"].values()))
    assert row["kl"] == pytest.approx(0, abs=1e-4)
    rollouts(tmp_path, plan).batch(6, 6)  # a run that was killed goes on from an earlier checkpoint
    rows = [json.loads(line) for line in (tmp_path / "rollouts.jsonl").read_text().splitlines()]
    assert [row["rollout"] for row in rows] == [0] * 6 + [1] * 6


def test_the_coefficient_is_a_part_of_the_model(tmp_path: Path) -> None:
    """The policy is where it began, so each rollout lowers it by 2 %; the second step of one leaves it alone."""
    source = rollouts(tmp_path, Plan(prompts=2, samples=2, updates=2, passes=2), kl=Kl(coefficient=1.0, target=0.1))
    found = [source.batch(4 * step, 4).kl for step in range(4)]
    assert found == pytest.approx([0.98, 0.98, 0.9604, 0.9604])
    assert float(source.writer.model.state_dict()["kl_coefficient"]) == pytest.approx(0.9604)


def test_each_process_has_short_texts_and_long_ones(tmp_path: Path) -> None:
    assert deal([0, 1, 2, 3, 4, 5], [3, 3]) == [0, 2, 4, 1, 3, 5]
    plan = Plan(prompts=3, samples=3)
    alone, one_of_two = rollouts(tmp_path / "a", plan), rollouts(tmp_path / "b", plan)
    alone.batch(0, 9), one_of_two.batch(0, 9)
    one_of_two.home = type(one_of_two.home)(one_of_two.home.run, 7, Ranks(0, 2))
    assert sorted(one_of_two._order(0)) == sorted(alone._order(0)) == list(range(9))
