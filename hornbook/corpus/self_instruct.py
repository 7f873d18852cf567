"""Self-instruct: a model shown eight tasks makes up more, then cases of each; what is like an earlier task is dropped.

Wang et al. 2023, "Self-Instruct: Aligning Language Models with Self-Generated Instructions": six of the eight
examples are a person's, two the model's own; tasks with a few possible labels are told from others, and their cases
are made label first, since a model that writes the input first writes one label nearly always. The prompts are put as
questions, for models that chat; the paper's were continued by a plain GPT-3.
"""

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.corpus.rouge import Novelty
from hornbook.corpus.synthetic import Model, Round, Row, Sampling
from hornbook.corpus.unfit import unfit

SHOWN, OWN = 8, 2  # examples in a prompt, and how many of them are the model's; section 3.2
ITEM = re.compile(r"^\s*(?:task\s*)?\d+\s*[.:)、．：]\s*", re.IGNORECASE | re.MULTILINE)  # noqa: RUF001
LABEL = re.compile(r"^\s*class label:[ \t]*", re.IGNORECASE | re.MULTILINE)
INPUT = re.compile(r"^\s*input:[ \t]*", re.IGNORECASE | re.MULTILINE)
OUTPUT = re.compile(r"^\s*output:[ \t]*", re.IGNORECASE | re.MULTILINE)
NO_CASE = "no usable case"
EMPTY = {"", "<noinput>", "none", "n/a", "no input"}

NEW = "Come up with a series of tasks.\n\n{shown}\n\nGo on with tasks {first} to {last}, numbered, in the same form."
WHETHER = """Can the following task be regarded as a classification task with finite output labels? Answer Yes or No.

{shown}

Task: {task}
Is it classification?"""
LABELS_FIRST = """Given a classification task, write for each class label an input that belongs to it, in this form:

{shown}

Task: {task}"""
INPUT_FIRST = """Give an example of the following task, in this form; leave "Input:" out where none is needed:

{shown}

Task: {task}"""


@dataclass(frozen=True, kw_only=True)
class SelfInstruct:
    """New tasks from a few that people wrote."""

    seeds: Path
    """JSONL with `instruction`, `instances` (each an `input` and an `output`) and `is_classification`."""
    threshold: float = 0.7
    """ROUGE-L from which on two tasks are alike; section 3.2."""
    requests: int = 4
    """Prompts in a round."""
    temperature: float = 0.7
    """Of new tasks; answers are written at 0 (the paper's settings)."""

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold: {self.threshold} is not between 0 and 1; try 0.7")
        if self.requests < 1:
            raise ValueError(f"requests: {self.requests} ask nothing; give 1 or more")

    def build(self) -> "Inventor":
        """The method with its seed tasks."""
        return Inventor(self, read_seeds(self.seeds))


def read_seeds(path: Path) -> list[dict[str, Any]]:
    """The tasks of a file; UserError where a line is none or there are too few of a kind."""
    seeds = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            seed = json.loads(line)
            fit = bool(seed["instruction"]) and all(i["output"] is not None and "input" in i for i in seed["instances"])
            seeds += [seed] if fit and seed["instances"] and "is_classification" in seed else []
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"{path}:{number}: not a seed task; write instruction, instances with input and output, and "
                "is_classification"
            ) from None
    if len(seeds) < SHOWN or len({bool(seed["is_classification"]) for seed in seeds}) < 2:
        raise UserError(f"{path}: {len(seeds)} seed tasks are too few; give {SHOWN} or more, of both kinds")
    return seeds


