"""What people judge: prompts from a file, and the answers of each model, written by it now or read from a file.

A model's answers are kept as they come, so one that was stopped goes on. A file of answers has rows with a prompt and
an answer, or is one of `items/*.jsonl` of an evaluation; which answer belongs to which prompt, the prompt's text says.
Of several turns (MT-Bench) each is asked after the model's own answers, and people read all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.run import Log
from hornbook.data import rows as files
from hornbook.data.conversations import prompts as prompt_row
from hornbook.data.messages import Message
from hornbook.data.rows import Row
from hornbook.scored_names import names

TEXTS = (".txt", ".md", "")  # endings of files with a prompt a line
# Columns that hold a prompt, and an answer; JUDGED: an answer in the detail of an evaluation.
ASKED = ("prompt", "instruction", "messages", "conversations", "question", "turns", "text")
SAID = ("answer", "output", "response", "completion", "generation", "prediction")
JUDGED = ("written", "generated", "generation", "completion", "response", "prediction")
TOGETHER = 16  # answers between two savings
NAMED = "="  # name=path names a model
NUMBERED = 0x2460  # a one in a circle, which all languages read: what stands before each of several turns

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Prompt:
    """One thing that is asked."""

    id: str  # the row's own `id` or `question_id`, else its line: as judges count them
    place: str  # file.jsonl:17
    messages: Sequence[Message]
    later: tuple[str, ...] = ()  # what the user says after each answer

    @property
    def text(self) -> str:
        """As people read it: a question by itself, several with their numbers, or who said what."""
        return turns([_as_text(self.messages), *self.later])

    def talk(self, answers: Sequence[str]) -> list[Message]:
        """What the next answer answers."""
        said = list(self.messages)
        for answer, question in zip(answers, self.later, strict=False):
            said += [{"role": "assistant", "content": answer}, {"role": "user", "content": question}]
        return said


def _as_text(messages: Sequence[Message]) -> str:
    if len(messages) == 1:
        return messages[0]["content"]
    return "\n\n".join(f"{each['role'].capitalize()}: {each['content']}" for each in messages)


def turns(said: Sequence[str]) -> str:
    """Questions, or answers, one after the other.

    >>> print(turns(["Name a colour.", "And another."]))
    ①
    Name a colour.
    <BLANKLINE>
    ②
    And another.
    """
    if len(said) == 1:
        return said[0]
    return "\n\n".join(f"{chr(NUMBERED + number)}\n{each.strip()}" for number, each in enumerate(said))


def read_prompts(path: Path) -> list[Prompt]:
    """One a line of a text file, or one a row of JSONL, JSON, CSV or Parquet; no two alike."""
    if path.is_file() and files.kind_of(path) in TEXTS:
        found = _lines(path)
    else:
        found = [_prompt(row) for row in files.read(path)]
    for what in ("text", "id"):
        first: dict[str, str] = {}
        for prompt in found:
            if (before := first.setdefault(getattr(prompt, what), prompt.place)) != prompt.place:
                same = "prompt" if what == "text" else f"id ({prompt.id})"
                raise UserError(f"{prompt.place}: the same {same} as {before}; take one of them out")
    return found


def _lines(path: Path) -> list[Prompt]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text (byte {error.start}); give a text file or JSONL") from None
    found = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise UserError(f"{path}: there is no prompt in it; write one a line")
    return [_said(str(number), f"{path.name}:{number}", line) for number, line in found]


def _said(id: str, place: str, text: str) -> Prompt:
    return Prompt(id, place, [{"role": "user", "content": text}])


def _prompt(row: Row) -> Prompt:
    if not any(column in row for column in ASKED):
        raise UserError(f"{row['id']}: no prompt; give it in a column `prompt`, it has {', '.join([*row][1:])}")
    if "prompt" not in row and (asked := _texts(row.get("turns"))):
        first = _said(_id(row), row["id"], asked[0])
        return replace(first, later=tuple(asked[1:]))
    other = "prompt" not in row and "question" in row
    return Prompt(_id(row), row["id"], prompt_row(row, columns={"prompt": "question"} if other else None)["prompt"])


def _id(row: Row) -> str:
    return str(row.get(files.OWN_ID, row.get("question_id", str(row["id"]).rpartition(":")[2])))


@dataclass(frozen=True)
class Source:
    """A model to be asked, or a file of what it said."""

    name: str
    place: str

    @property
    def file(self) -> Path | None:
        """The file, where it is one."""
        path = Path(self.place)
        return path if path.is_file() and files.kind_of(path) in files.ENDINGS else None


def sources(given: Sequence[str]) -> list[Source]:
    """What was named on the command line; name=path gives a name, else the path does. No two names alike."""
    split = [_named(each) for each in given]
    short = iter(names([_home(place) for name, place in split if not name]))
    found = [Source(name or next(short), place) for name, place in split]
    for number, source in enumerate(found):
        twin = next((each for each in found[:number] if each.name == source.name), None)
        if twin is not None:
            raise UserError(
                f"{twin.place} and {source.place} would both be called {source.name}; "
                f"name them: first={twin.place} second={source.place}"
            )
    return found


def _named(given: str) -> tuple[str, str]:
    name, equals, place = given.partition(NAMED)
    return ("", given) if not equals or Path(given).exists() or "/" in name else (name, place)


def _home(place: str) -> str:
    """What a file of answers is called by: its stem; one of an evaluation's items by the model's folder."""
    path = Path(place)
    if not path.is_file() or files.kind_of(path) not in files.ENDINGS:
        return place
    return str(path.parents[1] if path.parent.name == "items" else path.with_name(path.name.partition(".")[0]))


def prompts_of(path: Path) -> list[Prompt]:
    """The prompts of a file of answers."""
    return [_said(_id(row), row["id"], asked) for row, asked, _ in _answered(path)]


def stored(path: Path, prompts: Sequence[Prompt]) -> dict[str, str]:
    """The answers in a file to some prompts, {id: answer}; UserError where one is missing."""
    said = {asked.strip(): answer for _, asked, answer in _answered(path)}
    missing = [prompt for prompt in prompts if prompt.text.strip() not in said]
    if missing:
        raise UserError(
            f"{path}: has no answer to {len(missing)} of {len(prompts)} prompts, the first is {missing[0].place}; add "
            "them, or take these prompts out"
        )
    return {prompt.id: said[prompt.text.strip()] for prompt in prompts}


def _answered(path: Path) -> list[tuple[Row, str, str]]:
    found = []
    for row in files.read(path):
        asked_in_turn, said_in_turn = _texts(row.get("turns")), _texts(row.get("answers"))
        if asked_in_turn and len(asked_in_turn) == len(said_in_turn):
            found.append((row, turns(asked_in_turn), turns(said_in_turn)))
            continue
        detail = row["detail"] if isinstance(row.get("detail"), dict) else {}
        answer = _text(detail, JUDGED) if detail else _text(row, SAID)
        asked = _text(detail or row, ASKED)
        if asked is None or answer is None:
            what = "prompt" if asked is None else "answer"
            raise UserError(f'{row["id"]}: no {what}; a row of answers is {{"prompt": "...", "answer": "..."}}')
        found.append((row, asked, answer))
    return found


def _texts(value: Any) -> list[str]:
    """A list of texts; nothing where it is something else."""
    return list(value) if isinstance(value, list) and all(isinstance(each, str) for each in value) else []


def _text(row: Mapping[str, Any], columns: Sequence[str]) -> str | None:
    return next((row[name] for name in columns if isinstance(row.get(name), str)), None)


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How models write their answers."""

    max_new_tokens: int = 512
    temperature: float = 0.7
    seed: int = 0


