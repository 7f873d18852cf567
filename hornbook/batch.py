"""Many prompts from a file, answered side by side; the answers go into a JSONL file, in the order of the prompts.

Killed at any moment and begun again, it goes on: lines are only appended, half a last line is cut off, and what has an
answer is not asked again. A row that fails has an `error` instead of a `text`, and the others go on.
"""

import json
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from hornbook.core.errors import Interrupted, UserError
from hornbook.core.stop import Stop
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.serving import Engine, EngineSettings, Request, Ticket

AHEAD = 16  # requests that are with the engine: enough for all its slots, and as many that wait


class Asks(Protocol):
    """What is asked for row `number`; `source` is what an encoder-decoder reads."""

    def __call__(self, ids: list[int], source: list[int], number: int) -> Request: ...


@dataclass(frozen=True)
class Row:
    """What is to be answered."""

    id: str  # the row's own, or file:line
    asked: dict[str, Any]  # {"prompt": text} or {"messages": [...]}


def read_rows(path: Path) -> list[Row]:
    """The rows of a .jsonl, with `prompt` or `messages`; of any other file every line is a prompt. `-`: standard input,
    in which a line that begins with { is a row.
    """
    source, name = (sys.stdin.buffer.read(), "stdin") if str(path) == "-" else (path.read_bytes(), path.name)
    try:
        lines = source.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = source[: error.start].count(b"\n") + 1
        raise UserError(f"{name}:{line}: is not UTF-8; convert the file") from None
    rows = []
    for number, line in enumerate(lines, 1):
        place, line = f"{name}:{number}", line.removesuffix("\r")
        if line.strip():
            as_json = path.suffix == ".jsonl" or (str(path) == "-" and line.startswith("{"))
            rows.append(_row(line, place) if as_json else Row(place, {"prompt": line}))
    if not rows:
        raise UserError(f"{name}: has no prompt; write one a line")
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise UserError(f"{name}: the id {row.id!r} comes twice; give every row its own")
        seen.add(row.id)
    return rows


def _row(line: str, place: str) -> Row:
    try:
        data = json.loads(line)
    except ValueError as error:
        raise UserError(f"{place}: is no JSON ({error}); mend the line") from None
    if not isinstance(data, dict) or ("prompt" in data) == ("messages" in data):
        raise UserError(f'{place}: give one of "prompt" and "messages" in an object')
    if "prompt" in data and not isinstance(data["prompt"], str):
        raise UserError(f"{place}: prompt: {data['prompt']!r} is no text; put it into quotes")
    if "messages" in data and not _are_messages(data["messages"]):
        raise UserError(f'{place}: messages: give a list of {{"role": "user", "content": "..."}}')
    return Row(str(data.get("id", place)), {key: data[key] for key in ("prompt", "messages") if key in data})


def _are_messages(given: Any) -> bool:
    texts = [[each.get("role"), each.get("content")] for each in given] if _objects(given) else [[None]]
    return bool(texts) and all(isinstance(text, str) for pair in texts for text in pair)


def _objects(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(each, dict) for each in given)


def finished(out: Path, rows: Sequence[Row]) -> set[str]:
    """The ids that have an answer; half a line at the end is cut off."""
    if not out.exists():
        return set()
    written = out.read_bytes()
    whole = written[: written.rfind(b"\n") + 1]
    asked, done = {row.id: row.asked for row in rows}, set()
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            data = json.loads(line)
            id_ = data["id"]
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{out}:{number}: is no answer of this command; name another --out") from None
        if asked.get(id_) != {key: data[key] for key in ("prompt", "messages") if key in data}:
            raise UserError(f"{out}:{number}: {id_!r} was another question; name another --out, or remove the file")
        done.add(id_)
    if whole != written:
        with out.open("r+b") as file:
            file.truncate(len(whole))
    return done


def answer_rows(
    lm: LanguageModel, rows: Sequence[Row], out: Path, asks: Asks, *, note: Callable[[str], None]
) -> tuple[int, int]:
    """Answer what has no answer; how many were answered now, and how many of them failed.

    Raises Interrupted at the next token after Ctrl-C or SIGTERM. A KeyboardInterrupt would come anywhere: within a
    lock of the engine it would leave the engine's thread waiting for ever.
    """
    done = finished(out, rows)
    left = [(number, row) for number, row in enumerate(rows) if row.id not in done]
    failed, began = 0, time.monotonic()
    with out.open("a", encoding="utf-8") as file, Stop() as stop:
        for count, answer in enumerate(_answers(lm, left, asks, stop), 1):
            if answer is None:
                saved = f"{len(done) + count - 1} of {len(rows)} answers are in {out}"
                raise Interrupted(signal.Signals(stop.signal).name, stop.signal, saved)
            failed += "error" in answer
            file.write(json.dumps(answer, ensure_ascii=False) + "\n")
            file.flush()
            seconds = (time.monotonic() - began) / count * (len(left) - count)
            note(f"{len(done) + count} of {len(rows)}, {seconds:.0f} s left")
    return len(left), failed


def _answers(
    lm: LanguageModel, rows: Sequence[tuple[int, Row]], asks: Asks, stop: Stop
) -> Iterator[dict[str, Any] | None]:
    """The answers in the rows' order, None where a stop is asked for; some rows ahead are with the engine already."""
    engine = Engine(lm, EngineSettings(queue=AHEAD * 2))
    engine.start()
    asked: deque[tuple[Row, Ticket | UserError]] = deque()
    try:
        for number, row in rows:
            asked.append((row, _ask(lm, engine, row, partial(asks, number=number))))
            if len(asked) == AHEAD:
                yield _answer(*asked.popleft(), stop)
        while asked:
            yield _answer(*asked.popleft(), stop)
    finally:
        engine.close(drain=False)


def _ask(
    lm: LanguageModel, engine: Engine, row: Row, asks: Callable[[list[int], list[int]], Request]
) -> Ticket | UserError:
    try:
        return engine.submit(asks(*ids_of(lm, row)))
    except UserError as error:
        return error


def ids_of(lm: LanguageModel, row: Row) -> tuple[list[int], list[int]]:
    """What an engine goes on from, and what an encoder-decoder reads."""
    if "prompt" in row.asked:
        ids = lm.ids(row.asked["prompt"])
    elif lm.renderer is None:
        raise UserError("messages: the model has no chat template; give a `prompt`")
    else:
        ids = lm.renderer.prompt(row.asked["messages"])
    return (ids, []) if lm.start is None else ([lm.start], ids)


def _answer(row: Row, ticket: Ticket | UserError, stop: Stop) -> dict[str, Any] | None:
    """The line of a row; None where a stop is asked for before it is whole."""
    told = {"id": row.id, **row.asked}
    if isinstance(ticket, UserError):
        return {**told, "error": str(ticket)}
    pieces = []
    try:
        for piece in ticket:
            if stop.asked:
                return None
            pieces.append(piece)
    except Exception as error:  # its own; the others go on
        return {**told, "error": str(error)}
    return {**told, "text": "".join(piece.text for piece in pieces), "reason": pieces[-1].reason}
