"""Perplexity is the Hugging Face recipe's on the same weights; bits per byte do not mind the tokenizer."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.evaluate.cache import Cache
from hornbook.evaluate.perplexity import places, slide, summary
from hornbook.evaluate.scorer import Scorer
from hornbook.generate.language_model import LanguageModel
from hornbook.model.models import Model
from hornbook.text.bpe import BPE
from hornbook.text.wordpiece import WordPiece
from tests.evaluate.tiny_models import TEXT, make

LONG = TEXT * 4 + "She said: the people of the river would not go.\n"


def recipe_of_hugging_face(model: Any, ids: list[int], max_length: int, stride: int) -> float:
    """The documentation's loop, with its names."""
    encodings, nll_sum, n_tokens, prev_end_loc = torch.tensor([ids]), 0.0, 0, 0
    for begin_loc in range(0, encodings.size(1), stride):
        end_loc = min(begin_loc + max_length, encodings.size(1))
        trg_len = end_loc - prev_end_loc
        input_ids = encodings[:, begin_loc:end_loc]
        target_ids = input_ids.clone()
        target_ids[:, :-trg_len] = -100
        with torch.no_grad():
            loss = model(input_ids, labels=target_ids).loss
        num_loss_tokens = int((target_ids != -100).sum()) - 1
        nll_sum += float(loss) * num_loss_tokens if num_loss_tokens else 0.0
        n_tokens += num_loss_tokens
        prev_end_loc = end_loc
        if end_loc == encodings.size(1):
            break
    return math.exp(nll_sum / n_tokens)


