"""RoBERTa and its heads beside transformers: positions begin behind the padding's id."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hornbook.exchange import folder
from tests.exchange.encoders import ENCODER, ENCODER_CHECKS, Check, Encoding, reference, rows

hf = pytest.importorskip("transformers")

ROBERTA = ENCODER | {"pad_token_id": 1, "bos_token_id": 0, "type_vocab_size": 1}
FAR = ROBERTA | {"pad_token_id": 3, "tie_word_embeddings": False}
CASES = {
    "body": Encoding("Roberta", ROBERTA, "Model", segments=1, offset=2),
    "words": Encoding("Roberta", ROBERTA | {"hidden_act": "relu"}, "ForMaskedLM", segments=1, offset=2),
    "words-untied-far": Encoding("Roberta", FAR, "ForMaskedLM", segments=1, offset=4),
    "labels": Encoding("Roberta", ROBERTA | {"num_labels": 5}, "ForSequenceClassification", segments=1, offset=2),
    "tokens": Encoding("Roberta", ROBERTA | {"num_labels": 3}, "ForTokenClassification", segments=1, offset=2),
}


@pytest.mark.parametrize("check", ENCODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_a_roberta_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


@torch.no_grad()
def test_positions_count_what_is_no_padding(tmp_path: Path) -> None:
    """Theirs are counted over ids that are not the padding's: with it on the left, ours are the same from the mask."""
    theirs = reference(CASES["words"])
    theirs.save_pretrained(tmp_path)
    ours, batch = folder.load(tmp_path).eval(), rows(CASES["words"])
    batch["input_ids"][1, :5] = 1
    mask = (batch["input_ids"] != 1).long()
    found, wanted = ours(**batch, attention_mask=mask).logits, theirs(**batch, attention_mask=mask).logits
    torch.testing.assert_close(found[mask == 1], wanted[mask == 1], rtol=0, atol=1e-5)


def test_roberta_bases_own_file_is_read(tmp_path: Path) -> None:
    """It is a RobertaForMaskedLM with a pooler that nobody trained, and the tied table twice."""
    theirs = reference(CASES["words"])
    theirs.save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["lm_head.decoder.weight"] = tensors["roberta.embeddings.word_embeddings.weight"].clone()
    tensors["lm_head.decoder.bias"] = tensors["lm_head.bias"].clone()
    tensors["roberta.pooler.dense.weight"] = torch.zeros(32, 32)
    tensors["roberta.pooler.dense.bias"] = torch.zeros(32)
    tensors["roberta.embeddings.position_ids"] = torch.arange(64)[None]
    save_file(tensors, tmp_path / "model.safetensors")
    assert sum(p.numel() for p in folder.load(tmp_path).parameters()) == sum(p.numel() for p in theirs.parameters())
