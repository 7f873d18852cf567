"""`hornbook chat`: a conversation in the terminal, streamed; a base model, which knows no turns, goes on writing.

Lines are edited and remembered between conversations where Python has readline; what is said and what commands do is
talk_session.py's.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

from torch import nn

from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.stream import Options
from hornbook.model.quantised import Kind, Packed, stored_bytes
from hornbook.talk_session import Leave, Session

HELP = "/new forgets the conversation, /help names the other commands, /quit or Ctrl-D leaves, Ctrl-C stops an answer"
BLOCK = '"""'  # begins and ends a message of several lines
REMEMBERED = 1000  # lines


def talk(model: str, options: Options, *, quantise: str | None = None) -> None:
    """Read lines, write answers, until the input ends; options as in `LanguageModel.generate`."""
    lm = LanguageModel.load(model, quantise=cast("Kind | None", quantise))
    stored = "" if quantise is None else f", stored as {quantise} ({stored_bytes(lm.module) / 1e6:.1f} MB)"
    kind = "answers" if lm.chats else "has no chat template: it goes on from what you write"
    print(f"{model}, {_parameters(lm.module) / 1e6:.1f} M parameters{stored}, {kind}\n{HELP}")
    session = Session(lm, options)
    remember_lines()
    while (line := ask()) is not None:
        try:
            if line.strip() and not _turn(session, line):
                return
        except UserError as error:
            print(error)


def _parameters(module: nn.Module) -> int:
    """How many numbers were learned, those of packed matrices too."""
    packed = {each for each in module.modules() if isinstance(each, Packed)}
    return sum(each.numel() for each in module.parameters()) + sum(each.shape.numel() for each in packed)


def _turn(session: Session, line: str) -> bool:
    """A command, or a question and its answer; False where the user leaves."""
    if line.lstrip().startswith("/"):
        try:
            said = session.command(line)
        except Leave:
            return False
        if said is not None:
            print(said)
            return True
    else:
        session.say(line)
    if gone := session.make_room():
        print(f"(the {gone} oldest messages no longer fit the model's window and are left out)")
    try:
        say(session.answer())
    except UserError:
        session.messages = session.messages[:-2]  # the question, and the answer that was none
        raise
    return True


def ask() -> str | None:
    """What the user writes; None when the input has ended."""
    lines: list[str] = []
    block = False
    try:
        while True:
            line = input("> " if not lines and not block else ". ")
            if line.strip() == BLOCK:
                if block:
                    return "\n".join(lines)
                block = True
                continue
            lines.append(line if block else line.removesuffix("\\"))
            if not block and not line.endswith("\\"):
                return "\n".join(lines)
    except (EOFError, KeyboardInterrupt):
        print()
        return None


def say(pieces: Iterator[str]) -> str:
    """Write an answer as it comes; Ctrl-C ends it and keeps what there is."""
    said: list[str] = []
    try:
        for piece in pieces:
            said.append(piece)
            sys.stdout.write(piece)
            sys.stdout.flush()
    except KeyboardInterrupt:
        pass
    print()
    return "".join(said)


def remember_lines() -> None:
    """Let lines be edited, and those of earlier conversations be called back, where the input is a terminal."""
    if not sys.stdin.isatty():
        return
    try:
        import atexit
        import readline
    except ImportError:  # Python without it: lines are typed plainly
        return
    path = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "hornbook" / "lines"
    with suppress(OSError):
        readline.read_history_file(path)
    readline.set_history_length(REMEMBERED)

    def keep() -> None:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(path)

    atexit.register(keep)