def written(
    source: Source, prompts: Sequence[Prompt], log: Log, writing: Writing, progress: Progress
) -> dict[str, str]:
    """The answers of a model, {id: answer}: those in `log`, and the rest written now and added to it."""
    known = {row["id"]: row["answer"] for row in log.rows() if "answer" in row}
    lm: Any = None
    for first in range(0, len(prompts), TOGETHER):
        group = prompts[first : first + TOGETHER]
        if all(prompt.id in known for prompt in group):
            continue
        if lm is None:
            progress(source.name, first, len(prompts))
            lm = _opened(source)
        texts = _answers(lm, group, writing, seed=writing.seed + first)
        new = [(prompt, text) for prompt, text in zip(group, texts, strict=True) if prompt.id not in known]
        log.append(*({"id": prompt.id, "prompt": prompt.text, "answer": text} for prompt, text in new))
        known |= {prompt.id: text for prompt, text in new}
        progress(source.name, first + len(group), len(prompts))
    log.sync()
    return {prompt.id: known[prompt.id] for prompt in prompts}


def _opened(source: Source) -> Any:
    from hornbook.generate.language_model import LanguageModel

    return LanguageModel.load(source.place)


def _answers(lm: Any, prompts: Sequence[Prompt], writing: Writing, *, seed: int) -> list[str]:
    """What it answers, to later turns after its own answers; without a chat template it goes on with the text."""
    how = {"max_new_tokens": writing.max_new_tokens, "temperature": writing.temperature}
    said: list[list[str]] = [[] for _ in prompts]
    for turn in range(1 + max(len(prompt.later) for prompt in prompts)):
        asked = [number for number, prompt in enumerate(prompts) if turn <= len(prompt.later)]
        talks = [prompts[number].talk(said[number]) for number in asked]
        drawn = how | {"seed": seed + turn * len(prompts)}
        new = lm.chat_batch(talks, **drawn) if lm.chats else lm.generate([_as_text(each) for each in talks], **drawn)
        for number, text in zip(asked, new, strict=True):
            said[number].append(text)
    return [turns(each) for each in said]
