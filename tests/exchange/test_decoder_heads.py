"""Decoders that classify, beside transformers: every family that has such a class, both ways."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.adapt import head
from hornbook.exchange import decoder_heads, families, folder
from hornbook.model.both_ways import look_both_ways
from hornbook.model.classifier import LAST, Regression, SequenceClassifier
from hornbook.model.pool import Pooling
from hornbook.text.bpe import BPE
from tests.exchange.parity import CLOSE, SMALL, VOCAB, Case, hf, reference, some_ids

OLD = {"vocab_size": VOCAB, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
SIZES: dict[str, tuple[str, dict[str, Any]]] = {  # model_type -> the name of its config class, and small sizes
    "gpt2": ("GPT2", OLD),
    "openai-gpt": ("OpenAIGPT", OLD),
    "opt": ("OPT", SMALL | {"ffn_dim": 56, "word_embed_proj_dim": 32}),
    "bloom": ("Bloom", {"vocab_size": VOCAB, "hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "gpt_neox": ("GPTNeoX", SMALL),
    "gptj": ("GPTJ", OLD | {"rotary_dim": 4}),
    "falcon": ("Falcon", SMALL),
    "llama": ("Llama", SMALL | {"num_key_value_heads": 2}),
    "mistral": ("Mistral", SMALL | {"num_key_value_heads": 2, "sliding_window": 5}),
    "mixtral": ("Mixtral", SMALL | {"num_key_value_heads": 2, "num_local_experts": 4}),
    "qwen2": ("Qwen2", SMALL | {"num_key_value_heads": 2}),
    "qwen3": ("Qwen3", SMALL | {"num_key_value_heads": 2, "head_dim": 12}),
    "olmo": ("Olmo", SMALL),
    "olmo2": ("Olmo2", SMALL),
    "phi3": ("Phi3", SMALL | {"original_max_position_embeddings": 64}),
    "gemma2": ("Gemma2", SMALL | {"num_key_value_heads": 2, "head_dim": 8, "query_pre_attn_scalar": 8}),
    "gemma3_text": ("Gemma3Text", SMALL | {"num_key_value_heads": 2, "head_dim": 8, "query_pre_attn_scalar": 8}),
}
NAMES = {0: "ham", 1: "spam", 2: "neither"}
TOKENS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


def case(family: str, **fields: Any) -> Case:
    name, sizes = SIZES[family]
    return Case(name, sizes | TOKENS | {"id2label": NAMES} | fields, "ForSequenceClassification")


def test_every_family_with_such_a_class_is_here() -> None:
    assert SIZES.keys() == decoder_heads.NAMES.keys()
    known = hf.models.auto.modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES
    assert {family: known[family] for family in SIZES} == {
        family: f"{name}ForSequenceClassification" for family, name in decoder_heads.NAMES.items()
    }
    decoders = {name for name, family in families.FAMILIES.items() if family.shape.__name__ == "Decoder"}
    assert decoders - SIZES.keys() == {name for name in decoders if name not in known}


@torch.no_grad()
@pytest.mark.parametrize("family", SIZES)
def test_a_classifier_is_transformers(family: str, tmp_path: Path) -> None:
    """The same scores for rows of unequal length, read and written, with the names of the labels."""
    theirs = reference(case(family))
    theirs.save_pretrained(tmp_path / "theirs")
    ours: Any = folder.load(tmp_path / "theirs").eval()
    assert ours.config.head.names == tuple(NAMES.values())
    ids = some_ids(2, 12)
    ids[1, 7:] = 0
    mask = (ids != 0).long()
    wanted = theirs(ids, attention_mask=mask).logits
    assert wanted.shape == (2, 3)
    torch.testing.assert_close(ours(ids, attention_mask=mask).logits, wanted, **CLOSE)

    folder.save(ours, tmp_path / "ours")
    again, info = hf.AutoModelForSequenceClassification.from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert type(again) is type(theirs)
    assert again.config.id2label == NAMES
    torch.testing.assert_close(again.eval()(ids, attention_mask=mask).logits, wanted, **CLOSE)


@torch.no_grad()
def test_a_base_of_transformers_becomes_a_classifier_of_its_family(tmp_path: Path) -> None:
    base = reference(Case("Llama", SMALL | {"num_key_value_heads": 2}))
    base.save_pretrained(tmp_path / "base")
    ours: Any = folder.load(tmp_path / "base")
    head.put(ours, SequenceClassifier(labels=2, names=("no", "yes"), pooling=LAST, bias=False), seed=3)
    ours.token_ids["pad_token_id"] = 0
    folder.save(ours, tmp_path / "ours")
    again = hf.AutoModelForSequenceClassification.from_pretrained(tmp_path / "ours").eval()
    assert type(again).__name__ == "LlamaForSequenceClassification"
    ids = some_ids(2, 9)
    torch.testing.assert_close(again(ids).logits, ours.eval()(ids).logits, **CLOSE)
    torch.testing.assert_close(again.model(ids).last_hidden_state, base.model(ids).last_hidden_state, **CLOSE)


@torch.no_grad()
def test_a_reward_model_is_a_classifier_of_one_number(tmp_path: Path) -> None:
    """As trl saves and reads them."""
    theirs = reference(case("qwen3", id2label={0: "LABEL_0"}))
    theirs.save_pretrained(tmp_path / "theirs")
    ours: Any = folder.load(tmp_path / "theirs").eval()
    assert ours.config.head == head.REWARD == Regression(values=1, pooling=LAST, bias=False)
    ids = some_ids(2, 9)
    torch.testing.assert_close(ours(ids).logits, theirs(ids).logits, **CLOSE)
    folder.save(ours, tmp_path / "ours")
    assert folder.load(tmp_path / "ours").config.head == head.REWARD


@torch.no_grad()
def test_without_its_mask_it_is_transformers_without_one(tmp_path: Path) -> None:
    """Label-supervised LLaMA (Li et al. 2023), there by a mask of zeros to add."""
    theirs = reference(case("llama"))
    theirs.save_pretrained(tmp_path / "theirs")
    ours: Any = folder.load(tmp_path / "theirs").eval()
    ids = some_ids(2, 9)
    causal = ours(ids).logits
    look_both_ways(ours)
    wanted = theirs.score(theirs.model(ids, attention_mask=torch.zeros(2, 1, 9, 9)).last_hidden_state)[:, -1]
    torch.testing.assert_close(ours(ids).logits, wanted, **CLOSE)
    assert (wanted - causal).abs().max() > 0.01
    folder.save(ours, tmp_path / "ours")
    assert folder.read_fields(tmp_path / "ours")["model_type"] == "hornbook"
    torch.testing.assert_close(folder.load(tmp_path / "ours")(ids).logits, wanted, **CLOSE)


@pytest.mark.parametrize("odd", [{"pooling": Pooling(take="mean", activation=None)}, {"bias": True}])
@torch.no_grad()
def test_what_no_public_class_does_is_ours(odd: dict[str, Any], tmp_path: Path) -> None:
    reference(case("llama")).save_pretrained(tmp_path / "theirs")
    ours: Any = folder.load(tmp_path / "theirs").eval()
    head.put(ours, replace(ours.config.head, **odd))
    folder.save(ours, tmp_path / "ours")
    fields = folder.read_fields(tmp_path / "ours")
    assert fields["model_type"] == "hornbook"
    assert fields["id2label"] == {str(number): name for number, name in NAMES.items()}
    ids = some_ids(2, 9)
    torch.testing.assert_close(folder.load(tmp_path / "ours")(ids).logits, ours(ids).logits, rtol=0, atol=0)


def test_what_fills_rows_up_is_not_what_ends_a_text() -> None:
    plain = BPE(vocab=300).train(["a b"])
    assert decoder_heads.pad(plain) == plain.end
    chat = BPE(vocab=300, special=("<|im_end|>", "<pad>")).train(["a b"])
    assert decoder_heads.pad(chat) == chat.special["<pad>"]
