"""Completions: several prompts and answers, those that are kept, prompts that are told, texts that are filled in."""

from types import SimpleNamespace
from typing import Any

import pytest

from hornbook.serve.asking import Asked
from hornbook.serve.bodies import CompletionBody
from hornbook.serve.completing import MARKS, TOKENS, of_completion
from hornbook.serve.errors import Refused
from hornbook.serve.shelf import Served
from tests.serve.served import decoder

ENGINE: Any = SimpleNamespace(settings=SimpleNamespace(capacity=None))
PLAIN = Served("plain", decoder(None, length=128), ENGINE)


def text(prompt: Any, served: Served = PLAIN, **more: Any) -> Asked:
    return of_completion(CompletionBody.model_validate({"prompt": prompt, **more}), served)


def test_echoes_stand_with_their_answers() -> None:
    assert text(["a", "b"], n=2, echo=True).echoes == ["a", "a", "b", "b"]
    assert text("a").echoes == []
    assert text("a").requests[0].max_new_tokens == TOKENS


def test_of_more_answers_the_best_are_kept() -> None:
    asked = text(["a", "b"], n=2, best_of=5, seed=3, echo=True)
    assert asked.kept == (2, 5)
    assert len(asked.requests) == len(asked.echoes) == 10
    assert [each.seed for each in asked.requests[:5]] == [3, 4, 5, 6, 7]
    assert all(each.top_log_probabilities == 0 for each in asked.requests), "by which they are compared"
    assert text("a", n=2, best_of=2).requests[0].top_log_probabilities is None


def test_a_prompt_that_is_told_needs_no_room_for_an_answer() -> None:
    (request,) = text([5] * 128, echo=True, logprobs=2, max_tokens=0).requests
    assert (request.prompt_too, request.max_new_tokens, request.top_log_probabilities) == (True, 0, 2)
    assert not text("a", logprobs=2).requests[0].prompt_too
    with pytest.raises(Refused, match="the prompt has 128 tokens"):
        text([5] * 128, echo=True, logprobs=2, max_tokens=1)


@pytest.mark.parametrize("marks", MARKS, ids=lambda marks: marks[0])
def test_prefix_and_suffix_stand_between_marks(marks: tuple[str, str, str]) -> None:
    served = Served("coder", decoder(None, length=128, special=marks), ENGINE)
    (request,) = text("def f():", served, suffix="return 3", stop="x", echo=True).requests
    encode, special = served.tokenizer.encode, served.tokenizer.special
    before, between, behind = (special[mark] for mark in marks)
    assert request.prompt == [before, *encode("def f():"), between, *encode("return 3"), behind]
    assert {"x", *marks, "<|file_separator|>"} <= set(request.stop)
    assert text("def f():", served, suffix="", echo=True).requests[0].prompt == encode("def f():")


def test_who_cannot_fill_in_says_so() -> None:
    with pytest.raises(Refused, match="suffix: model 'plain' has not learned to fill in, its tokenizer has no") as no:
        text("a", suffix="b")
    assert (no.value.status, no.value.param) == (400, "suffix")


def test_an_encoder_decoder_reads_its_prompt_whole() -> None:
    lm: Any = SimpleNamespace(start=1)
    with pytest.raises(Refused, match="reads its prompt whole") as no:
        text("a", Served("t5", lm, ENGINE), echo=True, logprobs=1)
    assert no.value.param == "echo"
