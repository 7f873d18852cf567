"""The loss on held-out conversations is that of each alone, and its interval is over conversations."""

import numpy as np
import pytest
import torch

from hornbook.core import recipe
from hornbook.data.batches import IGNORE, Batch
from hornbook.data.instruction import Example
from hornbook.evaluate.held_out import TOKENS, groups, held_out_loss
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.objective.language import NextToken


@pytest.fixture(scope="module")
def model() -> DecoderModel:
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", ["embed.vocab=50", "length=64"])
    return config.build(torch.Generator().manual_seed(0))


def examples(count: int) -> list[Example]:
    draw = np.random.default_rng(0)
    found = []
    for number in range(count):
        ids = draw.integers(0, 50, size=draw.integers(5, 60)).astype(np.int32)
        labels = np.where(np.arange(len(ids) - 1) < 2, IGNORE, ids[1:]).astype(np.int32)
        found.append(Example(ids[:-1], labels, str(number)))
    return found


def test_it_is_the_loss_of_each_row_alone(model: DecoderModel) -> None:
    rows, total, count = examples(20), 0.0, 0
    for row in rows:
        pair = [torch.from_numpy(part.astype(np.int64))[None] for part in (row.inputs, row.labels)]
        with torch.no_grad():
            loss = NextToken()(model, Batch(*pair))
        total, count = total + float(loss.sum), count + loss.count
    found = held_out_loss(model, rows)
    assert found["value"] == pytest.approx(total / count, rel=1e-6)
    assert found["of"] == 20
    low, high = found["interval"]
    assert low < found["value"] < high


def test_more_rows_make_a_narrower_interval(model: DecoderModel) -> None:
    few, many = (held_out_loss(model, examples(count))["interval"] for count in (10, 160))
    assert many[1] - many[0] < 0.5 * (few[1] - few[0])


def test_rows_go_together_as_far_as_they_fit() -> None:
    row = np.zeros(1500, dtype=np.int32)
    together = groups([Example(row[:size], row[:size], "") for size in (1, 700, 1024, 1400, 1500)])
    assert [[len(each.inputs) for each in group] for group in together] == [[1, 700, 1024], [1400, 1500]]
    assert all(len(group) * len(group[-1].inputs) <= TOKENS for group in together)
