"""Logits and greedy tokens that transformers gave elsewhere, kept as files."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hornbook.exchange import folder


@pytest.mark.parametrize("name", ["gpt2", "llama_mha"])
@torch.no_grad()
def test_golden_outputs(name: str, shared_data: Path) -> None:
    known = np.load(shared_data / "golden" / name / "io.npz")
    model = folder.load(shared_data / "golden" / name).eval()
    ids, mask = torch.from_numpy(known["in_input_ids"]), torch.from_numpy(known["in_attention_mask"])
    found, want = model(ids, attention_mask=mask).logits, torch.from_numpy(known["out_logits"])
    torch.testing.assert_close(found[mask.bool()], want[mask.bool()], rtol=0, atol=1e-5)
    greedy = torch.from_numpy(known["greedy_from_row0"])
    state, new = model.new_state(1, greedy.shape[1]), greedy[:, :11]
    for place in range(11, greedy.shape[1]):
        new = model(new, state=state).logits[:, -1:].argmax(-1)
        assert new.item() == greedy[0, place]
