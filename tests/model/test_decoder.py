"""A decoder says the same thing whichever way it is asked: whole or token by token, alone, padded or packed."""

import pytest
import torch
from torch import Tensor

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.model.decoder import Decoder, DecoderModel

TINY = [name for name in recipe.built_in_names() if name.startswith("models/") and name.endswith("-tiny")]
RECIPES = [name for name in TINY if recipe.read(recipe.find(name)).get("type", "decoder") == "decoder"]
CLOSE = {"rtol": 0, "atol": 5e-6}  # float32 sums in another order; the logits are about 1


def make(name: str) -> DecoderModel:
    """A tiny model whose every parameter is off its first value, so that no part is hidden by a 0 or a 1."""
    model = recipe.load(Decoder, name).build()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def some_ids(model: DecoderModel, rows: int, time: int, seed: int = 0) -> Tensor:
    return torch.randint(0, model.config.embed.vocab, (rows, time), generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=RECIPES, ids=[name.split("/")[1] for name in RECIPES])
def model(request: pytest.FixtureRequest) -> DecoderModel:
    return make(request.param)


@torch.no_grad()
def test_decoding_token_by_token_is_the_full_forward(model: DecoderModel) -> None:
    ids = some_ids(model, 2, 24)
    whole = model(ids).logits
    state = model.new_state(2, 24)
    parts = [model(ids[:, :7], state=state).logits, model(ids[:, 7:12], state=state).logits]  # a prompt in two parts
    parts += [model(ids[:, i : i + 1], state=state).logits for i in range(12, 24)]
    torch.testing.assert_close(torch.cat(parts, 1), whole, **CLOSE)
    assert state.length == 24


@torch.no_grad()
def test_uneven_prompts_decode_as_if_alone(model: DecoderModel) -> None:
    ids, pads = some_ids(model, 3, 20), [0, 4, 9]
    mask = torch.arange(20) >= torch.tensor(pads)[:, None]
    state = model.new_state(3, 20)
    parts = [model(ids[:, :12], attention_mask=mask[:, :12], state=state).logits]
    parts += [model(ids[:, i : i + 1], attention_mask=mask[:, : i + 1], state=state).logits for i in range(12, 20)]
    together = torch.cat(parts, 1)
    for row, pad in enumerate(pads):
        torch.testing.assert_close(together[row, pad:], model(ids[row : row + 1, pad:]).logits[0], **CLOSE)


@torch.no_grad()
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing_that_is_kept(model: DecoderModel, side: str) -> None:
    ids = some_ids(model, 2, 20)
    kept = slice(6, 20) if side == "left" else slice(0, 14)
    mask = torch.zeros(2, 20, dtype=torch.long)
    mask[0], mask[1, kept] = 1, 1
    padded = model(ids, attention_mask=mask).logits
    assert padded.isfinite().all()
    torch.testing.assert_close(padded[0], model(ids[:1]).logits[0], **CLOSE)
    torch.testing.assert_close(padded[1, kept], model(ids[1:, kept]).logits[0], **CLOSE)


@torch.no_grad()
def test_packed_documents_are_rows_of_their_own(model: DecoderModel) -> None:
    ids = some_ids(model, 2, 24)
    documents = torch.tensor([[0] * 5 + [1] * 12 + [2] * 7, [7] * 20 + [3] * 4], dtype=torch.int32)
    packed = model(ids, document_ids=documents).logits
    for row, start, end in [(0, 0, 5), (0, 5, 17), (0, 17, 24), (1, 0, 20), (1, 20, 24)]:
        torch.testing.assert_close(packed[row, start:end], model(ids[row : row + 1, start:end]).logits[0], **CLOSE)


@torch.no_grad()
def test_a_later_token_never_changes_an_earlier_logit(model: DecoderModel) -> None:
    ids = some_ids(model, 1, 24)
    before = model(ids).logits
    for place in (1, 10, 23):
        changed = ids.clone()
        changed[0, place] = (changed[0, place] + 1) % model.config.embed.vocab
        after = model(changed).logits
        # An FFT (Hyena) rounds everywhere by what is loudest anywhere.
        torch.testing.assert_close(after[:, :place], before[:, :place], rtol=0, atol=2e-6)
        assert (after[:, place:] - before[:, place:]).abs().amax(-1).min() > 1e-6  # and does change the rest


