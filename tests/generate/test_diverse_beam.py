"""Diverse beams against plain lists and whole forward passes, after the paper's section 4."""

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.generate.beam import Beam
from hornbook.generate.diverse_beam import DiverseBeam
from hornbook.generate.engine import Limits, Writing
from hornbook.generate.sample import Sampling
from hornbook.model.decoder import DecoderModel
from tests.tiny_models import small

PROMPT, VOCAB = [1, 3, 2], 11
LIMITS = Limits(max_new_tokens=7)


def by_hand(model: DecoderModel, groups: int, beams: int, diversity: float) -> list[list[int]]:
    """The groups' texts by plain lists; nothing ends before the room does."""
    texts: list[list[tuple[float, list[int]]]] = [[(0.0, [])] for _ in range(groups)]
    for _ in range(LIMITS.max_new_tokens):
        taken = [0] * VOCAB
        for group in range(groups):
            candidates = []
            for score, text in texts[group]:
                with torch.no_grad():
                    chances = model(torch.tensor([PROMPT + text])).logits[0, -1].log_softmax(-1).tolist()
                candidates += [
                    (score + chances[token] - diversity * taken[token], [*text, token]) for token in range(VOCAB)
                ]
            texts[group] = sorted(candidates, key=lambda one: -one[0])[:beams]
            for _, text in texts[group]:
                taken[text[-1]] += 1
    return [text for group in texts for _, text in group]


@pytest.mark.parametrize("diversity", [0.0, 0.3, 2.0])
@pytest.mark.parametrize(("groups", "beams"), [(3, 1), (2, 3), (4, 2)])
def test_groups_by_hand(groups: int, beams: int, diversity: float) -> None:
    model = small(VOCAB, layers=2)
    config = DiverseBeam(groups=groups, each=Beam(beams=beams, keep=beams), diversity=diversity)
    found = [one.ids for one in config.run(model, Writing(PROMPT), Sampling(), LIMITS)]
    assert found == by_hand(model, groups, beams, diversity)
    assert (len({tuple(text) for text in found}) > beams) == (diversity > 0)


def test_one_group_is_a_beam_and_the_first_never_suffers() -> None:
    model, limits = small(VOCAB), Limits(max_new_tokens=9, end=frozenset([0, 4]))
    each = Beam(beams=3, keep=3)
    plain = each.run(model, Writing(PROMPT), Sampling(), limits)
    assert DiverseBeam(groups=1, each=each).run(model, Writing(PROMPT), Sampling(), limits) == plain
    several = DiverseBeam(groups=3, each=each, diversity=0.8).run(model, Writing(PROMPT), Sampling(), limits)
    assert [one.ids for one in several[:3]] == [one.ids for one in plain]
    assert [one.score for one in several[:3]] == pytest.approx([one.score for one in plain])
    assert any(one.score < one.log_probability / max(len(one.ids), 1) for one in several[3:])


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="groups: 0"):
        DiverseBeam(groups=0)
    with pytest.raises(UserError, match="diversity: -1"):
        DiverseBeam(diversity=-1)
