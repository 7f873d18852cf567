"""What a family must do beside transformers; its own test file names the cases and runs every check on each.

    CASES = {"mistral-short-window": Case("Mistral", SMALL | {"sliding_window": 5})}

    @pytest.mark.parametrize("check", DECODER_CHECKS)
    @pytest.mark.parametrize("case", CASES)
    def test_a_mistral_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
        check(CASES[case], tmp_path)

Take odd sizes: head_dim that is not dim / heads, tied and untied, biases on and off, a window shorter than the row.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.exchange import folder
from hornbook.exchange.family import essence

hf = pytest.importorskip("transformers")

VOCAB = 61
SMALL = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 56,
    "max_position_embeddings": 64,
}
CLOSE = {"rtol": 0, "atol": 1e-5}


@dataclass(frozen=True)
class Case:
    """A model of transformers: `{name}Config(**fields)` and `{name}{model}`."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    model: str = "ForCausalLM"
    named: str | None = None  # what stands before `model`, where it is not the name of the config


Check = Callable[[Case, Path], None]


def reference(case: Case) -> Any:
    """A transformers model with every learned parameter off its first value (sinusoids are not learned)."""
    torch.manual_seed(0)
    config = getattr(hf, f"{case.name}Config")(**case.fields)
    model = getattr(hf, f"{case.named or case.name}{case.model}")(config).eval()
    with torch.no_grad():
        for parameter in (parameter for parameter in model.parameters() if parameter.requires_grad):
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def pair(case: Case, tmp_path: Path) -> tuple[Any, Any]:
    """Their model, and ours read from its folder."""
    theirs = reference(case)
    theirs.save_pretrained(tmp_path / "theirs")
    return theirs, folder.load(tmp_path / "theirs").eval()


def some_ids(rows: int, time: int) -> torch.Tensor:
    return torch.randint(3, VOCAB, (rows, time), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def logits_agree_both_ways(case: Case, tmp_path: Path) -> None:
    (theirs, ours), ids = pair(case, tmp_path), some_ids(2, 40)
    torch.testing.assert_close(ours(ids).logits, theirs(ids).logits, **CLOSE)
    folder.save(ours, tmp_path / "ours")
    again, info = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    torch.testing.assert_close(again.eval()(ids).logits, theirs(ids).logits, **CLOSE)
    assert essence(folder.load(tmp_path / "ours").config) == essence(ours.config)


@torch.no_grad()
def padded_decoding_agrees(case: Case, tmp_path: Path) -> None:
    """Left padding and a cache, step by step beside transformers' own generation."""
    (theirs, ours), ids = pair(case, tmp_path), some_ids(2, 9)
    mask = torch.ones(2, 21, dtype=torch.long)
    mask[1, :4] = 0
    want = theirs.generate(
        ids, attention_mask=mask[:, :9], max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=None,
        output_logits=True, return_dict_in_generate=True,
    )  # fmt: skip
    state, new = ours.new_state(2, 21), ids
    for step, scores in enumerate(want.logits):
        found = ours(new, attention_mask=mask[:, : 9 + step], state=state).logits[:, -1]
        torch.testing.assert_close(found, scores.float(), **CLOSE)
        new = want.sequences[:, 9 + step, None]


@torch.no_grad()
def padding_changes_nothing(case: Case, tmp_path: Path) -> None:
    """Left or right, what is kept is what their model says of the row alone."""
    (theirs, ours), ids = pair(case, tmp_path), some_ids(2, 20)
    for kept in (slice(6, 20), slice(0, 14)):
        mask = torch.zeros(2, 20, dtype=torch.long)
        mask[0], mask[1, kept] = 1, 1
        padded = ours(ids, attention_mask=mask).logits
        assert padded.isfinite().all()
        torch.testing.assert_close(padded[0], theirs(ids[:1]).logits[0], **CLOSE)
        torch.testing.assert_close(padded[1, kept], theirs(ids[1:, kept]).logits[0], **CLOSE)


@torch.no_grad()
def packed_documents_are_rows_of_their_own(case: Case, tmp_path: Path) -> None:
    (theirs, ours), ids = pair(case, tmp_path), some_ids(2, 24)
    documents = torch.tensor([[0] * 5 + [1] * 12 + [2] * 7, [7] * 20 + [3] * 4], dtype=torch.int32)
    packed = ours(ids, document_ids=documents).logits
    for row, start, end in [(0, 0, 5), (0, 5, 17), (0, 17, 24), (1, 0, 20), (1, 20, 24)]:
        alone = theirs(ids[row : row + 1, start:end]).logits[0]
        torch.testing.assert_close(packed[row, start:end], alone, **CLOSE)


@torch.no_grad()
def token_by_token_is_the_full_forward(case: Case, tmp_path: Path) -> None:
    (_, ours), ids = pair(case, tmp_path), some_ids(2, 24)
    state = ours.new_state(2, 24)
    parts = [ours(ids[:, :7], state=state).logits, ours(ids[:, 7:12], state=state).logits]  # a prompt in two parts
    parts += [ours(ids[:, i : i + 1], state=state).logits for i in range(12, 24)]
    torch.testing.assert_close(torch.cat(parts, 1), ours(ids).logits, **CLOSE)


@torch.no_grad()
def a_later_token_changes_nothing_earlier(case: Case, tmp_path: Path) -> None:
    (_, ours), ids = pair(case, tmp_path), some_ids(1, 24)
    before = ours(ids).logits
    for place in (1, 10, 23):
        changed = ids.clone()
        changed[0, place] = (changed[0, place] + 1) % VOCAB
        after = ours(changed).logits
        torch.testing.assert_close(after[:, :place], before[:, :place], rtol=0, atol=2e-6)
        assert (after[:, place] - before[:, place]).abs().max() > 1e-4


DECODER_CHECKS: list[Check] = [
    logits_agree_both_ways,
    padded_decoding_agrees,
    padding_changes_nothing,
    packed_documents_are_rows_of_their_own,
    token_by_token_is_the_full_forward,
    a_later_token_changes_nothing_earlier,
]
