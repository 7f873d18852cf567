"""The words behind a mask, of a model whose answer is known."""

from pathlib import Path

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.model.encoder import Encoder
from hornbook.text import tokenizer
from hornbook.text.residues import ResidueTokenizer

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "paris", "is", "the", "capital", "town", "of", "france", "."]
TEXT = "Paris is the [MASK] of France."


@pytest.fixture
def lm(tmp_path: Path) -> LanguageModel:
    """A BERT whose bias alone speaks: capital with 8 times the weight of town, and that with 8 times all others'."""
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    model = recipe.load(Encoder, "models/bert-tiny", [f"embed.vocab={len(WORDS)}"]).build().eval()
    with torch.no_grad():
        model.head.norm.weight.zero_()  # type: ignore[union-attr]
        model.head.norm.bias.zero_()  # type: ignore[union-attr]
        model.head.words.bias[WORDS.index("town")] = torch.tensor(8.0).log()  # type: ignore[union-attr]
        model.head.words.bias[WORDS.index("capital")] = torch.tensor(64.0).log()  # type: ignore[union-attr]
    return LanguageModel(model, tokenizer.load(tmp_path))


def test_guesses_are_the_likeliest_with_their_probabilities(lm: LanguageModel) -> None:
    ((first, second),) = lm.fill(TEXT, top=2)
    assert (first.token, second.token) == ("capital", "town")
    assert first.probability == pytest.approx(64 / (64 + 8 + 11))
    assert second.probability == pytest.approx(8 / (64 + 8 + 11))


def test_every_mask_is_answered_whatever_its_spelling(lm: LanguageModel) -> None:
    assert len(lm.fill("<mask> is the [MASK] of France.")) == 2


def test_there_are_no_more_guesses_than_tokens(lm: LanguageModel) -> None:
    assert len(lm.fill(TEXT, top=99)[0]) == len(WORDS)


def test_a_text_without_a_mask_is_refused(lm: LanguageModel) -> None:
    with pytest.raises(UserError, match=r"nothing to guess; write \[MASK\]"):
        lm.fill("Paris is the capital of France.")


def test_a_text_that_is_too_long_is_refused(lm: LanguageModel) -> None:
    with pytest.raises(UserError, match="103 tokens long and the model reads 64"):
        lm.fill("[MASK]" + " the" * 100)


def test_a_model_without_such_a_head_is_refused(lm: LanguageModel) -> None:
    other = recipe.load(Encoder, "models/distilbert-tiny", [f"embed.vocab={len(WORDS)}"]).build()
    with pytest.raises(UserError, match="no head for hidden words"):
        LanguageModel(other, lm.tokenizer).fill(TEXT)


def test_a_hidden_residue_is_guessed_and_the_folder_comes_back(tmp_path: Path) -> None:
    """ESM from end to end: a protein's letters, its mask, its folder with vocab.txt alone."""
    letters = ResidueTokenizer(["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-", "<null>", "<mask>"])
    esm = LanguageModel(recipe.load(Encoder, "models/esm2-tiny").build().eval(), letters)
    ((first, *_),) = esm.fill("MKT<mask>YIAK")
    esm.save(tmp_path / "esm")
    again = LanguageModel.load(tmp_path / "esm")
    assert again.fill("MKT[MASK]YIAK")[0][0] == first
    assert again.module.config == esm.module.config
