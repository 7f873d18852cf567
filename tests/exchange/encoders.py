"""What an encoder of a family must do beside transformers; its own test file names the cases and runs every check.

CASES = {"pairs": Encoding("Bert", SMALL, "ForNextSentencePrediction")}

@pytest.mark.parametrize("check", ENCODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_bert_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hornbook.exchange import folder
from hornbook.exchange.family import essence
from tests.exchange.parity import CLOSE, SMALL, VOCAB, Case, pair, reference

__all__ = ["ENCODER_CHECKS", "SMALL", "Check", "Encoding"]

ENCODER = SMALL | {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
ANSWERS = {  # theirs -> ours
    "logits": "logits",
    "prediction_logits": "logits",
    "seq_relationship_logits": "seq_relationship_logits",
    "sop_logits": "seq_relationship_logits",
    "pooler_output": "pooled",
    "last_hidden_state": "hidden",
}


@dataclass(frozen=True)
class Encoding(Case):
    """An encoder of transformers, and what it takes beside ids."""

    segments: int = 0  # 0: it takes no token_type_ids
    positions: bool = True  # whether it takes position_ids
    offset: int = 0  # of its position ids, where they begin behind the padding's id


Check = Callable[[Encoding, Path], None]


def rows(case: Encoding) -> dict[str, Tensor]:
    """Two rows of ids, 17 tokens each."""
    generator = torch.Generator().manual_seed(0)
    batch = {"input_ids": torch.randint(4, VOCAB, (2, 17), generator=generator)}
    if case.segments:
        batch["token_type_ids"] = torch.randint(0, case.segments, (2, 17), generator=generator)
    return batch


def same(case: Encoding, ours: Any, theirs: Any, real: Tensor | None = None) -> None:
    """Every answer that theirs has, at the real tokens."""
    looked_at = [name for name in ANSWERS if getattr(theirs, name, None) is not None]
    assert looked_at, case
    for name in looked_at:
        found, wanted = getattr(ours, ANSWERS[name]), getattr(theirs, name)
        per_token = real is not None and wanted.dim() == 3
        torch.testing.assert_close(found[real] if per_token else found, wanted[real] if per_token else wanted, **CLOSE)


@torch.no_grad()
def answers_agree_both_ways(case: Encoding, tmp_path: Path) -> None:
    (theirs, ours), batch = pair(case, tmp_path), rows(case)
    same(case, ours(**batch), theirs(**batch))
    folder.save(ours, tmp_path / "ours")
    again, info = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    same(case, ours(**batch), again.eval()(**batch))
    kept = {name: getattr(theirs.config, name, None) for name in ("id2label", "problem_type", "pad_token_id")}
    for name, value in kept.items():
        assert (name == "problem_type" and value is None) or getattr(again.config, name, None) == value, name
    assert essence(folder.load(tmp_path / "ours").config) == essence(ours.config)


@torch.no_grad()
def right_padding_agrees(case: Encoding, tmp_path: Path) -> None:
    (theirs, ours), batch = pair(case, tmp_path), rows(case)
    mask = torch.ones(2, 17, dtype=torch.long)
    mask[1, 11:] = 0
    batch["input_ids"][mask == 0] = case.fields["pad_token_id"]
    same(case, ours(**batch, attention_mask=mask), theirs(**batch, attention_mask=mask), mask.bool())


@torch.no_grad()
def left_padding_changes_nothing(case: Encoding, tmp_path: Path) -> None:
    """Ours counts positions from the first real token, and takes the row's vector there."""
    (theirs, ours), batch = pair(case, tmp_path), rows(case)
    mask = torch.ones(2, 17, dtype=torch.long)
    mask[1, :5] = 0
    padded = ours(**batch, attention_mask=mask)
    alone = theirs(**{name: tensor[1:, 5:] for name, tensor in batch.items()})
    for theirs_name, name in ANSWERS.items():
        wanted = getattr(alone, theirs_name, None)
        if wanted is not None:
            found = getattr(padded, name)[1:]
            torch.testing.assert_close(found[:, 5:] if wanted.dim() == 3 else found, wanted, **CLOSE)


@torch.no_grad()
def given_positions_agree_through_left_padding(case: Encoding, tmp_path: Path) -> None:
    """Theirs counts positions through left padding; given the same ones, both say the same of every token."""
    if not case.positions:
        return
    (theirs, ours), batch = pair(case, tmp_path), rows(case)
    mask, places = torch.ones(2, 17, dtype=torch.long), torch.arange(17)[None].repeat(2, 1)
    mask[1, :5] = 0
    found = ours(**batch, attention_mask=mask, positions=places)
    wanted = theirs(**batch, attention_mask=mask, position_ids=places + case.offset)
    for theirs_name, name in ANSWERS.items():
        tokens = getattr(wanted, theirs_name, None)
        if tokens is not None and tokens.dim() == 3:
            torch.testing.assert_close(getattr(found, name)[mask == 1], tokens[mask == 1], **CLOSE)


@torch.no_grad()
def packed_documents_are_rows_of_their_own(case: Encoding, tmp_path: Path) -> None:
    """Of the vectors of the tokens, whatever the head."""
    (_, ours), batch = pair(case, tmp_path), rows(case)
    ours.head, ours.pair = None, None
    documents = torch.tensor([[0] * 5 + [1] * 12, [7] * 13 + [3] * 4], dtype=torch.int32)
    packed = ours(**batch, document_ids=documents).hidden
    for row, start, end in [(0, 0, 5), (0, 5, 17), (1, 0, 13), (1, 13, 17)]:
        alone = ours(**{name: tensor[row : row + 1, start:end] for name, tensor in batch.items()}).hidden[0]
        torch.testing.assert_close(packed[row, start:end], alone, **CLOSE)


ENCODER_CHECKS: list[Check] = [
    answers_agree_both_ways,
    right_padding_agrees,
    left_padding_changes_nothing,
    given_positions_agree_through_left_padding,
    packed_documents_are_rows_of_their_own,
]
__all__ += ["ANSWERS", "ENCODER", "reference", "rows", "same"]
