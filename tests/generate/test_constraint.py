"""Whatever tokens are drawn, the text has the form that was asked for; forms that make no sense are refused."""

import json
import re
from collections.abc import Callable

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.generate import constraint
from hornbook.generate.constraint import Grammar, choices, json_object, json_schema, regex, token_bytes
from hornbook.text.bpe import BPE
from hornbook.text.tokenizer import Tokenizer
from hornbook.text.unigram import Unigram

TEXTS = ["The quick brown fox, 12 years old, said: 是的。不是。", '{"name": "Ann", "age": 7}'] * 30
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "friends": {"type": "array", "items": {"enum": ["Bo", "是"]}, "maxItems": 2},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return BPE(vocab=340).train(TEXTS)


def drawn(make: Callable[[], Grammar], tokenizer: Tokenizer, seed: int) -> str:
    """A text of tokens that are drawn at random from those allowed."""
    generator, grammar, ids = torch.Generator().manual_seed(seed), make(), list[int]()
    while not grammar.done and len(ids) < 400:
        allowed = grammar.allowed()
        assert allowed.shape == (tokenizer.vocab,)
        ids.append(int(torch.multinomial(allowed.double(), 1, generator=generator)))
        grammar.take(ids[-1])
    return tokenizer.decode([each for each in ids if each != tokenizer.end])


@pytest.mark.parametrize("seed", range(20))
def test_json_keeps_to_its_schema(tokenizer: Tokenizer, seed: int) -> None:
    found = json.loads(drawn(lambda: json_schema(PERSON, tokenizer), tokenizer, seed))
    assert found.keys() - {"friends"} == {"name", "age"}
    assert len(found["name"]) <= 8
    assert isinstance(found["age"], int)
    assert 0 <= found["age"] <= 150
    assert set(found.get("friends", [])) <= {"Bo", "是"}


def test_every_choice_can_be_made_and_no_other(tokenizer: Tokenizer) -> None:
    texts = ["yes (a+b)", "no-way", "是的。"]
    assert {drawn(lambda: choices(texts, tokenizer), tokenizer, seed) for seed in range(30)} == set(texts)


@pytest.mark.parametrize("pattern", [r"[0-9]{3}-[a-f]{2}", "(是|不)+。", r"\d\d?"])
def test_a_pattern_is_matched_as_a_whole(tokenizer: Tokenizer, pattern: str) -> None:
    found = {drawn(lambda: regex(pattern, tokenizer), tokenizer, seed) for seed in range(20)}
    assert len(found) > 1
    assert all(re.fullmatch(pattern, text) for text in found)


def test_a_tokenizer_that_begins_texts_with_a_space_serves() -> None:
    other = Unigram(vocab=300).train(["yes no maybe 123 456", "no yes 789"] * 50)
    assert {drawn(lambda: choices(["yes", "no"], other), other, seed) for seed in range(9)} == {"yes", "no"}


def test_the_bytes_of_tokens_are_what_they_add(tokenizer: Tokenizer) -> None:
    known = token_bytes(tokenizer)
    ids = tokenizer.encode("The fox: 是的。")
    assert b"".join(known[each] for each in ids).decode() == "The fox: 是的。"
    assert known[tokenizer.end].startswith(constraint.MARK)


def test_where_the_text_may_end_all_ends_are_allowed(tokenizer: Tokenizer) -> None:
    another = tokenizer.encode("z")[0]
    grammar = regex("[0-9]+", tokenizer, ends=[another])
    assert not grammar.allowed()[tokenizer.end]
    grammar.take(tokenizer.encode("1")[0])
    assert grammar.allowed()[[tokenizer.end, another]].all()
    assert not grammar.done
    grammar.take(another)
    assert grammar.done


def test_two_texts_of_one_form_do_not_meet(tokenizer: Tokenizer) -> None:
    one, two = (json_object(tokenizer) for _ in range(2))
    one.take(tokenizer.encode("{")[0])
    assert two.allowed()[tokenizer.encode("{")[0]]
    assert not two.allowed()[tokenizer.encode("}")[0]]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda t: json_schema({"type": "nothing"}, t), "not understood: Invalid type: nothing"),
        (lambda t: json_schema({"$ref": "#/x"}, t), "'/x' does not exist"),
        (lambda t: regex("(", t), "unclosed group"),
        (lambda t: regex("", t), "is empty"),
        (lambda t: choices([], t), "no choice"),
        (lambda t: choices(["a", ""], t), "no choice"),
    ],
)
def test_forms_that_make_no_sense(tokenizer: Tokenizer, make: Callable[[Tokenizer], Grammar], said: str) -> None:
    with pytest.raises(UserError, match=said):
        make(tokenizer)


def test_a_token_that_is_not_allowed(tokenizer: Tokenizer) -> None:
    grammar = choices(["yes"], tokenizer)
    with pytest.raises(UserError, match="cannot be kept to"):
        grammar.take(tokenizer.encode("7")[0])
