"""Scores by a classifier, a check, a judge and a reward model, each against what they are made of."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hornbook.align.rules import Rule
from hornbook.align.score import UNKNOWN, Classifier, Question, breaks, preference
from hornbook.align.words import Words
from hornbook.core.errors import RecipeError, UserError
from hornbook.exchange import folder as exchange
from hornbook.generate.reward import RewardModel
from hornbook.model.classifier import LAST, SequenceClassifier
from hornbook.tune.reward import with_number, write
from tests.align.scripted import Scripted
from tests.tiny_chat import chat_model

TALK = [{"role": "user", "content": "the cat"}]
TEXTS = ["the hat", "on the mat " * 60]


def classifier(folder: Path) -> Path:
    lm = chat_model()
    head = SequenceClassifier(labels=2, names=("no", "yes"), pooling=LAST, bias=False)
    model = replace(lm.module.config, head=head).build(torch.Generator().manual_seed(1)).eval()
    exchange.save(model, folder, tokenizer=lm.tokenizer, extra={"pad_token_id": 0})
    return folder


@torch.no_grad()
def test_a_classifier_reads_the_transcript(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "model")
    score = Classifier(model=str(folder)).build(Words())
    found = score(TALK, TEXTS)
    lm = chat_model()
    ids = lm.ids("Human: the cat\n\nAssistant: the hat")
    module = exchange.load(folder, dtype=torch.float32).eval()
    assert found[0] == pytest.approx(float(module(torch.tensor([ids])).logits[0].softmax(-1)[1]), abs=1e-6)
    long = lm.ids("Human: the cat\n\nAssistant: " + TEXTS[1].strip() + " ")
    assert len(long) > lm.module.config.length
    assert 0 < found[1] < 1, "of a text that is too long the end is read"
    with pytest.raises(RecipeError, match="label: 'rude' is none of no, yes"):
        Classifier(model=str(folder), label="rude").build(Words())


def test_a_language_model_is_no_classifier_and_no_reward_model(tmp_path: Path) -> None:
    chat_model().save(tmp_path / "model")
    with pytest.raises(UserError, match="is no classifier of texts; train one with a stage of type classify"):
        Classifier(model=str(tmp_path / "model")).build(Words())
    with pytest.raises(UserError, match="is no reward model"):
        preference(str(tmp_path / "model"))


def test_a_rule_is_scored_by_its_classifier_its_check_or_its_question(tmp_path: Path) -> None:
    judge = Scripted(leans=lambda talk, begun, option: 3.0 if option == " yes" else 1.0)
    both = Rule(name="calm", pattern="!", question="Is it loud?")
    assert breaks(both, judge, Words())(TALK, ["a!", "a"]) == [1.0, 0.0]
    assert breaks(replace(both, pattern=None), judge, Words())(TALK, ["a!", "a"]) == [0.75, 0.75]
    own = breaks(both, judge, Words(), Classifier(model=str(classifier(tmp_path / "model"))))
    assert 0 < own(TALK, ["a!"])[0] < 1


def test_a_judge_that_says_nothing_leaves_it_open() -> None:
    assert Question(question="?").build(Scripted(leans=lambda *_: 0.0), Words())(TALK, ["a"]) == [UNKNOWN]


def test_a_preference_is_the_reward_models_number(tmp_path: Path) -> None:
    lm = chat_model()
    write(with_number(lm.module, torch.Generator().manual_seed(2)), lm.renderer, tmp_path / "reward", mean=0.25)
    found = preference(str(tmp_path / "reward"))(TALK, ["the hat", "a mat"])
    talks = [[*TALK, {"role": "assistant", "content": text}] for text in ("the hat", "a mat")]
    assert found == pytest.approx(RewardModel.load(tmp_path / "reward").scores(talks).tolist())
    assert found[0] != found[1]
