"""fp16's scale halves when gradients run over and grows back; the others have none."""

import pytest
import torch

from hornbook.core.run import Run
from hornbook.optim.adamw import AdamW
from hornbook.train.config import Train
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks
from hornbook.train.precision import GROW_AFTER, START, Precision
from tests.train.doubles import Ears, job


def test_the_scale_halves_on_overflow_and_doubles_after_good_steps():
    precision = Precision("fp16", "cpu")
    assert precision.scale == START
    assert precision.overflowed(float("inf"))
    assert precision.scale == START / 2
    assert not any(precision.overflowed(1.0) for _ in range(GROW_AFTER))
    assert precision.scale == START


def test_other_numbers_have_no_scale():
    assert not Precision("bf16", "cpu").overflowed(float("inf"))
    assert Precision("fp32", "cpu").scale == 1.0


@pytest.mark.parametrize("name", ["bf16", "fp16"])
def test_sixteen_bits_track_fp32_within_two_percent(tmp_path, name):
    last = {}
    for precision in ("fp32", name):
        ears = Ears()
        config = Train(steps=30, tokens_per_step=32, optimizer=AdamW(lr=0.03))
        run = Run(tmp_path / precision)
        Trainer(config, job(), run, listener=ears, ranks=Ranks(), precision=precision).fit()
        last[precision] = ears.steps[-1]["loss"]
    assert last[name] == pytest.approx(last["fp32"], rel=0.02)


def test_products_run_in_the_chosen_numbers():
    left = torch.ones(2, 2)
    with Precision("bf16", "cpu").context():
        assert (left @ left).dtype == torch.bfloat16
    with Precision("fp32", "cpu").context():
        assert (left @ left).dtype == torch.float32
