"""Rows of preferences as ids: where the answer begins, what is refused, what is left of long ones."""

import pytest

from hornbook.core.errors import UserError
from hornbook.data.rendered_pairs import Answer, cut, render, size, strangers
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer

TOKENIZER = BPE(vocab=300).train(["the red fox and the old grey wolf, what, you say? \n"] * 5)
TALK = [{"role": "user", "content": "the fox?"}]


@pytest.mark.parametrize("template", ["chatml", "plain", "alpaca"])
def test_only_the_last_answer_counts(template: str) -> None:
    """Up to the stop token, whatever the assistant said before."""
    renderer = Renderer(TOKENIZER, template)
    before = [*TALK, {"role": "assistant", "content": "the wolf"}, {"role": "user", "content": "what?"}]
    chosen, rejected = render({"prompt": before, "chosen": "the old fox", "rejected": "you"}, renderer, "a:1")
    assert chosen is not None
    assert rejected is not None
    for answer, text in ((chosen, "the old fox"), (rejected, "you")):
        assert TOKENIZER.decode(answer.ids[answer.start : -1]) == text
        assert answer.ids[-1] == renderer.stop
    assert chosen.prompt == rejected.prompt == renderer.prompt(before)


def test_answers_judged_alone_are_one_half() -> None:
    renderer = Renderer(TOKENIZER, "chatml")
    for label in (True, False):
        pair = render({"prompt": TALK, "completion": "the wolf", "label": label}, renderer, "a:1")
        assert (pair[0] is not None, pair[1] is not None) == (label, not label)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"chosen": "the fox", "rejected": "the fox"}, "a.jsonl:7: chosen and rejected are the same"),
        ({"chosen": "", "rejected": "the fox"}, "a.jsonl:7: chosen: the answer is ''"),
        ({"chosen": "the fox", "rejected": " \n"}, "a.jsonl:7: rejected: the answer is ' \\\\n'"),
        ({"chosen": "the fox", "rejected": None}, "a.jsonl:7: rejected: the answer is None"),
        ({"completion": "", "label": True}, "a.jsonl:7: completion: the answer is ''"),
        (
            {"prompt": [{"role": "king", "content": "?"}], "chosen": "a", "rejected": "b"},
            "a.jsonl:7: chosen: message 1",
        ),
    ],
)
def test_a_row_that_teaches_nothing_is_refused_by_its_name(row: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        render({"prompt": TALK, **row}, Renderer(TOKENIZER, "chatml"), "a.jsonl:7")


def test_what_is_left_of_long_answers() -> None:
    long, short, other = Answer([1, 2, 3, 4, 5], 2), Answer([1, 2, 3], 2), Answer([1, 2, 3, 6, 5], 2)
    assert cut((long, short), 4) == (Answer([1, 2, 3, 4], 2), short)
    assert cut((long, other), 3) is None  # the same by now
    assert cut((long, short), 2) is None  # only the prompt
    assert cut((None, long), 3) == (None, Answer([1, 2, 3], 2))
    assert size((long, None)) == 5


def test_strangers_have_another_prompts_answer() -> None:
    """The next row with another prompt, in a circle, by brute force."""
    rows = [([1], [7, 8]), ([1], [9]), ([2, 3], [10, 11]), ([1], [12])]
    pairs = [(Answer(prompt + said, len(prompt)), None) for prompt, said in rows]
    found = strangers(pairs, 3)
    for number, (prompt, _) in enumerate(rows):
        after = [rows[(number + step) % 4] for step in range(1, 5)]
        wanted = next(said for other, said in after if other != prompt)
        assert found[number] == (Answer((prompt + wanted)[:3], len(prompt)), None)
    same = strangers([(Answer([1, 5], 1), Answer([1, 6], 1)), (Answer([1, 7], 1), None)], 9)
    assert same == [(Answer([1, 7], 1), None), (Answer([1, 5], 1), Answer([1, 6], 1))]