@pytest.mark.parametrize("name", ["short", "begins"])
def test_as_the_recipe_on_the_same_weights(name: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    folder = make(name, tmp_path)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    lm = LanguageModel.load(folder)
    ids = lm.plain_ids(LONG)
    assert (ids[0] == lm.begin) == (name == "begins")
    for window, stride in ((160, 80), (100, 30), (64, 64), (50, 1), (len(ids) + 100, 10)):
        window = min(window, lm.module.config.length)
        found = summary([slide(Scorer(lm), LONG, window=window, stride=stride)])
        wanted = recipe_of_hugging_face(theirs, ids, window, stride)
        assert found["perplexity"]["value"] == pytest.approx(wanted, rel=1e-5)
        assert found["tokens"] == len(ids) - (name == "begins")
        assert found["bytes"] == len(LONG.encode())


def test_with_one_window_bits_per_byte_are_the_rolling_likelihood(tmp_path: Path) -> None:
    from hornbook.evaluate.request import Rolling

    scorer = Scorer(LanguageModel.load(make("tiny", tmp_path)))
    (rolling,) = scorer.rolling([Rolling(LONG)])
    found = summary([slide(scorer, LONG, window=2048)])
    first = found["bits_per_byte"]["value"]
    assert found["bits_per_byte"]["interval"] is None  # one window says nothing of another
    # the first token is foretold by the mark alone, the others without it: the recipe's model sees no mark
    assert first == pytest.approx(-rolling.log_likelihood / math.log(2) / len(LONG.encode()), rel=0.02)


class Bytes:
    """A tokenizer whose tokens are all texts of `size` bytes, and nothing else."""

    end, fingerprint = 0, "bytes"

    def __init__(self, size: int) -> None:
        self.size, self.vocab = size, 256**size
        self.special: dict[str, int] = {}

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        data = text.encode()
        return [int.from_bytes(data[at : at + self.size], "big") for at in range(0, len(data), self.size)]

    def decode_bytes(self, ids: Any) -> bytes:
        return b"".join(id.to_bytes(self.size, "big") for id in ids)

    def wrap(self, ids: list[int], other: Any = None) -> tuple[list[int], list[int]]:
        return ids, [0] * len(ids)


def uniform(vocab: int) -> Any:
    config = recipe.load(Model, "models/gpt2-tiny", [f"embed.vocab={vocab}", "length=32"])  # type: ignore[arg-type]
    model = config.build(torch.Generator().manual_seed(0)).eval()
    for parameter in model.parameters():
        parameter.data.zero_()
    return model


def test_bits_per_byte_are_independent_of_the_tokenizer() -> None:
    """Who knows nothing needs 8 bits for a byte, in tokens of one byte or of two; perplexity is 256 or 65,536."""
    text = "論語 and Analects: 子曰。" * 10
    assert len(text.encode()) % 2 == 0
    for size, perplexity in ((1, 256), (2, 65536)):
        lm = LanguageModel(uniform(256**size), Bytes(size))  # type: ignore[arg-type]
        for stride in (16, 32, 5):
            found = summary([slide(Scorer(lm), text, stride=stride)])
            assert found["bits_per_byte"]["value"] == pytest.approx(8, rel=1e-6)
            assert found["bits_per_byte"]["interval"] == pytest.approx([8, 8], rel=1e-6)
            assert found["perplexity"]["value"] == pytest.approx(perplexity, rel=1e-5)


@pytest.mark.parametrize("vocab", [260, 400])
def test_a_uniform_model_pays_for_every_token_of_a_learned_tokenizer(vocab: int) -> None:
    tokenizer = BPE(vocab=vocab).train([TEXT] * 5, processes=1)
    lm = LanguageModel(uniform(tokenizer.vocab), tokenizer)
    found = summary([slide(Scorer(lm), LONG)])
    wanted = len(tokenizer.encode(LONG)) * math.log2(tokenizer.vocab) / len(LONG.encode())
    assert found["bits_per_byte"]["value"] == pytest.approx(wanted, rel=1e-6)


def test_texts_add_up_and_are_not_read_twice(tmp_path: Path) -> None:
    lm = LanguageModel.load(make("short", tmp_path / "model"))
    calls: list[tuple[int, int]] = []
    scorer = Scorer(lm, cache=Cache(tmp_path, "x"), progress=lambda *done: calls.append(done))
    one, two = (slide(scorer, text, window=40, stride=20) for text in (LONG, TEXT))
    both = summary([one, two])
    assert both["tokens"] == summary([one])["tokens"] + summary([two])["tokens"]
    low, high = both["perplexity"]["interval"]
    assert low < both["perplexity"]["value"] < high
    asked = len(calls)
    assert summary([slide(scorer, LONG, window=40, stride=20), two]) == both
    assert len(calls) == asked


def test_a_masked_model_has_its_pseudo_perplexity() -> None:
    tokenizer = WordPiece(vocab=320, alphabet=100).train([TEXT] * 9)
    config = recipe.load(Model, "models/bert-tiny", [f"embed.vocab={tokenizer.vocab}"])  # type: ignore[arg-type]
    lm = LanguageModel(config.build(torch.Generator().manual_seed(0)).eval(), tokenizer)
    found = summary([slide(Scorer(lm), TEXT, window=24)])
    assert 1 < found["perplexity"]["value"] < 10 * tokenizer.vocab


def test_each_token_is_new_once() -> None:
    for window, stride in ((4, 4), (4, 1), (10, 3), (100, 7)):
        some = places(list(range(37)), window, stride)
        assert [id for each in some for id in each.continuation] == list(range(37))
        assert all(len(each.context) + len(each.continuation) <= window for each in some)


def test_what_cannot_be_is_told(tmp_path: Path) -> None:
    scorer = Scorer(LanguageModel.load(make("short", tmp_path)))
    with pytest.raises(UserError, match="--window: 200 tokens; the model reads 2 to 160"):
        slide(scorer, LONG, window=200)
    with pytest.raises(UserError, match="--stride: 60 with a window of 50 leaves tokens out"):
        slide(scorer, LONG, window=50, stride=60)
    with pytest.raises(UserError, match="0 tokens: nothing to foretell"):
        slide(scorer, "")
