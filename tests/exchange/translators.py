"""What an encoder-decoder must do beside transformers; each family's test file runs every check on its cases."""

from pathlib import Path
from typing import Any

import torch

from hornbook.exchange import folder
from tests.exchange.parity import CLOSE, Case, Check, pair, some_ids

PLACES, TIME = 15, 9


def source_mask(*, left: bool) -> torch.Tensor:
    """Three sources, two of them padded on one side."""
    mask = torch.ones(3, PLACES, dtype=torch.long)
    for row, padding in enumerate((0, 4, 9)):
        if padding:
            mask[row, slice(0, padding) if left else slice(-padding, None)] = 0
    return mask


def batch(*, left: bool = False) -> dict[str, torch.Tensor]:
    ids = some_ids(3, PLACES + TIME)
    return {
        "input_ids": ids[:, :PLACES],
        "attention_mask": source_mask(left=left),
        "decoder_input_ids": ids[:, PLACES:],
    }


@torch.no_grad()
def logits_agree_both_ways(case: Case, tmp_path: Path) -> None:
    theirs, ours = pair(case, tmp_path)
    want = theirs(**batch()).logits
    torch.testing.assert_close(ours(**batch()).logits, want, **CLOSE)
    folder.save(ours, tmp_path / "ours")
    again, info = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    torch.testing.assert_close(again.eval()(**batch()).logits, want, **CLOSE)


@torch.no_grad()
def a_padded_source_is_read_as_if_alone(case: Case, tmp_path: Path) -> None:
    ours = pair(case, tmp_path)[1]
    for left in (False, True):
        padded = batch(left=left)
        together = ours(**padded).logits
        for row in range(3):
            real = padded["attention_mask"][row].bool()
            alone = ours(padded["input_ids"][row : row + 1, real], decoder_input_ids=padded["decoder_input_ids"][[row]])
            torch.testing.assert_close(together[row], alone.logits[0], **CLOSE)


@torch.no_grad()
def token_by_token_is_the_whole_pass(case: Case, tmp_path: Path) -> None:
    """The encoder is asked once; keys and values of the memory are computed once."""
    ours, given = pair(case, tmp_path)[1], batch()
    state, answer = ours.new_state(3, TIME), given.pop("decoder_input_ids")
    steps = [ours(**given, decoder_input_ids=answer[:, :1], state=state).logits]
    asked = 0

    def count(*_: Any) -> None:
        nonlocal asked
        asked += 1

    ours.encoder.register_forward_hook(count)
    keys = [module.key for name, module in ours.named_modules() if "CrossAttention" in type(module).__name__]
    for key in keys:
        key.register_forward_hook(count)
    steps += [ours(decoder_input_ids=answer[:, [i]], state=state).logits for i in range(1, TIME)]
    assert keys
    assert asked == 0
    torch.testing.assert_close(torch.cat(steps, 1), ours(**given, decoder_input_ids=answer).logits, **CLOSE)


@torch.no_grad()
def a_later_token_changes_nothing_before_it(case: Case, tmp_path: Path) -> None:
    ours, given = pair(case, tmp_path)[1], batch()
    before = ours(**given).logits
    given["decoder_input_ids"] = given["decoder_input_ids"].clone()
    given["decoder_input_ids"][:, 5] += 1
    change = (ours(**given).logits - before).abs().amax(-1).amax(0)
    assert (change[:5] == 0).all()
    assert (change[5:] > 1e-4).all()
    given["input_ids"] = given["input_ids"].clone()
    given["input_ids"][0, -1] += 1  # a source matters to every token of its answer, and to no other row
    moved = (ours(**given).logits - before).abs().amax(-1)
    assert (moved[0] > 1e-5).all()


TRANSLATOR_CHECKS: list[Check] = [
    logits_agree_both_ways,
    a_padded_source_is_read_as_if_alone,
    token_by_token_is_the_whole_pass,
    a_later_token_changes_nothing_before_it,
]
