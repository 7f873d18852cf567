"""A model that answers by rule: what it says depends on the question and the seed alone, as a real one's does."""

import hashlib
import random
import re
from collections.abc import Sequence

from hornbook.corpus.synthetic import Sampling

SEEDS = [
    {
        "instruction": f"{verb} the {thing} of a {place} in one line.",
        "instances": [{"input": "", "output": f"a {thing}"}],
        "is_classification": False,
    }
    for verb, thing, place in zip(
        ["Name", "Tell", "Count", "List", "Sort"], ["tree", "bird", "stone", "river", "hill"], "abcde", strict=True
    )
] + [
    {
        "instruction": f"Is this {thing} good or bad?",
        "instances": [{"input": f"some {thing}", "output": "good"}],
        "is_classification": True,
    }
    for thing in ["review", "wine", "idea", "song", "plan"]
]
WORDS = [f"word{i}" for i in range(400)]


def reply(question: str, seed: int) -> str:
    """What a helpful model would say, in the form it was asked for."""
    draw = random.Random(hashlib.sha256(f"{question} {seed}".encode()).hexdigest())
    if question.startswith("Come up with"):
        tasks = [
            f"{'Decide' if draw.random() < 0.3 else 'Explain'} {' '.join(draw.sample(WORDS, 6))}." for _ in range(6)
        ]
        tasks += ["Draw a picture of a cat.", "Hi there.", tasks[0]]
        return "Sure!\n" + "\n".join(f"{number}. {task}" for number, task in enumerate(tasks, 9))
    task = re.findall(r"^Task: (.*)$", question, re.MULTILINE)[-1] if "Task: " in question else question
    if question.endswith("Is it classification?"):
        return "Yes." if task.startswith("Decide") else "No."
    if question.startswith("Given a classification"):
        return f"Class label: good\nInput: {task} A.\nClass label: bad\nInput: {task} B."
    return "" if draw.random() < 0.1 else f"Input: {WORDS[seed % 400]}\nOutput: It is {task}"


class Scripted:
    """A `Model`; after `lives` lists of questions it is killed, as a process is."""

    name = "scripted"

    def __init__(self, lives: int = 1_000_000) -> None:
        self.lives = lives

    def answers(self, questions: Sequence[str], sampling: Sampling) -> list[str | None]:
        self.live()
        return [reply(question, sampling.seed + i) for i, question in enumerate(questions)]

    def user_turns(self, count: int, sampling: Sampling) -> list[str | None]:
        self.live()
        draw = random.Random(sampling.seed)
        return [draw.choice(["", "What is a word?", " ".join(draw.sample(WORDS, 5)) + "?"]) for _ in range(count)]

    def live(self) -> None:
        if self.lives == 0:
            raise KeyboardInterrupt
        self.lives -= 1