@torch.no_grad()
def test_hidden_and_head_make_the_logits(model: DecoderModel) -> None:
    ids = some_ids(model, 1, 9)
    torch.testing.assert_close(model.head(model(ids, logits=False).hidden), model(ids).logits)


def test_checkpointed_gradients_are_the_gradients(model: DecoderModel) -> None:
    ids = some_ids(model, 2, 12)
    gradients = []
    for checkpoint in (False, True):
        model.stack.checkpoint = checkpoint
        model.zero_grad()
        torch.manual_seed(5)  # dropout draws the same
        model.train()(ids).logits.square().mean().backward()
        gradients.append([p.grad for p in model.parameters()])
    for plain, again in zip(*gradients, strict=True):
        torch.testing.assert_close(again, plain)


def test_recipes_survive_dumping(model: DecoderModel) -> None:
    assert recipe.parse(Decoder, recipe.dump(model.config)) == model.config


def test_soft_cap_bounds_the_logits() -> None:
    model = make("models/fast-tiny")
    with torch.no_grad():
        model.head.weight.mul_(1000)
        logits = model(some_ids(model, 1, 8)).logits
    assert 14.9 < logits.abs().max() <= 15


def test_a_tied_head_is_the_embedding() -> None:
    model = make("models/gpt2-tiny")
    assert model.head.weight is model.embed.table.weight
    model = make("models/llama-tiny")
    assert model.head.weight is not model.embed.table.weight


@pytest.mark.parametrize(
    ("name", "parameters"),
    [  # as published; Llama 3 and Qwen from their model cards' files
        ("gpt2", 124_439_808),
        ("gpt2-medium", 354_823_168),
        ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
        ("llama2-7b", 6_738_415_616),
        ("llama3-8b", 8_030_261_248),
        ("qwen2-0.5b", 494_032_768),
        ("qwen3-0.6b", 596_049_920),
        ("smollm2-135m", 134_515_008),
    ],
)
def test_published_sizes_are_counted_without_memory(name: str, parameters: int) -> None:
    with torch.device("meta"):
        model = recipe.load(Decoder, f"models/{name}").build()
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
    assert all(parameter.is_meta for parameter in model.parameters())


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("dim=50", "heads: 4 does not divide dim: 50"),
        ("stack.layer.0.kv_heads=3", r"stack.layer\[0\]: kv_heads: 3 does not divide heads: 4"),
        ("stack.layer.0.heds=3", r"stack.layer\[0\].heds: attention has no such field \(did you mean 'heads'\?\)"),
        ("stack.layer.0.head_dim=7", "head_dim: 7 of 7 channels turn, in pairs; make it an even number"),
        ("stack.pattern=ab", "pattern: goes with named layers"),
        ("stack.layers=0", "stack: layers: 0 is no stack"),
        ("embed.vocab=0", "embed: vocab: 0 leaves no token"),
    ],
)
def test_what_does_not_fit_is_named(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe.load(Decoder, "models/llama-tiny", [override])


def test_what_cannot_be_read_is_named() -> None:
    model = make("models/gpt2-tiny")
    ids = some_ids(model, 1, 8)
    with pytest.raises(ValueError, match="8 tokens do not fit a state made for 4"):
        model(ids, state=model.new_state(1, 4))
    with pytest.raises(ValueError, match="attention_mask: tells of 7 tokens, there are 8"):
        model(ids, attention_mask=torch.ones(1, 7))
    with pytest.raises(ValueError, match="65 tokens are more than the 64 positions"):
        model(some_ids(model, 1, 65))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")  # the compiler's own
@pytest.mark.parametrize(
    ("name", "backend"),
    [("gpt2-tiny", "aot_eager"), ("llama-tiny", "aot_eager"), ("fast-tiny", "aot_eager"), ("llama-tiny", "inductor")],
)
def test_training_and_prefill_compile_to_one_graph(name: str, backend: str) -> None:
    model = make(f"models/{name}")
    ids = some_ids(model, 2, 16)
    compiled = torch.compile(model, fullgraph=True, backend=backend)
    torch.testing.assert_close(compiled(ids).logits, model(ids).logits, **CLOSE)
    compiled(ids).logits.sum().backward()
    with torch.no_grad():
        state = model.new_state(2, 16)
        torch.testing.assert_close(compiled(ids, state=state).logits, model(ids).logits, **CLOSE)
    assert state.length == 16
