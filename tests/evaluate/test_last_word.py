"""The last word: right where all of its tokens are the likeliest."""

from hornbook.evaluate.benchmark import Benchmark
from hornbook.evaluate.last_word import LastWord
from hornbook.evaluate.request import Continuation, Scored
from hornbook.evaluate.task import Item

TASK = LastWord(
    data=Benchmark(files=("x",)), prompt="{{text.rsplit(' ', 1)[0]}}", word="{{' ' ~ text.rsplit(' ', 1)[1]}}"
)
ROW = {"id": "r:1", "text": "It begins to rain"}


def test_a_passage_and_its_word() -> None:
    requests = TASK.requests(ROW, "")
    assert requests == (Continuation("It begins to", " rain"),)
    outcome = TASK.judge(Item("r:1", "", requests, ROW), [Scored(-2.5, True, 1, 5)])
    assert outcome.metrics == {"acc": 1.0, "surprise": 2.5}
    assert TASK.example(ROW) == "It begins to rain"