class Inventor:
    """Makes tasks up."""

    def __init__(self, config: SelfInstruct, seeds: list[dict[str, Any]]) -> None:
        self.config, self.seeds = config, seeds
        self.own: list[str] = []
        self.novelty = Novelty(config.threshold, (seed["instruction"] for seed in seeds))

    def learn(self, done: Round) -> None:
        """Know the tasks of a round."""
        for task in dict.fromkeys(row.instruction for row in done.rows):
            if task not in self.own:
                self.own.append(task)
        tried = [drop["text"] for drop in done.dropped if drop["reason"] == NO_CASE]
        for task in [*(row.instruction for row in done.rows), *tried]:
            if self.novelty.like(task) is None:
                self.novelty.add(task)

    def ask(self, done: Round, model: Model, draw: random.Random) -> None:
        """New tasks, which kind each is, and cases of it."""
        sampling = Sampling(temperature=self.config.temperature, seed=draw.getrandbits(31))
        exact = Sampling(temperature=0.0, seed=sampling.seed)
        texts = model.answers([self._new(draw) for _ in range(self.config.requests)], sampling)
        tasks = self._fresh([task for text in _had(texts, done) for task in items(text)], done)
        if not tasks:
            return
        kinds = model.answers([self._with(WHETHER, task, draw, None) for task in tasks], exact)
        labelled = [(kind or "").strip().lower().startswith("yes") for kind in kinds]
        forms = [LABELS_FIRST if label else INPUT_FIRST for label in labelled]
        asked = [self._with(f, t, draw, b) for f, t, b in zip(forms, tasks, labelled, strict=True)]
        for task, label, text in zip(tasks, labelled, model.answers(asked, exact), strict=True):
            cases = cases_of(text or "", labelled=label)
            if not cases:
                done.drop(task, NO_CASE)
            about = {"method": "self-instruct", "model": model.name, "round": done.number, "classification": label}
            done.rows += [Row(task, given, answer, about) for given, answer in cases]

    def _fresh(self, tasks: Sequence[str], done: Round) -> list[str]:
        """Those that can be done and are like none before; each is known from now on."""
        kept = []
        for task in tasks:
            reason = unfit(task) or ("like an earlier task" if self.novelty.like(task) else None)
            if reason is None:
                kept.append(task)
                self.novelty.add(task)
            else:
                done.drop(task, reason)
        return kept

    def _new(self, draw: random.Random) -> str:
        own = draw.sample(self.own, min(OWN, len(self.own)))
        shown = [seed["instruction"] for seed in draw.sample(self.seeds, SHOWN - len(own))] + own
        draw.shuffle(shown)
        listed = "\n".join(f"{number}. {' '.join(task.split())}" for number, task in enumerate(shown, 1))
        return NEW.format(shown=listed, first=SHOWN + 1, last=2 * SHOWN)

    def _with(self, form: str, task: str, draw: random.Random, labelled: bool | None) -> str:
        """A prompt about a task with examples of people; `labelled` None: of both kinds, with the kind as answer."""
        kinds = [False, True] if labelled is None else [labelled]
        fit = {kind: [seed for seed in self.seeds if bool(seed["is_classification"]) == kind] for kind in kinds}
        seeds = [seed for kind in kinds for seed in draw.sample(fit[kind], min(SHOWN // 2, len(fit[kind])))]
        draw.shuffle(seeds)
        shown = "\n\n".join(_example(seed, labelled) for seed in seeds)
        return form.format(shown=shown, task=task)


def _example(seed: dict[str, Any], labelled: bool | None) -> str:
    task, case = f"Task: {seed['instruction']}", seed["instances"][0]
    if labelled is None:
        return f"{task}\nIs it classification? {'Yes' if seed['is_classification'] else 'No'}"
    given = f"Input: {case['input']}\n" if case["input"] else ""
    if labelled:
        return f"{task}\nClass label: {case['output']}\n{given}".rstrip()
    return f"{task}\n{given}Output: {case['output']}"


def _had(texts: Sequence[str | None], done: Round) -> list[str]:
    for text in texts:
        if text is None:
            done.drop("", "no answer")
    return [text for text in texts if text is not None]


def items(text: str) -> list[str]:
    """The entries of a numbered list, without what stands before the first.

    >>> items("Sure!\\n9. Name a bird.\\n10) Sort these words.")
    ['Name a bird.', 'Sort these words.']
    """
    return [" ".join(item.split()) for item in ITEM.split(text)[1:] if item.strip()]


def cases_of(text: str, *, labelled: bool) -> list[tuple[str, str]]:
    """(input, output) of each case in an answer, without empty, repeated or contradictory ones (section 3.2).

    >>> cases_of("Class label: good\\nInput: I like it.\\nClass label: bad\\nInput: Oh no.", labelled=True)
    [('I like it.', 'good'), ('Oh no.', 'bad')]
    >>> cases_of("Input: 2 + 2\\nOutput: 4", labelled=False)
    [('2 + 2', '4')]
    """
    pairs = []
    for part in (LABEL if labelled else INPUT).split(text)[0 if not labelled else 1 :]:
        label, _, rest = part.partition("\n") if labelled else ("", "", part)
        given = INPUT.sub("", rest, count=1) if labelled else OUTPUT.split(rest)[0]
        answers = [label] if labelled else OUTPUT.split(rest)[1:2]
        pairs += [("" if given.strip().lower() in EMPTY else given.strip(), answer.strip()) for answer in answers]
    good = [(given, answer) for given, answer in dict.fromkeys(pairs) if answer and given != answer]
    answers_of = {given: {answer for each, answer in good if each == given} for given, _ in good}
    return [(given, answer) for given, answer in good if len(answers_of[given]) == 1]
