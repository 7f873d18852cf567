"""A judge whose replies are a function of what it reads: for tests of what is made of replies."""

from collections.abc import Callable, Sequence

from hornbook.generate.question import Question, Reply, Told

Script = Callable[[str, int], str | Reply | None]  # of the question's text and the attempt


class ScriptedJudge:
    """Remembers what it was asked."""

    name = "scripted"

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Question] = []
        self.counts: dict[str, int] = {}

    def reply_to(self, questions: Sequence[Question], told: Told = lambda *_: None) -> list[Reply | None]:
        found = []
        for number, question in enumerate(questions):
            self.asked.append(question)
            said = self.script(question.talk[-1]["content"], question.attempt)
            found.append(Reply(said) if isinstance(said, str) else said)
            told(number, found[-1])
        return found
