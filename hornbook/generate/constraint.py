"""Answers of a given form: JSON that keeps to a schema, text that matches a pattern, one of some choices.

Before each token is drawn, those after which the text could no longer become valid are ruled out (Willard and Louf
2023, "Efficient Guided Generation for Large Language Models"). Grammars, and which tokens they allow, are llguidance's;
it is given the bytes of every token, so any tokenizer serves. What is allowed is drawn as ever: the model's preference
among valid texts is its own, one token at a time.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import torch
from jaxtyping import Bool
from llguidance import LLMatcher, LLTokenizer
from llguidance._tokenizer import TokenizerWrapper
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.text.tokenizer import Tokenizer

MARK = b"\xff"  # what llguidance knows special tokens by: a byte that no text has
SPACES = "[ \\n\\t]{0,16}"  # between the parts of JSON; without an end to it a model may write nothing else
KEPT = 64  # grammars that are kept ready


class Constraint(Protocol):
    """What the text that is being written must come to. One for each text."""

    def allowed(self) -> Bool[Tensor, " vocab"]:
        """Which tokens may come next, over the ids of the tokenizer."""
        ...

    def take(self, token: int) -> None:
        """This token was drawn; UserError where it was not allowed."""
        ...

    @property
    def done(self) -> bool:
        """Whether nothing more can follow."""
        ...


class Grammar:
    """A text that is read by llguidance, token by token."""

    def __init__(self, matcher: LLMatcher, vocab: int) -> None:
        self.matcher, self.vocab = matcher, vocab

    def allowed(self) -> Bool[Tensor, " vocab"]:
        """True for the tokens that may come next; where the text may end, for those that end one too."""
        biases = torch.frombuffer(bytearray(self.matcher.compute_logit_bias()), dtype=torch.uint8)
        self._check()
        return biases[: self.vocab] > 0

    def take(self, token: int) -> None:
        """Go on by a token."""
        self.matcher.consume_token(token)
        self._check()

    @property
    def done(self) -> bool:
        """Whether the text is whole and cannot go on."""
        return bool(self.matcher.is_stopped())

    def _check(self) -> None:
        if self.matcher.is_error():
            raise UserError(f"the answer's form cannot be kept to ({_short(self.matcher.get_error())}); simplify it")


def json_schema(schema: Mapping[str, Any], tokenizer: Tokenizer, *, ends: Collection[int] = ()) -> Grammar:
    """JSON that keeps to a schema; UserError says what in the schema is not understood.

    ends: ids that may end the text (of a chat model its template's), where not only `tokenizer.end` does.
    """
    written = json.dumps(schema, sort_keys=False)
    return _grammar(_schema_grammar(written), tokenizer, ends)


def json_object(tokenizer: Tokenizer, *, ends: Collection[int] = ()) -> Grammar:
    """Any JSON object."""
    return json_schema({"type": "object"}, tokenizer, ends=ends)


def regex(pattern: str, tokenizer: Tokenizer, *, ends: Collection[int] = ()) -> Grammar:
    """Text that matches a pattern as a whole (Rust's syntax: no look-around, no back references)."""
    if not pattern:
        raise UserError("the pattern is empty, so nothing could be written; give one such as [0-9]+")
    return _grammar(LLMatcher.grammar_from_regex(pattern), tokenizer, ends)


def choices(texts: Sequence[str], tokenizer: Tokenizer, *, ends: Collection[int] = ()) -> Grammar:
    """One of some texts.

    >>> _escaped("1 + 1?")
    '1 \\\\+ 1\\\\?'
    """
    if not texts or not all(texts):
        raise UserError("there is no choice, or an empty one; give one text or more")
    return regex("|".join(map(_escaped, texts)), tokenizer, ends=ends)


def lark(grammar: str, tokenizer: Tokenizer, *, ends: Collection[int] = ()) -> Grammar:
    """Text of a grammar in llguidance's Lark."""
    return _grammar(LLMatcher.grammar_from_lark(grammar), tokenizer, ends)


def _escaped(text: str) -> str:
    return re.sub(r"[\\.+*?()|\[\]{}^$#&~-]", r"\\\g<0>", text)


def _schema_grammar(schema: str) -> str:
    try:
        return LLMatcher.grammar_from_json_schema(schema, {"whitespace_pattern": SPACES})
    except ValueError as error:
        raise UserError(f"the schema is not one ({_short(str(error))}); give a JSON object") from None


def _grammar(written: str, tokenizer: Tokenizer, ends: Collection[int]) -> Grammar:
    last = tuple(sorted({tokenizer.end, *ends}))
    begun = _begun(written, _Known(tokenizer, last))
    return Grammar(begun.deep_copy(), tokenizer.vocab)


class _Known:
    """A tokenizer as the key of a cache: equal where its fingerprint and what ends its texts are."""

    def __init__(self, tokenizer: Tokenizer, ends: tuple[int, ...]) -> None:
        self.tokenizer, self.ends = tokenizer, ends
        self.key = tokenizer.fingerprint, ends

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Known) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=KEPT)
def _begun(written: str, known: _Known) -> LLMatcher:
    """A grammar before its first token."""
    matcher = LLMatcher(_prepared(known), written, log_level=0)
    if matcher.is_error():
        raise UserError(f"the form that was asked for is not understood: {_short(matcher.get_error())}")
    return matcher


@lru_cache(maxsize=8)
def _prepared(known: _Known) -> LLTokenizer:
    """The bytes of all tokens, arranged so that those which a grammar allows are found quickly; under a second."""
    wrapper = TokenizerWrapper(_Bytes(known))
    return LLTokenizer(wrapper, n_vocab=known.tokenizer.vocab, eos_token=list(known.ends))


class _Bytes:
    """A tokenizer as llguidance wants it."""

    def __init__(self, known: _Known) -> None:
        self.tokenizer, self.eos_token_id = known.tokenizer, known.ends[0]
        self.bos_token_id = None
        self.tokens = token_bytes(known.tokenizer)
        self.special_token_ids = sorted({*known.tokenizer.special.values(), *known.ends})

    def __call__(self, text: str | bytes) -> list[int]:
        return self.tokenizer.encode(text if isinstance(text, str) else text.decode("utf-8", "replace"))


def token_bytes(tokenizer: Tokenizer) -> list[bytes]:
    """What every token adds to a text that has begun; of special tokens their names after a byte no text has."""
    names = {number: name for name, number in tokenizer.special.items()}
    before = tokenizer.encode("a")[-1:]
    begun = len(tokenizer.decode_bytes(before))
    found = []
    for token in range(tokenizer.vocab):
        name = names.get(token)
        added = b"" if name is not None else tokenizer.decode_bytes([*before, token])[begun:]
        found.append(added or MARK + (name or f"<{token}>").encode())
    return found


def _short(text: str) -> str:
    """An error of several lines as a part of a sentence."""
    return " ".join(text.split())[:200] or "no reason given"
