"""`hornbook chat`: a conversation in the terminal, streamed; a base model, which knows no turns, goes on writing."""

import sys
from collections.abc import Iterator

from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.stream import Options

HELP = "/new forgets the conversation, /quit or Ctrl-D leaves, Ctrl-C stops an answer, \\ at a line's end goes on below"


def talk(model: str, *, max_new_tokens: int, temperature: float, top_p: float | None, seed: int | None) -> None:
    """Read lines, write answers, until the input ends."""
    lm = LanguageModel.load(model)
    kind = "answers" if lm.chats else "has no chat template: it goes on from what you write"
    parameters = sum(parameter.numel() for parameter in lm.module.parameters())
    print(f"{model}, {parameters / 1e6:.1f} M parameters, {kind}\n{HELP}")
    settings: Options = {"max_new_tokens": max_new_tokens, "temperature": temperature, "top_p": top_p}
    messages: list[dict[str, str]] = []
    number = 0
    while (line := ask()) is not None:
        if line.strip() in ("/quit", "/exit"):
            return
        if line.strip() in ("/new", "/help"):
            messages = [] if line.strip() == "/new" else messages
            print(HELP)
            continue
        if not line.strip():
            continue
        number += 1
        messages.append({"role": "user", "content": line})
        settings["seed"] = None if seed is None else seed + number
        try:
            said = say(lm.stream_chat(messages, **settings) if lm.chats else lm.stream(line, **settings))
        except UserError as error:  # the conversation has outgrown the model's context
            messages = []
            print(f"{error}\n(the conversation starts anew)")
            continue
        messages.append({"role": "assistant", "content": said or " "})


def ask() -> str | None:
    """What the user writes; None when the input has ended."""
    lines: list[str] = []
    try:
        while True:
            line = input("> " if not lines else ". ")
            lines.append(line.removesuffix("\\"))
            if not line.endswith("\\"):
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
