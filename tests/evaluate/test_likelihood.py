"""What is shared is computed once and changes nothing: each pair is as likely as read by itself, for any decoder."""

import random

import pytest
import torch

from hornbook.core import recipe
from hornbook.evaluate.likelihood import likelihoods
from hornbook.evaluate.pairs import Pair
from hornbook.model.decoder import Decoder, DecoderModel

RECIPES = ["gpt2-tiny", "llama-tiny", "bloom-tiny", "mistral-tiny", "mamba-tiny", "rwkv-tiny", "mixtral-tiny"]


def build(name: str) -> DecoderModel:
    config: Decoder = recipe.load(Decoder, f"models/{name}")
    return config.build(torch.Generator().manual_seed(1)).eval()


def asked(vocab: int, length: int, seed: int = 0) -> list[Pair]:
    """Two families with a header each, questions of several lengths, one to four answers; and some strangers."""
    draw = random.Random(seed)
    some = lambda least, most: tuple(draw.randrange(vocab) for _ in range(draw.randint(least, most)))  # noqa: E731
    pairs = []
    for header in (some(34, 34), some(33, 33)):
        for _ in range(4):
            context = header + some(1, 6)
            pairs += [Pair(context, some(1, 5)) for _ in range(draw.randint(1, 4))]
    pairs += [Pair(some(1, 9), some(1, 6)) for _ in range(4)]
    draw.shuffle(pairs)
    assert all(len(pair.context) + len(pair.continuation) <= length + 1 for pair in pairs)
    return pairs


@torch.inference_mode()
def alone(model: DecoderModel, pair: Pair) -> tuple[float, bool]:
    ids = torch.tensor([pair.context + pair.continuation])
    logits = model(ids[:, :-1]).logits[0, len(pair.context) - 1 :].float()
    wanted = torch.tensor(pair.continuation)
    return float(logits.log_softmax(-1)[range(len(wanted)), wanted].sum()), bool((logits.argmax(-1) == wanted).all())


@pytest.mark.parametrize("name", RECIPES)
def test_every_pair_is_as_likely_as_by_itself(name: str) -> None:
    model = build(name)
    pairs = asked(model.config.vocab, model.config.length)
    done: list[int] = []
    found = likelihoods(model, pairs, told=done.append)
    for pair, likelihood in zip(pairs, found, strict=True):
        nats, greedy = alone(model, pair)
        assert likelihood.nats == pytest.approx(nats, abs=2e-4)
        assert likelihood.greedy == greedy
    assert sum(done) == len(pairs)


def test_the_header_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, read = build("llama-tiny"), []
    forward = DecoderModel.forward

    def counting(self, input_ids, **more):
        read.append(input_ids.numel())
        return forward(self, input_ids, **more)

    monkeypatch.setattr(DecoderModel, "forward", counting)
    header = tuple(range(40))
    likelihoods(
        model, [Pair((*header, 50 + question), (60 + answer, 7)) for question in range(4) for answer in range(3)]
    )
    assert (
        sum(read) == 40 + 4 + 4 * 3
    )  # header, one more token a question, one token an answer: the last is only judged
