"""QLoRA: LoRA beside a packed matrix is LoRA beside the matrix that the bytes stand for."""

import torch

from hornbook.adapt.adapter import adapted, attach, merge
from hornbook.adapt.lora import Lora
from hornbook.adapt.nf4 import Packed
from hornbook.adapt.qlora import PackedLowRank, Qlora
from hornbook.core import recipe
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.objective.language import NextToken
from hornbook.optim.adamw import AdamW
from hornbook.train import checkpoint
from tests.adapt.test_lora import beside, both, linear
from tests.train.doubles import VOCAB, Counting


def tiny() -> DecoderModel:
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", [f"embed.vocab={VOCAB}", "stack.layers=2"])
    return config.build(torch.Generator().manual_seed(0))


def test_it_says_and_learns_what_lora_does_beside_the_unpacked_matrix() -> None:
    made, other = linear(inputs=48, outputs=20), linear(inputs=48, outputs=20)
    other.weight.data = Packed(other.weight).matrix()
    packed, plain = beside(made, Qlora(rank=4)), beside(other, Lora(rank=4))
    x = torch.randn(2, 7, 48, generator=torch.Generator().manual_seed(2))
    said, wanted, by_x, by_x_wanted = both(made, other, x)
    close = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(said, wanted, **close)
    torch.testing.assert_close(by_x, by_x_wanted, **close)
    torch.testing.assert_close(packed.down.grad, plain.down.grad, **close)
    torch.testing.assert_close(packed.up.grad, plain.up.grad, **close)
    torch.testing.assert_close(packed.merged(made.weight), plain.merged(other.weight))


def test_the_matrices_of_a_model_take_half_a_byte_a_number() -> None:
    model = tiny()
    numbers = sum(linear.weight.numel() for linear in _attached(model, Qlora(rank=2), count=True))
    taken = sum(layer.packed.bytes for layer in map(_packed, adapted(model).values()))
    assert 0.515 < taken / numbers < 0.53, "small matrices have groups of scales that are not full"
    assert all(linear.weight.numel() == 0 for linear in adapted(model).values())


def test_a_checkpoint_holds_the_adapter_alone() -> None:
    model = tiny()
    _attached(model, Qlora(rank=2))
    kept = checkpoint.weights(model)
    assert {name.rpartition(".")[2] for name in kept} == {"down", "up"}
    assert len(kept) == 2 * len(adapted(model))


def test_it_learns_and_what_it_learned_is_folded_into_whole_matrices() -> None:
    model = tiny().train()
    _attached(model, Qlora(rank=4))
    optimizer, objective = AdamW(lr=1e-2, weight_decay=0.0).build(model), NextToken()
    losses = []
    for step in range(60):
        loss = objective(model, Counting().batch(8 * step, 8))
        (loss.sum / loss.count).backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.sum.detach()) / loss.count)
    assert sum(losses[-5:]) / 5 < losses[0] - 0.5
    ids = torch.arange(8)[None]
    said = model.eval()(ids).logits
    merge(model)
    torch.testing.assert_close(model(ids).logits, said, rtol=0, atol=1e-5)
    assert {name: tensor.shape for name, tensor in model.state_dict().items()} == {
        name: tensor.shape for name, tensor in tiny().state_dict().items()
    }


def test_a_model_in_bf16_is_packed_and_folded_in_bf16() -> None:
    model = tiny().to(torch.bfloat16)
    _attached(model, Qlora(rank=2))
    merge(model)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}


def _attached(model: DecoderModel, adapter: Lora, *, count: bool = False) -> list:
    """Attach; the matrices as they were."""
    before = dict(tiny().named_modules()) if count else {}
    attach(model, adapter, torch.Generator().manual_seed(0))
    return [before[name] for name in adapted(model)] if count else []


def _packed(linear: torch.nn.Module) -> PackedLowRank:
    assert isinstance(linear.adapter, PackedLowRank)
    return linear.adapter
