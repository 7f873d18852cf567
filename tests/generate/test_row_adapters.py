"""Rows of one batch with adapters of their own write what each writes alone, whoever stands beside them."""

import copy
import threading
from functools import cache

import pytest
import torch

from hornbook.adapt.adapter import adapted, attach
from hornbook.adapt.lora import Lora, LowRank
from hornbook.core.errors import UserError
from hornbook.exchange.low_rank import Learned
from hornbook.exchange.peft import Content
from hornbook.generate.row_adapters import chosen, fits, names, put_beside
from hornbook.generate.sample import Sampling
from hornbook.generate.ticket import Request
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.models import AnyModel
from hornbook.model.quantised import pack
from tests.generate.speaking import DECODERS, WITH_SOURCE, Speaker, alone, engine, ids_of, module, request, speaker

NAMES = ("law", "verse", "talk")
TARGETS = {  # the others: the matrices of all layers
    "mamba": ("input", "output", "select"),
    "jamba": ("query", "value", "input", "select"),  # not those of experts
    "hyena": ("project", "*.layers.*.output"),
}


@cache
def kinds(name: str) -> tuple[Speaker, dict[str | None, Speaker]]:
    """A model that has all three adapters, and each by itself; None: without one."""
    plain = copy.deepcopy(module(name))
    parts: dict[str | None, Speaker] = {None: speaker(name)}
    for number, each in enumerate(NAMES):
        one = copy.deepcopy(module(name))
        draw = torch.Generator().manual_seed(number)
        attach(one, Lora(rank=number + 1, alpha=4.0, targets=TARGETS.get(name, ("*.layers.*",))), draw)
        content = Content(learned(one, draw))
        assert fits(plain, content)
        put_beside(plain, each, content)
        parts[each] = Speaker(one.eval())
    assert len({round(scores(each.module), 3) for each in parts.values()}) == 4, "they say different things"
    return Speaker(plain), parts


def scores(one: AnyModel) -> float:
    ids = torch.tensor([[5, 9, 4]])
    given = {"decoder_input_ids": ids} if isinstance(one, EncoderDecoderModel) else {}
    with torch.inference_mode():
        return float(one(ids, **given).logits[..., :50].sum())


def learned(one: torch.nn.Module, draw: torch.Generator) -> dict[str, Learned]:
    found = {}
    for place, linear in adapted(one).items():
        layer = linear.adapter
        assert isinstance(layer, LowRank)
        with torch.no_grad():
            layer.up.copy_(0.3 * torch.randn(layer.up.shape, generator=draw))
        found[place] = Learned(layer.down.detach(), layer.up.detach(), layer.config.scale)
    return found


def asked(lm: Speaker, ids: list[int], adapter: str | None, seed: int) -> Request:
    how = [Sampling(temperature=0), Sampling(temperature=0.9, top_k=20)][seed % 2]
    return request(lm, ids, adapter=adapter, sampling=how, seed=seed, max_new_tokens=6 + seed)


@pytest.mark.parametrize("prefix_bytes", [0, 10**8])
@pytest.mark.parametrize("name", [each for each in DECODERS if each != "windowed"] + WITH_SOURCE)
def test_each_row_writes_what_its_adapter_writes_alone(name: str, prefix_bytes: int) -> None:
    lm, parts = kinds(name)
    running = engine(lm, slots=4, prefix_bytes=prefix_bytes)
    order = [*parts, None, *NAMES]
    requests = [asked(lm, [7, 9, 11, 3, 5, 8, 4, 2 + n % 2], each, n) for n, each in enumerate(order)]
    tickets = [running.submit(each) for each in requests]
    running.start()
    found = [ids_of(ticket) for ticket in tickets]
    wanted = [alone(parts[each.adapter], each).new for each in requests]
    assert found == wanted
    again = [running.submit(each) for each in requests]
    assert [ids_of(ticket) for ticket in again] == wanted
    cached = sum(ticket.usage.cached for ticket in again)
    running.close()
    assert (cached > 0) == (prefix_bytes > 0 and name not in WITH_SOURCE)


