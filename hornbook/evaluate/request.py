"""What a model is asked when it is scored, and what it answers.

Three questions carry every benchmark, as in the field's reference harness (Gao et al., lm-evaluation-harness): how
likely is this continuation, how likely is this whole text, what do you write until you stop. A fourth, of ids, is for
perplexity.py.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Continuation:
    """How likely `continuation` is after `context`; an empty context is the beginning of a text."""

    context: str
    continuation: str


@dataclass(frozen=True)
class Rolling:
    """How likely a whole text is, however long: read in windows that judge each token once."""

    text: str


@dataclass(frozen=True)
class Stretch:
    """How likely some ids are after others: a piece of a text that was cut into tokens already."""

    context: tuple[int, ...]
    continuation: tuple[int, ...]


@dataclass(frozen=True)
class Until:
    """What the model writes after `context`, each token the likeliest, up to one of the `stop` texts."""

    context: str
    stop: tuple[str, ...] = ()
    max_new_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    talk: tuple[tuple[str, str], ...] = ()
    """(role, text) of a conversation: what a model that has a chat template is asked instead of `context`."""


@dataclass(frozen=True)
class AsRead:
    """What a model reads of a question whose answer it writes."""

    text: str
    truncated: bool = False
    """Whether it lost its beginning to fit the model's window."""


@dataclass(frozen=True)
class Scored:
    """How likely a continuation or a text was."""

    log_likelihood: float
    """Nats, summed over its tokens."""
    greedy: bool
    """Whether every one of its tokens was the likeliest."""
    tokens: int
    bytes: int
    truncated: bool = False
    """Whether the context lost its beginning to fit the model's window."""
