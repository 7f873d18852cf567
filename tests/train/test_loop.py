"""The loop keeps its promises: exact resume, global normalisation, roll-back, clean stops, time budgets."""

import json
import os
import signal

import pytest
import torch

from hornbook.core.errors import Interrupted, UserError
from hornbook.core.run import Run
from hornbook.optim.adamw import AdamW
from hornbook.optim.muon import Muon
from hornbook.optim.schedule import BatchRamp
from hornbook.train.config import LengthRamp, Train
from hornbook.train.guard import Guard
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks
from tests.train.doubles import Bigram, Counting, Ears, job


def settings(**changes) -> Train:
    base = {"steps": 20, "tokens_per_step": 32, "save_every": 5, "validate_every": 10, "optimizer": AdamW(lr=0.03)}
    return Train(**{**base, **changes})


def fit(folder, config=None, ears=None, **changes):
    work = job(**changes)
    trainer = Trainer(config or settings(), work, Run(folder), listener=ears or Ears(), ranks=Ranks())
    trainer.fit()
    return work.model, trainer


def losses(folder):
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(row["step"], row["loss"]) for row in rows if "loss" in row]


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_it_learns_the_counting_language(tmp_path):
    fit(tmp_path, settings(steps=60))
    first, last = losses(tmp_path)[0][1], losses(tmp_path)[-1][1]
    assert first > 2.5
    assert last < 0.5


class Killed(Exception):
    pass


class KillAfter(Ears):
    """Stands in for the power cable: the process ends in the middle of a step's report."""

    def __init__(self, step):
        super().__init__()
        self.at = step

    def step(self, row, total, seconds_left):
        if row["step"] == self.at:
            raise Killed


@pytest.mark.parametrize("at", [1, 5, 7, 13, 20])
@pytest.mark.parametrize("optimizer", [AdamW(lr=0.03), Muon()])
def test_a_run_that_was_cut_ends_like_one_left_alone(tmp_path, at, optimizer):
    config = settings(optimizer=optimizer, ramp=BatchRamp(start=1, end=4, steps=8))
    calm, _ = fit(tmp_path / "calm", config, model=Bigram(dropout=0.3))
    with pytest.raises(Killed):
        fit(tmp_path / "cut", config, KillAfter(at), model=Bigram(dropout=0.3))
    again, _ = fit(tmp_path / "cut", config, model=Bigram(seed=9, dropout=0.3))
    assert same(calm, again)
    assert losses(tmp_path / "calm") == losses(tmp_path / "cut")


@pytest.mark.parametrize("micro", [1, 2, 3])
def test_accumulation_with_unequal_trained_tokens_is_the_big_batch(tmp_path, micro):
    whole, _ = fit(tmp_path / "whole", settings(steps=3, micro_batch=4))
    pieces, _ = fit(tmp_path / "pieces", settings(steps=3, micro_batch=micro))
    for one, other in zip(whole.parameters(), pieces.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=2e-6, rtol=1e-5)


def test_a_step_with_nothing_to_train_on_moves_nothing_and_is_no_nan(tmp_path):
    class Blank(Counting):
        def row(self, number):
            ids, labels = super().row(number)
            return ids, torch.full_like(labels, -100)

    optimizer = AdamW(lr=0.03, weight_decay=0.0)
    model, _ = fit(tmp_path, settings(steps=2, optimizer=optimizer), source=Blank())
    assert losses(tmp_path) == [(1, 0.0), (2, 0.0)]
    assert same(model, Bigram())


def test_a_spike_rolls_back_skips_its_rows_and_names_the_documents(tmp_path):
    poison = tuple(range(48, 52))  # the rows of step 13
    config = settings(steps=16, guard=Guard(window=4, sigmas=3.0), optimizer=AdamW(lr=0.05))
    ears = Ears()
    _model, trainer = fit(tmp_path, config, ears, source=Counting(poison=poison))
    event = json.loads((tmp_path / "events.jsonl").read_text())
    assert (event["step"], event["to"], event["rows"]) == (13, 10, [48, 52])
    assert event["documents"] == [f"row-{number}" for number in poison]
    assert [step for step, _ in losses(tmp_path)] == list(range(1, 17))
    assert trainer.progress.row == 17 * 4  # one step's rows were left out
    assert any("row-48" in note for note in ears.notes)


