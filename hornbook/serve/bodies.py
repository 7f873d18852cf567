"""What clients may send: the bodies of OpenAI's requests as pydantic models, with a few fields more.

Fields of OpenAI's that change nothing here (`store`, `user`, `metadata` ...) are read over; a field that looks like a
slip of the pen ("temprature") is refused. `null` is the same as nothing. Ours: top_k, min_p, typical_p,
repetition_penalty, no_repeat_ngram, regex, choices.
"""

from difflib import get_close_matches
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_ANSWERS = 32  # `n`
MOST_STOPS = 64
LONGEST_STOP = 1000  # characters
MOST_TOP = 20  # OpenAI's bound
MOST_INPUTS = 2048  # texts to be embedded at once, OpenAI's bound
SLIP = 0.85  # likeness above which an unknown field is taken for a slip of the pen


class Body(BaseModel):
    """An object of a request."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False, protected_namespaces=())

    @model_validator(mode="after")
    def _no_slips(self) -> "Body":
        names = list(type(self).model_fields)
        for name in self.model_extra or {}:
            near = get_close_matches(name, names, 1, SLIP)
            if near:
                raise ValueError(f"there is no field {name!r}; did you mean {near[0]!r}?")
        return self


class StreamOptions(Body):
    """`stream_options`."""

    include_usage: bool | None = None


class Schema(Body):
    """`response_format.json_schema`."""

    name: str = "answer"
    schema_: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


class Format(Body):
    """`response_format`."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: Schema | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Format":
        if self.type == "json_schema" and self.json_schema is None:
            raise ValueError('type json_schema needs `json_schema`: {"name": ..., "schema": {...}}')
        return self


class Writing(Body):
    """What chat and completions have in common."""

    model: str | None = None
    max_tokens: int | None = Field(None, ge=1)
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = Field(None, ge=-1)
    min_p: float | None = None
    typical_p: float | None = None
    repetition_penalty: float | None = None
    no_repeat_ngram: int | None = None
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    logit_bias: dict[str, float] | None = None
    n: int | None = Field(None, ge=1, le=MOST_ANSWERS)
    stop: str | list[str] | None = None
    seed: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: Format | None = None
    regex: str | None = None
    choices: list[str] | None = None
    user: str | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop strings."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def usage_too(self) -> bool:
        """Whether the last piece of a stream says what was used."""
        return bool(self.stream_options and self.stream_options.include_usage)

    @model_validator(mode="after")
    def _bounded(self) -> "Writing":
        if len(self.stops) > MOST_STOPS:
            raise ValueError(f"stop: {len(self.stops)} stop strings are too many; give at most {MOST_STOPS}")
        if "" in self.stops:
            raise ValueError("stop: an empty text stops before the first token; leave it out")
        if any(len(stop) > LONGEST_STOP for stop in self.stops):
            raise ValueError(f"stop: a stop string is longer than {LONGEST_STOP} characters; shorten it")
        if self.formed > 1:
            raise ValueError("regex, choices and response_format: each decides the form of the answer; give one")
        return self

    @property
    def top(self) -> int | None:
        """How many alternatives of a token are told; None: not even how likely it was."""
        raise NotImplementedError

    @property
    def formed(self) -> int:
        """How many fields decide the form of the answer."""
        plain = self.response_format is None or self.response_format.type == "text"
        return bool(self.regex) + bool(self.choices) + (not plain)


class ChatMessage(Body):
    """One of `messages`."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class Function(Body):
    """`tools[].function`."""

    name: str = Field(min_length=1, max_length=64)
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(Body):
    """One of `tools`."""

    type: Literal["function"] = "function"
    function: Function


class Named(Body):
    """`tool_choice.function`."""

    name: str


class ToolChoice(Body):
    """`tool_choice`, where it names a function."""

    type: Literal["function"] = "function"
    function: Named


class ChatBody(Writing):
    """POST /v1/chat/completions."""

    messages: list[ChatMessage] = Field(min_length=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=MOST_TOP)
    tools: list[Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    parallel_tool_calls: bool | None = None

    @model_validator(mode="after")
    def _known(self) -> "ChatBody":
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs: needs logprobs: true")
        if self.tool_choice == "required" or isinstance(self.tool_choice, ToolChoice):
            if not self.demanded:
                there = ", ".join(each.function.name for each in self.tools or []) or "none"
                raise ValueError(f"tool_choice: asks for a tool that is not among `tools` ({there}); name one of them")
            if self.formed:
                raise ValueError("tool_choice: a call that must be has its own form; leave out the other")
        return self

    @property
    def top(self) -> int | None:
        """How many alternatives of a token are told; None: not even how likely it was."""
        return (self.top_logprobs or 0) if self.logprobs else None

    @property
    def offered(self) -> list[Tool]:
        """The tools that may be called."""
        return [] if self.tool_choice == "none" else self.tools or []

    @property
    def demanded(self) -> list[Tool]:
        """The tools of which one must be called; none: it is left to the model."""
        if isinstance(self.tool_choice, ToolChoice):
            return [each for each in self.offered if each.function.name == self.tool_choice.function.name]
        return self.offered if self.tool_choice == "required" else []


class CompletionBody(Writing):
    """POST /v1/completions."""

    prompt: str | list[str] | list[int] | list[list[int]]
    logprobs: int | None = Field(None, ge=0, le=MOST_TOP)
    echo: bool | None = None
    max_tokens: int | None = Field(None, ge=0)
    best_of: int | None = Field(None, ge=1, le=MOST_ANSWERS)
    suffix: str | None = None

    @model_validator(mode="after")
    def _possible(self) -> "CompletionBody":
        if self.best_of is not None and self.best_of < (self.n or 1):
            raise ValueError(f"best_of: of {self.best_of} answers {self.n} cannot be kept; give at least `n`")
        if self.best_of is not None and self.best_of > (self.n or 1) and self.stream:
            raise ValueError("best_of: the best is known at the end; leave out stream")
        if self.max_tokens == 0 and not self.echo:
            raise ValueError("max_tokens: 0 writes nothing; give at least 1, or echo")
        if self.suffix and self.scored:
            raise ValueError("suffix: the logprobs of a text to be filled in are not told; leave out echo or logprobs")
        return self

    @property
    def top(self) -> int | None:
        """How many alternatives of a token are told; None: not even how likely it was."""
        return self.logprobs

    @property
    def scored(self) -> bool:
        """Whether the tokens of the prompt are told, and how likely each was."""
        return bool(self.echo) and self.logprobs is not None


class EmbeddingBody(Body):
    """POST /v1/embeddings."""

    model: str | None = None
    input: str | list[str] | list[int] | list[list[int]]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: str | None = None

    @property
    def texts(self) -> list[str]:
        """The texts, where texts were given."""
        given = [self.input] if isinstance(self.input, str) else self.input
        return [each for each in given if isinstance(each, str)]

    @model_validator(mode="after")
    def _texts_only(self) -> "EmbeddingBody":
        count = 1 if isinstance(self.input, str) else len(self.input)
        if not 1 <= count <= MOST_INPUTS:
            raise ValueError(f"input: {count} texts; give 1 to {MOST_INPUTS}")
        if len(self.texts) < count:
            raise ValueError("input: token ids belong to one tokenizer and are not read here; give the text")
        if not all(self.texts):
            raise ValueError("input: an empty text has no vector; leave it out")
        return self
