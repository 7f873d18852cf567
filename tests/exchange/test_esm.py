"""ESM-1b and ESM-2 beside transformers: blanked masks, contacts, and the rates that a file keeps."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hornbook.exchange import folder
from tests.exchange.encoders import ENCODER, ENCODER_CHECKS, Check, Encoding, reference, rows
from tests.exchange.parity import CLOSE

MASK = 3
ESM = ENCODER | {"mask_token_id": MASK, "position_embedding_type": "rotary"}
ESM2 = ESM | {"token_dropout": True}
ESM1B = ESM2 | {"position_embedding_type": "absolute", "emb_layer_norm_before": True, "pad_token_id": 1}
CASES = {
    "words": Encoding("Esm", ESM, "ForMaskedLM"),
    "words-blanked": Encoding("Esm", ESM2 | {"rope_theta": 300.0}, "ForMaskedLM"),
    "words-esm1b": Encoding("Esm", ESM1B, "ForMaskedLM", offset=2),
    "words-untied": Encoding("Esm", ESM2 | {"tie_word_embeddings": False}, "ForMaskedLM"),
    "body": Encoding("Esm", ESM2, "Model"),
    "labels": Encoding("Esm", ESM2 | {"num_labels": 4}, "ForSequenceClassification"),
    "tokens": Encoding("Esm", ESM2 | {"num_labels": 4}, "ForTokenClassification"),
}


@pytest.mark.parametrize("check", ENCODER_CHECKS)
@pytest.mark.parametrize("case", CASES)
def test_an_esm_is_transformers(case: str, check: Check, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


@pytest.mark.parametrize("case", ["words-blanked", "words-esm1b"])
@torch.no_grad()
def test_masked_residues_are_blanked_and_the_rest_scaled(case: str, tmp_path: Path) -> None:
    theirs = reference(CASES[case])
    theirs.save_pretrained(tmp_path)
    ours, ids = folder.load(tmp_path).eval(), rows(CASES[case])["input_ids"]
    ids[0, [2, 7, 8]], ids[1, 4] = MASK, MASK
    mask = torch.ones(2, 17, dtype=torch.long)
    mask[1, 12:], ids[1, 12:] = 0, theirs.config.pad_token_id
    found, wanted = ours(ids, attention_mask=mask).logits, theirs(ids, attention_mask=mask).logits
    torch.testing.assert_close(found[mask == 1], wanted[mask == 1], **CLOSE)


@torch.no_grad()
def test_a_packed_row_scales_each_document_by_its_own_masks(tmp_path: Path) -> None:
    reference(CASES["words-blanked"]).save_pretrained(tmp_path)
    ours, ids = folder.load(tmp_path).eval(), rows(CASES["words-blanked"])["input_ids"][:1]
    ids[0, [1, 2, 9]] = MASK
    packed = ours(ids, document_ids=torch.tensor([[4] * 6 + [8] * 11])).logits
    torch.testing.assert_close(packed[:, :6], ours(ids[:, :6]).logits, **CLOSE)
    torch.testing.assert_close(packed[:, 6:], ours(ids[:, 6:]).logits, **CLOSE)


@torch.no_grad()
def test_contacts_are_theirs(tmp_path: Path) -> None:
    theirs = reference(CASES["words-blanked"])
    theirs.save_pretrained(tmp_path)
    ours, ids = folder.load(tmp_path).eval(), rows(CASES["words"])["input_ids"]
    mask = torch.ones(2, 17, dtype=torch.long)
    ids[0, 16], ids[1, 12], ids[1, 13:], mask[1, 13:] = 2, 2, 0, 0
    theirs.set_attn_implementation("eager")  # the only one that shows its weights
    wanted = theirs.predict_contacts(ids, mask)
    found = ours.predict_contacts(ids, mask)
    assert found.shape == (2, 15, 15)
    torch.testing.assert_close(found, wanted, **CLOSE)
    torch.testing.assert_close(found[0], ours.predict_contacts(ids[:1])[0], **CLOSE)


@torch.no_grad()
def test_files_of_old_keep_their_rates(tmp_path: Path) -> None:
    """They have them in every layer, of a training in half precision, and a table of positions that nobody reads."""
    theirs = reference(CASES["words-blanked"])
    theirs.save_pretrained(tmp_path / "theirs")
    path = tmp_path / "theirs" / "model.safetensors"
    tensors = {
        name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias"): tensor
        for name, tensor in load_file(path).items()
        if "inv_freq" not in name
    }
    rates = 1 / 900.0 ** (torch.arange(0, 8, 2) / 8)
    for layer in range(2):
        tensors[f"esm.encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"] = rates.clone()
    tensors["esm.embeddings.position_embeddings.weight"] = torch.zeros(64, 32)
    save_file(tensors, path, metadata={"format": "pt"})
    ours, ids = folder.load(tmp_path / "theirs").eval(), rows(CASES["words"])["input_ids"]
    again = type(theirs).from_pretrained(tmp_path / "theirs").eval()
    torch.testing.assert_close(ours(ids).logits, again(ids).logits, **CLOSE)
    assert (ours(ids).logits - theirs(ids).logits).abs().max() > 1e-4
    folder.save(ours, tmp_path / "ours")
    torch.testing.assert_close(folder.load(tmp_path / "ours").stack.position.rates, rates)