def test_the_guard_gives_up_when_everything_is_broken(tmp_path):
    class Broken(Bigram):
        def forward(self, input_ids, **rest):
            output = super().forward(input_ids, **rest)
            output.hidden = output.hidden * float("nan")
            return output

    with pytest.raises(UserError, match=r"the loss is nan.*lower the learning rate"):
        fit(tmp_path, settings(guard=Guard(patience=3)), model=Broken())


def test_a_truncated_checkpoint_is_named_and_the_one_before_is_used(tmp_path):
    calm, _ = fit(tmp_path / "calm")
    with pytest.raises(Killed):
        fit(tmp_path / "hurt", ears=KillAfter(18))
    newest = sorted((tmp_path / "hurt" / "checkpoints").iterdir())[-1]
    tensors = newest / "model.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-100])
    ears = Ears()
    again, _ = fit(tmp_path / "hurt", ears=ears)
    assert any(f"{newest}" in note and "model.safetensors has" in note for note in ears.notes)
    assert any("going on from step 10" in note for note in ears.notes)
    assert same(calm, again)


def test_a_signal_saves_and_stops_and_the_run_goes_on(tmp_path):
    class Signal(Ears):
        def step(self, row, total, seconds_left):
            if row["step"] == 7:
                os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="SIGTERM and saved at step 7"):
        fit(tmp_path / "run", ears=Signal())
    assert (tmp_path / "run" / "checkpoints" / "step-00000007").is_dir()
    ears = Ears()
    again, _ = fit(tmp_path / "run", ears=ears)
    assert ears.steps[0]["step"] == 8
    assert same(fit(tmp_path / "calm")[0], again)


class Hands:
    """A clock that only moves when rows are read."""

    now = 100.0

    def __call__(self):
        return self.now


def test_a_budget_ends_on_time_with_the_learning_rate_at_its_end(tmp_path):
    ears, hands = Ears(), Hands()

    class Slow(Counting):
        def batch(self, first_row, rows):
            hands.now += 0.013
            return super().batch(first_row, rows)

    config, work = settings(steps=None, budget="2s", save_every=1000), job(source=Slow())
    Trainer(config, work, Run(tmp_path), listener=ears, ranks=Ranks(), clock=hands).fit()
    assert hands.now - 100 == pytest.approx(2.0, abs=0.007)  # half a step
    rates = [row["lr"] for row in ears.steps]
    assert rates[-1] == pytest.approx(0.03 * 0.1, rel=0.01)
    assert max(rates) == pytest.approx(0.03, rel=0.02)


def test_validation_is_the_mean_over_the_held_out_rows(tmp_path):
    ears = Ears()
    held_out = Counting(seed=5)
    model, _trainer = fit(tmp_path, settings(validation_rows=6), ears, validation=held_out)
    assert [row["step"] for row in ears.validations] == [0, 10, 20]
    batch = held_out.batch(0, 6)
    hidden = model.eval()(batch.input_ids).hidden.detach()
    wanted = torch.nn.functional.cross_entropy(model.head(hidden).flatten(0, 1), batch.labels.flatten())
    assert ears.validations[-1]["validation_loss"] == pytest.approx(float(wanted.detach()), abs=1e-6)


def test_too_few_tokens_per_step_says_how_many_a_row_has(tmp_path):
    with pytest.raises(UserError, match=r"tokens_per_step: 4 holds 0 rows of 8 tokens; give at least 8"):
        fit(tmp_path, settings(tokens_per_step=4))


def test_rows_are_short_at_first_and_the_tokens_the_same(tmp_path):
    shapes = []

    class Watching(Bigram):
        def forward(self, input_ids, **rest):
            if self.training:
                shapes.append(tuple(input_ids.shape))
            return super().forward(input_ids, **rest)

    config = settings(steps=4, lengths=LengthRamp(start=4, until=0.5))
    model, _ = fit(tmp_path / "ramp", config, model=Watching())
    assert shapes == [(8, 4), (8, 4), (4, 8), (4, 8)]
    plain, _ = fit(tmp_path / "plain", settings(steps=4))
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other)  # a model without attention cannot see the cut


def test_a_short_length_that_does_not_divide_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"lengths.start: 3 does not divide the rows of 8 tokens"):
        fit(tmp_path, settings(lengths=LengthRamp(start=3, until=0.5)))
