"""torch.compile makes one graph of each shape of model: no break, and the same numbers.

Graphs are what is looked at, so they are run as they are ("aot_eager"); recipe tiny/compiled also makes C++ of them.
"""

import pytest
import torch

from hornbook.core import recipe
from hornbook.model.models import Model

IDS = torch.arange(3, 27).reshape(2, 12)
INPUTS = {
    "models/gpt2-tiny": {"input_ids": IDS},
    "models/llama-tiny": {"input_ids": IDS},
    "models/bert-tiny": {"input_ids": IDS, "attention_mask": (IDS < 25).long()},
    "models/bart-tiny": {"input_ids": IDS, "decoder_input_ids": IDS[:, :7]},
    "models/t5-tiny": {"input_ids": IDS, "decoder_input_ids": IDS[:, :7]},
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", INPUTS)
def test_one_graph_forward_and_back(name: str) -> None:
    torch.compiler.reset()  # a process that has compiled other shapes has used up its tries
    model = recipe.load(Model, name).build().eval()  # type: ignore[arg-type]
    want = model(**INPUTS[name]).logits
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    found = compiled(**INPUTS[name]).logits
    torch.testing.assert_close(found, want, rtol=0, atol=1e-5)
    gradients = [torch.autograd.grad(logits.square().sum(), list(model.parameters())) for logits in (want, found)]
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
