"""Bits per byte against hand-made models whose answer is known."""

import gzip
import lzma
import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hornbook.evaluate.compression import baselines, cut, score, xz_that_has_read


class Letters:
    """A tokenizer of single bytes; id 256 ends a document."""

    vocab, special, end, fingerprint = 257, {"<|endoftext|>": 256}, 256, "letters"

    def encode_batch(self, texts, *, special=False):
        return [list(text.encode()) for text in texts]


class Uniform(nn.Module):
    """Every token is as likely as any other."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))

    def forward(self, input_ids):
        return SimpleNamespace(logits=torch.zeros(*input_ids.shape, 257) * self.scale)


class Remembers(Uniform):
    """Sure that the token `back` places ago comes again, if it can see that far; else knows nothing."""

    def __init__(self, back):
        super().__init__()
        self.back = back

    def forward(self, input_ids):
        logits = torch.zeros(*input_ids.shape, 257)
        places = torch.arange(input_ids.shape[1])
        seen = places >= self.back - 1
        earlier = input_ids[:, (places - self.back + 1).clamp(min=0)]
        logits.scatter_(2, earlier[..., None], (seen * 50.0)[None, :, None].expand(len(input_ids), -1, 1))
        return SimpleNamespace(logits=logits)


@pytest.mark.parametrize("length", [2, 5, 16, 1000])
def test_a_model_that_knows_nothing_needs_the_same_bits_whatever_the_window(length):
    texts = ["a", "論語", "x" * 37, ""]
    found = score(Uniform(), Letters(), texts, length=length)
    assert found.bits_per_byte == pytest.approx(math.log2(257), rel=1e-6)
    assert found.bytes == sum(len(text.encode()) for text in texts) == found.tokens
    assert found.interval == pytest.approx((math.log2(257),) * 2, rel=1e-6)


def test_every_token_after_the_first_window_has_half_a_window_of_context():
    text = "abcd" * 40
    far = score(Remembers(4), Letters(), [text], length=16)
    news = 3 * math.log2(257) + 50 / math.log(2)  # before the fourth, four places back, stands the end token
    assert far.bits_per_byte * len(text) == pytest.approx(news, abs=0.01)  # nothing later is a surprise


@pytest.mark.parametrize("length", [1, 2, 3, 7, 100])
def test_windows_judge_every_token_once_and_never_look_across_documents(length):
    documents = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [11], [], [21, 22, 23]]
    judged: list[tuple[int, int]] = []
    for window in cut(documents, 0, length):
        assert len(window.ids) <= length + 1
        targets = window.ids[len(window.ids) - window.scored :]
        judged += [(window.document, target) for target in targets]
        assert set(window.ids) <= {0, *documents[window.document]}
    assert judged == [(number, token) for number, document in enumerate(documents) for token in document]


def test_the_compressors_are_the_ones_everybody_has():
    texts = ["the cat sat on the mat\n" * 30, "one two three"]
    data = "".join(texts).encode()
    found = baselines(texts)
    assert found["gzip -9"] == 8 * len(gzip.compress(data, 9)) / len(data)
    assert found["xz -9"] == 8 * len(lzma.compress(data, preset=9)) / len(data)
    assert 0 < found["zstd -19"] < 8


def test_what_xz_has_read_it_need_not_say_again():
    import random

    draw = random.Random(0)
    text = "".join(draw.choices("abcdefgh", k=4000))
    assert xz_that_has_read([text], [text]) < 0.2 < baselines([text])["xz -9"]
