"""Encoders: published sizes, what each head answers, padding, packing, and what is refused."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.exchange import families
from hornbook.model.cost import cost
from hornbook.model.encoder import Encoder, EncoderModel
from hornbook.model.models import Model

PUBLISHED = {
    "bert-base-uncased": 109_482_240,
    "bert-large-uncased": 335_141_888,
    "minilm-l6": 22_713_216,
    "roberta-base": 124_645_632,
    "distilbert-base": 66_362_880,
    "albert-base-v2": 11_683_584,
    "esm2-8m": 7_512_474,  # this and the next two as transformers counts their configs, contacts included
    "esm2-650m": 651_043_254,
    "esm1b": 652_359_094,
    "vit-base-16": 86_567_656,
}
TINY = ["albert-tiny", "bert-pretraining-tiny", "bert-tiny", "distilbert-tiny", "esm2-tiny", "roberta-tiny"]
CLOSE = {"rtol": 0, "atol": 1e-5}


def make(name: str, *overrides: str) -> EncoderModel:
    """A recipe's model with every parameter off its first value."""
    config = recipe.load(Model, f"models/{name}", overrides)  # type: ignore[arg-type]  # a union is a type too
    assert isinstance(config, Encoder)
    model = config.build(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return model.eval()


def rows(count: int, time: int) -> Tensor:
    return torch.randint(3, 32, (count, time), generator=torch.Generator().manual_seed(0))


def answers(output: Any) -> dict[str, Tensor]:
    """All that an output says."""
    found = {name: getattr(output, name) for name in ("hidden", "scores", "pooled", "seq_relationship_logits")}
    return {name: tensor for name, tensor in found.items() if tensor is not None}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_sizes(name: str) -> None:
    config: Any = recipe.load(Model, f"models/{name}")  # type: ignore[arg-type]
    with torch.device("meta"):
        model = config.build()
    assert sum(parameter.numel() for parameter in model.parameters()) == PUBLISHED[name]
    assert cost(config).parameters == PUBLISHED[name]
    assert families.fields_of(config)["model_type"] in name.replace("minilm", "bert")


@pytest.mark.parametrize("name", TINY)
@torch.no_grad()
def test_padding_on_either_side_changes_nothing(name: str) -> None:
    model, ids = make(name), rows(2, 15)
    for kept in (slice(4, 15), slice(0, 11)):
        mask = torch.zeros(2, 15, dtype=torch.long)
        mask[0], mask[1, kept] = 1, 1
        together, alone = answers(model(ids, attention_mask=mask)), answers(model(ids[1:, kept]))
        for what, tensor in together.items():
            per_token = tensor.dim() == 3
            torch.testing.assert_close(tensor[1:, kept] if per_token else tensor[1:], alone[what], **CLOSE)


@torch.no_grad()
def test_a_mask_of_ones_is_no_mask() -> None:
    model, ids = make("roberta-tiny"), rows(2, 9)
    together, bare = model(ids, attention_mask=torch.ones(2, 9)), model(ids)
    torch.testing.assert_close(together.logits, bare.logits, **CLOSE)


@pytest.mark.parametrize("name", ["bert-tiny", "distilbert-tiny", "esm2-tiny"])
@torch.no_grad()
def test_packed_documents_are_rows_of_their_own(name: str) -> None:
    model, ids = make(name), rows(1, 15)
    packed = model(ids, document_ids=torch.tensor([[3] * 6 + [9] * 9])).logits
    torch.testing.assert_close(packed[:, :6], model(ids[:, :6]).logits, **CLOSE)
    torch.testing.assert_close(packed[:, 6:], model(ids[:, 6:]).logits, **CLOSE)


@pytest.mark.parametrize("name", ["roberta-tiny", "bert-pretraining-tiny"])
@torch.no_grad()
def test_a_head_of_whole_rows_reads_each_packed_document(name: str) -> None:
    model, ids = make(name), rows(1, 15)
    packed = model(ids, document_ids=torch.tensor([[3] * 6 + [9] * 9]))
    found = answers(packed).keys() & {"pooled", "seq_relationship_logits"} or {"scores"}
    for answer in found:
        alone = torch.cat([getattr(model(part), answer) for part in (ids[:, :6], ids[:, 6:])])
        torch.testing.assert_close(getattr(packed, answer), alone, **CLOSE)


@torch.no_grad()
def test_nothing_is_hidden_without_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fused kernel is given no mask, and is not told to hide what comes later."""
    given: list[Any] = []
    fused = functional.scaled_dot_product_attention
    monkeypatch.setattr(
        functional,
        "scaled_dot_product_attention",
        lambda *args, **options: given.append((options["attn_mask"], options["is_causal"])) or fused(*args, **options),
    )
    make("bert-tiny")(rows(2, 9))
    assert given == [(None, False)] * 2


@torch.no_grad()
def test_every_token_is_seen_by_every_other() -> None:
    model, ids = make("bert-tiny"), rows(1, 9)
    before = model(ids).logits
    ids[0, 8] = (ids[0, 8] + 1) % 131
    assert ((model(ids).logits - before).abs().amax(-1) > 1e-4).all()


@torch.no_grad()
def test_pretraining_says_pairs_even_without_scores() -> None:
    """A loss asks for no logits and calls the head on the hidden tokens alone; pairs it needs all the same."""
    model, ids = make("bert-pretraining-tiny"), rows(2, 9)
    whole, part = model(ids), model(ids, logits=False)
    assert part.scores is None
    torch.testing.assert_close(part.seq_relationship_logits, whole.seq_relationship_logits)
    assert model.head is not None
    torch.testing.assert_close(model.head(part.hidden[:, [2, 5]]), whole.logits[:, [2, 5]], **CLOSE)
    assert {name.split(".")[0] for name, _ in model.named_parameters()} == {"embed", "stack", "head", "pair"}


@torch.no_grad()
def test_segments_are_the_first_where_not_said() -> None:
    model, ids = make("bert-tiny"), rows(2, 9)
    first = model(ids, token_type_ids=torch.zeros_like(ids)).logits
    torch.testing.assert_close(model(ids).logits, first)
    assert (model(ids, token_type_ids=torch.ones_like(ids)).logits - first).abs().max() > 1e-3


@torch.no_grad()
def test_layers_applied_again_are_layers_alike() -> None:
    """ALBERT with two layers, two times each, is a BERT of four layers of which two and two are alike."""
    again, plain = make("albert-tiny"), make("albert-tiny", "stack.layers=4", "stack.repeats=1")
    state = {name: tensor for name, tensor in again.state_dict().items() if "stack.layers" not in name}
    for name, tensor in again.state_dict().items():
        if name.startswith("stack.layers."):
            layer, rest = int(name.split(".")[2]), name.split(".", 3)[3]
            state |= {f"stack.layers.{2 * layer + i}.{rest}": tensor for i in range(2)}
    plain.load_state_dict(state)
    torch.testing.assert_close(again(rows(2, 9)).logits, plain(rows(2, 9)).logits)


@torch.no_grad()
def test_without_a_head_there_are_only_vectors() -> None:
    model = make("bert-tiny", "head=null")
    assert set(answers(model(rows(2, 5)))) == {"hidden"}


def test_a_tied_head_is_the_table() -> None:
    tied, untied = make("bert-tiny"), make("bert-tiny", "head.tied=false")
    assert tied.head.words.weight is tied.embed.table.weight  # type: ignore[union-attr]
    assert untied.head.words.weight is not untied.embed.table.weight  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("vit-digits-tiny", "length=16", "length: 16 tokens, the image makes 17"),
        ("vit-digits-tiny", "head=masked", "guesses tokens, and this model reads images"),
        ("vit-digits-tiny", "head=language", "guesses tokens, and this model reads images"),
        ("albert-tiny", "head=language", "tied: the table has 16 channels and the stream 48"),
        ("bert-tiny", "head=chat", "head: 'chat' is not one of language, masked"),
    ],
)
def test_what_does_not_fit_is_said(name: str, change: str, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        make(name, change)


def test_ids_and_images_are_not_mixed_up() -> None:
    with pytest.raises(ValueError, match="pixel_values: none given"):
        make("vit-digits-tiny")(torch.zeros(1, 17, dtype=torch.long))
    with pytest.raises(ValueError, match="input_ids: none given"):
        make("bert-tiny")(pixel_values=torch.zeros(1, 1, 8, 8))
