"""Models without attention write by the same loop: side by side as alone, beyond finished rows, from a source."""

import pytest
import torch

from hornbook.core import recipe
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.sample import Sampling
from hornbook.model.models import Model

LENGTH = 64
PROMPTS = [[5, 9, 2], [7] * 40, [3, 1, 4, 1, 5, 9, 2, 6]]  # the second may write 24 tokens more, the others 30


def written(name: str, writings: list[Writing], limits: Limits) -> list[list[int]]:
    model = recipe.load(Model, f"models/{name}").build(torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    for _ in write(model, writings, Sampling(temperature=0), limits):
        pass
    return [writing.new for writing in writings]


@pytest.mark.parametrize("name", ["mamba-tiny", "rwkv-tiny", "hyena-tiny", "gru-tiny", "jamba-tiny"])
def test_side_by_side_is_alone(name: str) -> None:
    limits = Limits(max_new_tokens=30, context=LENGTH)
    together = written(name, [Writing(prompt) for prompt in PROMPTS], limits)
    assert [len(new) for new in together] == [30, 24, 30]
    assert together == [written(name, [Writing(prompt)], limits)[0] for prompt in PROMPTS]


@pytest.mark.parametrize("name", ["rnnsearch-tiny", "rnnencdec-tiny"])
def test_translators_side_by_side_are_alone(name: str) -> None:
    limits = Limits(max_new_tokens=12, context=LENGTH, start=0)
    together = written(name, [Writing([0], source=prompt) for prompt in PROMPTS], limits)
    assert together == [written(name, [Writing([0], source=prompt)], limits)[0] for prompt in PROMPTS]
    assert len({tuple(new) for new in together}) > 1


@pytest.mark.parametrize("name", ["mamba-tiny", "rwkv-tiny", "hyena-tiny", "gru-tiny", "jamba-tiny"])
def test_states_are_copied_and_thinned_out(name: str) -> None:
    """A prompt that comes three times is read once; rows that end early leave; the others write what they would."""
    prompts = [PROMPTS[0]] * 3 + [PROMPTS[1], *[PROMPTS[2]] * 2]
    alone = [written(name, [Writing(prompt)], Limits(max_new_tokens=20, context=LENGTH))[0] for prompt in prompts]
    end = frozenset([alone[0][3], alone[4][5]])  # two of the prompts end early
    limits = Limits(max_new_tokens=20, context=LENGTH, end=end)
    together = written(name, [Writing(prompt) for prompt in prompts], limits)
    assert together == [written(name, [Writing(prompt)], limits)[0] for prompt in prompts]
    assert len(together[0]) < 20


@pytest.mark.parametrize("name", ["rnnsearch-tiny", "rnnencdec-tiny", "transformer-tiny"])
def test_sources_are_copied_and_thinned_out(name: str) -> None:
    sources = [PROMPTS[0]] * 3 + [PROMPTS[2], PROMPTS[1]]
    first = written(name, [Writing([0], source=PROMPTS[0])], Limits(max_new_tokens=12, context=LENGTH, start=0))[0]
    limits = Limits(max_new_tokens=12, context=LENGTH, start=0, end=frozenset([first[2]]))
    together = written(name, [Writing([0], source=source) for source in sources], limits)
    assert together == [written(name, [Writing([0], source=source)], limits)[0] for source in sources]
