"""KTO's point is that of a step: the same however the step is cut up, and new when the weights are."""

from pathlib import Path

import pytest
import torch

from hornbook.data.preference_rows import Comparisons
from hornbook.generate.language_model import LanguageModel
from hornbook.text.chat import Renderer
from hornbook.train.config import Train
from hornbook.tune.points import PointRows
from hornbook.tune.reference import Reader
from tests.tune.planted import pairs


@pytest.fixture
def rows(tiny_base: Path) -> PointRows:
    lm = LanguageModel.load(tiny_base)
    assert lm.tokenizer is not None
    given = [{**row, "prompt": [{"role": "user", "content": row["prompt"]}]} for row in pairs(24)]
    packed = Comparisons(length=128).build(given, Renderer(lm.tokenizer, "chatml"), seed=0)
    reader, strangers = Reader.of(lm.module, Train(steps=1, precision="fp32")), packed.strangers()
    strangers.reference = reader.log_p(strangers)
    return PointRows(packed, strangers, reader, group=3)


def move(rows: PointRows) -> None:
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in rows.reader.model.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=draw)


def by_hand(rows: PointRows, group: int) -> float:
    """The mean over all strangers of the step, each alone."""
    found = []
    with torch.no_grad():
        for pack in rows.rows.packs_at(3 * group, 3):
            for pair in pack:
                for half, answer in enumerate(rows.strangers.shelf.pairs[pair]):
                    assert answer is not None
                    ids = torch.tensor([answer.ids])
                    logits = rows.reader.model(ids).logits.log_softmax(-1)
                    each = logits[0, :-1].gather(-1, ids[0, 1:, None])[answer.start - 1 :].sum()
                    found.append(float(each - rows.strangers.reference[pair, half]))
    return max(0.0, sum(found) / len(found))


def test_it_is_the_mean_over_the_step(rows: PointRows) -> None:
    assert rows.point(0) == pytest.approx(0, abs=1e-4)  # nothing has been learned
    rows.strangers.reference -= 20  # as if the model had become surer of everything
    move(rows)
    assert rows.point(0) > 1
    for group in (0, 1):
        assert rows.point(group) == pytest.approx(by_hand(rows, group), rel=1e-5)


def test_every_cut_of_a_step_has_the_same_point(rows: PointRows) -> None:
    rows.strangers.reference -= 20
    move(rows)
    whole = rows.batch(0, 6).points.tolist()
    assert whole[0] == whole[1] == whole[2] != whole[3]
    assert [float(rows.batch(number, 1).points) for number in range(6)] == whole


def test_it_is_found_once_for_the_weights_as_they_are(rows: PointRows, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.strangers.reference -= 20
    asked, find = [], rows._find
    monkeypatch.setattr(rows, "_find", lambda group: asked.append(group) or find(group))
    before = rows.point(0)
    assert rows.point(0) == before
    assert asked == [0]
    move(rows)
    assert rows.point(0) != before
    assert asked == [0, 0]
    assert rows.documents(0, 1) == rows.rows.documents(0, 1)
