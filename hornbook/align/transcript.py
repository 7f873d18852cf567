r"""Conversations as running text, for a model that knows no turns, and back.

Anthropic's form, which Bai et al. 2022 use in all their prompts: "\n\nHuman: ...\n\nAssistant: ...".
"""

from collections.abc import Mapping, Sequence

from hornbook.align.words import Words
from hornbook.data.messages import prompt_of

Message = Mapping[str, str]  # {"role", "content"}, and maybe "name": who speaks, in a transcript


def messages_of(text: str) -> list[Message]:
    r"""What a user says, or a transcript of several turns, as messages.

    >>> messages_of("Hello?")
    [{'role': 'user', 'content': 'Hello?'}]
    >>> [message["role"] for message in messages_of("\n\nHuman: Hello?\n\nAssistant: Yes?\n\nHuman: Nothing.")]
    ['user', 'assistant', 'user']
    """
    return list(prompt_of({"id": "prompt", "prompt": text}))


def transcript(messages: Sequence[Message], words: Words, *, then: str | None = None) -> str:
    r"""Messages as running text; `then` is who goes on.

    >>> transcript([{"role": "user", "content": "Hello?"}], Words(), then="Assistant")
    '\n\nHuman: Hello?\n\nAssistant:'
    """
    who = {"user": words.human, "assistant": words.assistant}
    turns = [
        message["content"] if message["role"] == "system" else f"{_name(message, who)}: {message['content']}"
        for message in messages
    ]
    return "".join(f"\n\n{turn}" for turn in [*turns, *([f"{then}:"] if then else [])])


def _name(message: Message, who: Mapping[str, str]) -> str:
    return message.get("name") or who[message["role"]]


def last_user(messages: Sequence[Message]) -> str:
    """What the user said last; nothing where nobody has said anything."""
    return next((message["content"] for message in reversed(messages) if message["role"] == "user"), "")
