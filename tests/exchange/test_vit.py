"""The Vision Transformer beside transformers."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.exchange import families, folder
from hornbook.exchange.family import essence
from tests.exchange.encoders import same
from tests.exchange.parity import Case, pair

VIT: dict[str, Any] = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "image_size": 12,
    "patch_size": 4,
    "num_channels": 2,
}
CASES = {
    "labels": Case("ViT", VIT | {"num_labels": 7}, "ForImageClassification"),
    "labels-odd": Case(
        "ViT", VIT | {"num_labels": 3, "qkv_bias": False, "layer_norm_eps": 1e-3, "hidden_act": "relu"},
        "ForImageClassification",
    ),
    "a-number": Case("ViT", VIT | {"num_labels": 1}, "ForImageClassification"),
    "body": Case("ViT", VIT, "Model"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@torch.no_grad()
def test_a_vit_is_transformers(case: str, tmp_path: Path) -> None:
    (theirs, ours), images = pair(CASES[case], tmp_path), torch.randn(3, 2, 12, 12)
    same(CASES[case], ours(pixel_values=images), theirs(pixel_values=images))  # type: ignore[arg-type]  # any case does
    folder.save(ours, tmp_path / "ours")
    again, info = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    same(CASES[case], ours(pixel_values=images), again.eval()(pixel_values=images))  # type: ignore[arg-type]
    assert essence(folder.load(tmp_path / "ours").config) == essence(ours.config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": [12, 8]}, r"image_size is \[12, 8\]; only squares"),
        ({"patch_size": 5}, "patch: 5 does not divide image: 12"),
        ({"pooler_output_size": 8}, "pooler_output_size is 8"),
        ({"pooler_act": "relu"}, "pooler_act is 'relu'"),
    ],
)
def test_what_is_not_built_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        families.config_of(VIT | {"model_type": "vit"} | change)
