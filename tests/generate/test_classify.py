"""A classifier says labels of texts: alone or together, one of several or each for itself; and public ones."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.adapt import head
from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.data.texts import padded
from hornbook.generate.classify import verdict
from hornbook.generate.language_model import LanguageModel
from hornbook.model.classifier import LAST, SequenceClassifier
from hornbook.model.decoder import Decoder
from hornbook.text.bpe import BPE

TEXTS = ["a red fox", "", "grey " * 30, "你好", "a red fox and a grey wolf " * 40]


def classifier(**fields: Any) -> LanguageModel:
    tokenizer = BPE(vocab=320).train(["a red fox and a grey wolf"] * 5)
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", [f"embed.vocab={tokenizer.vocab}", "length=64"])
    model = config.build(torch.Generator().manual_seed(0))
    head.put(model, SequenceClassifier(pooling=LAST, bias=False, **fields))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(5)
    return LanguageModel(model.eval(), tokenizer)


def test_texts_are_read_together_as_if_alone() -> None:
    lm = classifier(labels=3, names=("law", "money", "art"))
    together, alone = lm.classify(TEXTS), [lm.classify([text])[0] for text in TEXTS]
    for one, other in zip(together, alone, strict=True):
        assert one.label == other.label
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-5)
        assert sum(one.probabilities.values()) == pytest.approx(1)
        assert one.probability == max(one.probabilities.values()) == one.probabilities[one.label]
    assert len({each.probability for each in together}) == len(TEXTS)


def test_transformers_pipeline_says_the_same(tmp_path: Path) -> None:
    hf = pytest.importorskip("transformers")
    lm = classifier(labels=3, names=("law", "money", "art"))
    lm.save(tmp_path / "model")
    pipe = hf.pipeline("text-classification", str(tmp_path / "model"), top_k=None)
    texts = [text for text in TEXTS[:4] if text]
    for ours, theirs in zip(lm.classify(texts), pipe(texts), strict=True):
        assert ours.probabilities == pytest.approx({each["label"]: each["score"] for each in theirs}, abs=1e-5)
    theirs = hf.AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    ids, real = padded([lm.ids(text) for text in texts], lm.tokenizer)  # rows of unequal length: it needs the pad's id
    with torch.no_grad():
        torch.testing.assert_close(theirs(ids).logits, lm.module(ids, attention_mask=real).logits, rtol=0, atol=1e-4)
    again = LanguageModel.load(tmp_path / "model")
    assert [each.label for each in again.classify(TEXTS)] == [each.label for each in lm.classify(TEXTS)]


def test_one_logit_says_it_or_not(tmp_path: Path) -> None:
    lm = classifier(labels=1, names=("spam",), several=True)
    found = lm.classify(TEXTS)
    assert {each.label for each in found} <= {"spam", "not spam"}
    lm.save(tmp_path / "model")
    assert LanguageModel.load(tmp_path / "model").classify(TEXTS) == found


def test_labels_that_hold_together() -> None:
    several = SequenceClassifier(labels=3, names=("law", "money", "art"), several=True)
    assert verdict(several, [0.9, 0.1, 0.6]).label == "law, art"
    assert verdict(several, [0.9, 0.1, 0.6]).probability == 0.6
    assert verdict(several, [0.2, 0.1, 0.3]).label == "none"
    assert verdict(SequenceClassifier(labels=2), [0.2, 0.8]).label == "LABEL_1"


def test_what_is_no_classifier_says_so(tiny_writer: LanguageModel) -> None:
    with pytest.raises(UserError, match="classify: the model gives no labels; train a classifier"):
        tiny_writer.classify(["a"])
    head.put(tiny_writer.module, head.REWARD)
    with pytest.raises(UserError, match="classify: the model gives numbers"):
        tiny_writer.classify(["a"])
    with pytest.raises(UserError, match="says something of whole texts and writes nothing; take `classify`"):
        tiny_writer.generate("a")


@pytest.fixture
def tiny_writer() -> LanguageModel:
    tokenizer = BPE(vocab=300).train(["a red fox"] * 3)
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", [f"embed.vocab={tokenizer.vocab}"])
    return LanguageModel(config.build().eval(), tokenizer)


def test_a_public_classifier(wheels: Path) -> None:
    """rxnfp's BERT of 50 kinds of reactions, and transformers on the same text."""
    folders = [path.parent for path in (wheels / "rxnfp").rglob("config.json")]
    folder = next(path for path in folders if path.name == "bert_ft_10k_25s")
    lm = LanguageModel.load(folder)
    [found] = lm.classify(["CC(=O)O.OCC>>CC(=O)OCC"])
    assert found.label in found.probabilities
    assert len(found.probabilities) == 50