def test_what_was_read_with_one_adapter_is_not_taken_for_another() -> None:
    lm, _ = kinds("llama")
    running = engine(lm, prefix_bytes=10**8)
    running.start()
    cached = []
    for adapter in (None, "law", "law", "verse", None):
        ticket = running.submit(request(lm, [5, 9, 4, 7], adapter=adapter, max_new_tokens=2))
        list(ticket)
        cached.append(ticket.usage.cached)
    running.close()
    assert cached == [0, 0, 3, 0, 3]


def test_rows_and_the_logits_of_each() -> None:
    lm, parts = kinds("llama")
    ids = torch.tensor([[5, 9, 4]] * 3)
    with torch.inference_mode():
        wanted = [parts[each].module(ids[:1]).logits[0] for each in ("law", None, "talk")]
        with chosen(["law", None, "talk"]):
            found = lm.module(ids).logits
        assert torch.allclose(found, torch.stack(wanted), atol=1e-5)
        with chosen(["talk"]):
            assert torch.allclose(lm.module(ids).logits, wanted[2].expand(3, -1, -1), atol=1e-5)
        assert torch.equal(lm.module(ids).logits, parts[None].module(ids).logits)


def test_another_thread_uses_the_model_as_it_is() -> None:
    lm, parts = kinds("llama")
    ids, found = torch.tensor([[5, 9, 4]]), []
    with chosen(["law"]):
        thread = threading.Thread(target=lambda: found.append(lm.module(ids).logits))
        thread.start()
        thread.join()
    assert torch.equal(found[0], parts[None].module(ids).logits)


def test_a_packed_matrix_may_have_them_too() -> None:
    _, parts = kinds("llama")
    one = parts["law"].module
    packed = copy.deepcopy(module("llama"))
    pack(packed, "int8")
    content = Content({place: Learned(linear.adapter.down, linear.adapter.up, linear.adapter.config.scale)  # type: ignore[union-attr]
                       for place, linear in adapted(one).items()})  # fmt: skip
    put_beside(packed, "law", content)
    ids = torch.tensor([[5, 9, 4]])
    with torch.inference_mode():
        wanted, without = one(ids).logits, packed(ids).logits
        with chosen(["law"]):
            found = packed(ids).logits
    assert (found - wanted).norm() < 0.1 * (without - wanted).norm()
    assert names(packed) == {"law"}
    with pytest.raises(UserError, match="two have the name law"):
        put_beside(packed, "law", content)


def test_who_cannot_stand_in_a_batch() -> None:
    plain, draw = module("llama"), torch.Generator().manual_seed(0)
    place, one = next(iter(learned(parted("llama", Lora(rank=1)), draw).items()))
    assert fits(plain, Content({place: one}))
    assert not fits(plain, Content({place: one}, {"norm.weight": torch.ones(1)}))
    assert not fits(plain, Content({place: Learned(one.down, one.up, 1.0, torch.ones(len(one.up)))}))
    assert not fits(module("mixtral"), Content(learned(parted("mixtral", Lora(rank=1, targets=("up",))), draw)))
    assert fits(module("mixtral"), Content(learned(parted("mixtral", Lora(rank=1, targets=("query",))), draw)))
    assert not fits(module("mamba"), Content({"stack.layers.0.step": one}))


def parted(name: str, adapter: Lora) -> torch.nn.Module:
    found = copy.deepcopy(module(name))
    attach(found, adapter, torch.Generator().manual_seed(0))
    return found


def test_an_adapter_that_is_not_there_is_refused_at_once() -> None:
    lm, _ = kinds("llama")
    with pytest.raises(UserError, match="adapter: 'prose' is not on this model; it has law, talk, verse"):
        engine(lm).submit(request(lm, [5], adapter="prose"))
    with pytest.raises(UserError, match="it has none"):
        engine(speaker("llama")).submit(request(lm, [5], adapter="law"))
