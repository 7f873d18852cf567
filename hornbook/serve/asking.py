"""From a client's body to the engine's requests: ids, sampling, limits, and the form that the answer must have.

What is a completion's alone stands in completing.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hornbook.core.errors import UserError
from hornbook.generate import constraint
from hornbook.generate.constraint import Constraint
from hornbook.generate.sample import Sampling
from hornbook.generate.serving import Request
from hornbook.serve import tool_forms
from hornbook.serve.bodies import ChatBody, ChatMessage, Writing
from hornbook.serve.errors import Refused, refusal
from hornbook.serve.shelf import Served

GREATEST_SEED = 2**63
PASSED = ("temperature", "top_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "no_repeat_ngram")
OFF = {"top_k": (-1, 0), "min_p": (0,), "typical_p": (1,)}  # values by which clients say that they want none


@dataclass(frozen=True)
class Asked:
    """What is to be written, and what of it must be said again in the answer."""

    requests: list[Request]  # answers of a prompt stand together
    prompt_tokens: int
    echoes: list[str] = field(default_factory=list)  # what each answer begins with
    kept: tuple[int, int] = (1, 1)  # so many answers of so many that are written for a prompt: the likeliest


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be written for one prompt, beside what the body says of all."""

    ids: list[int]
    most: int | None  # tokens; None: as many as there is room for
    top: int | None  # how many alternatives of a token are told; None: not even how likely it was
    times: int  # answers
    stop: tuple[str, ...] = ()  # more texts that end it
    scored: bool = False  # whether the prompt's own tokens are told too


def of_chat(body: ChatBody, served: Served) -> Asked:
    """A conversation, `n` times."""
    renderer = served.lm.renderer
    served.writer()
    if renderer is None:
        raise Refused(
            f"model {served.name!r}: has no chat template, so it cannot be talked to; use /v1/completions, which goes "
            "on with a text, or fine-tune it on conversations",
            code="no_chat_template",
            param="model",
        )
    tools = [tool.model_dump(exclude_none=True) for tool in body.offered]
    if tools and not renderer.takes_tools:
        raise Refused(
            f"tools: the chat template of {served.name!r} has no place for them; leave them out", param="tools"
        )
    ids = renderer.prompt([_message(each, number) for number, each in enumerate(body.messages)], tools)
    most, times = body.max_completion_tokens or body.max_tokens, body.n or 1
    wanted = Wanted(ids=ids, most=most, top=body.top, times=times)
    return Asked(answers(body, served, wanted), len(ids), kept=(times, times))


def answers(body: Writing, served: Served, wanted: Wanted) -> list[Request]:
    """The requests for one prompt."""
    ids, start, tokens = wanted.ids, served.lm.start, _tokens(body, served, wanted)
    how, form = sampling(body, served), _form(body)
    return [
        Request(
            prompt=ids if start is None else [start],
            sampling=how,
            max_new_tokens=tokens,
            stop=(*body.stops, *wanted.stop),
            seed=None if body.seed is None else (body.seed + number) % GREATEST_SEED,
            source=[] if start is None else ids,
            top_log_probabilities=wanted.top,
            prompt_too=wanted.scored,
            constraint=None if form is None else form(served),
            adapter=served.adapter,
        )
        for number in range(wanted.times)
    ]


def _tokens(body: Writing, served: Served, wanted: Wanted) -> int:
    """How many tokens may be written after a prompt."""
    ids, most = wanted.ids, wanted.most
    room = served.window - (1 if served.lm.start is not None else len(ids))
    if most is not None and most > served.window:
        raise Refused(
            f"max_tokens: {most} is more than the model's window of {served.window} tokens; ask for fewer",
            param="max_tokens",
        )
    if room < (most != 0) or len(ids) > served.window:
        raise Refused(
            f"the prompt has {len(ids)} tokens, and the model's window of {served.window} has to hold it and the "
            "answer; shorten it",
            code="context_length_exceeded",
            param="messages" if isinstance(body, ChatBody) else "prompt",
        )
    return room if most is None else min(most, room)


def sampling(body: Writing, served: Served) -> Sampling:
    """How tokens are drawn; what is not given is as `Sampling` has it."""
    given: dict[str, Any] = {name: getattr(body, name) for name in PASSED if getattr(body, name) is not None}
    for name, none in OFF.items():
        value = getattr(body, name)
        if value is not None and value not in none:
            given[name] = value
    if body.logit_bias:
        given["bias"] = _bias(body.logit_bias, served.tokenizer.vocab)
    try:
        return Sampling(**given)
    except UserError as error:
        raise refusal(error, list(Writing.model_fields)) from None


def _bias(written: dict[str, float], vocab: int) -> dict[int, float]:
    for token, bias in written.items():
        if not token.isascii() or not token.isdecimal() or int(token) >= vocab:
            raise Refused(f"logit_bias: {token[:40]!r} is no token id below {vocab}", param="logit_bias")
        if not -100 <= bias <= 100:
            raise Refused(f"logit_bias: {bias} must be from -100 to 100", param="logit_bias")
    return {int(token): bias for token, bias in written.items()}


def _form(body: Writing) -> Callable[[Served], Constraint] | None:
    """What makes, for every answer anew, the constraint on its form."""
    form = body.response_format
    if isinstance(body, ChatBody) and body.demanded:
        return _call(body)
    if body.regex is not None:
        return _made("regex", constraint.regex, body.regex)
    if body.choices is not None:
        return _made("choices", constraint.choices, body.choices)
    if form and form.json_schema and form.type == "json_schema":
        return _made("response_format", constraint.json_schema, form.json_schema.schema_)
    if form and form.type == "json_object":
        return _made("response_format", constraint.json_schema, {"type": "object"})
    return None


def _call(body: ChatBody) -> Callable[[Served], Constraint]:
    """A call of one of the tools that must be called, in the form that the model's template has."""
    functions = [each.function.model_dump(exclude_none=True) for each in body.demanded]
    several = body.tool_choice == "required" and body.parallel_tool_calls is not False

    def of(served: Served) -> Constraint:
        form, special = served.calls or "bare", served.tokenizer.special
        written = tool_forms.grammar(form, functions, special, several=several)
        return _made("tools", constraint.lark, written)(served)

    return of


def _made(param: str, make: Callable[..., Constraint], wanted: Any) -> Callable[[Served], Constraint]:
    def of(served: Served) -> Constraint:
        try:
            return make(wanted, served.tokenizer, ends=served.lm.limits(1).end)
        except UserError as error:
            raise Refused(f"{param}: {error}", param=param, code="invalid_schema") from None

    return of


def _message(message: ChatMessage, number: int) -> dict[str, Any]:
    """A message as templates know it."""
    role = "system" if message.role == "developer" else message.role
    content = message.content
    if isinstance(content, list):
        content = _joined(content, number)
    if content is None and not message.tool_calls:
        raise Refused(f"messages[{number}].content: is missing; give a text", param="messages")
    found: dict[str, Any] = {"role": role, "content": content or ""}
    if message.tool_calls:
        found["tool_calls"] = message.tool_calls
    if role == "tool":
        found |= {"name": message.name or "", "tool_call_id": message.tool_call_id or ""}
    return found


def _joined(parts: Sequence[dict[str, Any]], number: int) -> str:
    for part in parts:
        if part.get("type") != "text" or not isinstance(part.get("text"), str):
            kind = str(part.get("type"))[:40]
            raise Refused(f"messages[{number}].content: type {kind!r} is not read here; send text", param="messages")
    return "".join(part["text"] for part in parts)
