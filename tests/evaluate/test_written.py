"""Questions through a chat template, and sampled answers that do not depend on their company."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate import tasks
from hornbook.evaluate.request import Until
from hornbook.evaluate.scorer import Scorer
from hornbook.evaluate.task import Item
from hornbook.generate.language_model import LanguageModel
from tests.evaluate.tiny_models import make


def test_the_prompt_becomes_the_users_message() -> None:
    task = tasks.load("gsm8k")
    item = task.through_chat(Item("1", "", (Until("Question: x\nAnswer:", ("Question:",)),), {}))
    assert item.requests == (Until("Question: x\nAnswer:", ("Question:",), talk=(("user", "Question: x\nAnswer:"),)),)


def test_likelihoods_are_not_asked_through_a_template() -> None:
    with pytest.raises(UserError, match=r"--chat: a.jsonl:1 asks how likely"):
        tasks.load("arc_easy").through_chat(Item("a.jsonl:1", "", (), {}))


class Template:
    """Stands for a chat template: one id for every message."""

    def prompt(self, messages: list[dict[str, str]]) -> list[int]:
        return [len(each["content"]) for each in messages]


def test_a_template_is_what_the_model_reads(tiny_base: Path) -> None:
    scorer = Scorer(LanguageModel.load(tiny_base))
    asked = Until("Hi", talk=(("user", "Hi"), ("assistant", "Hello"), ("user", "So?")))
    assert scorer._prompt(asked) == scorer.lm.ids("Hi")
    scorer.lm.renderer = Template()  # type: ignore[assignment]
    assert scorer._prompt(asked) == [2, 5, 3]
    assert scorer._prompt(Until("Hi")) == scorer.lm.ids("Hi")


def test_what_is_drawn_does_not_depend_on_the_company_and_ends(tmp_path: Path) -> None:
    scorer = Scorer(LanguageModel.load(make("tiny", tmp_path)))
    asked = [Until(text, max_new_tokens=8, temperature=1.0, seed=seed) for text in ("The", "and") for seed in (0, 1)]
    together = scorer.until(asked)
    assert [scorer.until([each])[0] for each in asked] == together
    assert len(set(together)) > 2
