"""Which form a template has; that everything a grammar lets through is read as a call with arguments of its schema."""

import json

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.generate import constraint
from hornbook.serve.tool_calls import reader
from hornbook.serve.tool_forms import Form, form_of, grammar
from hornbook.text.bpe import BPE
from hornbook.text.tokenizer import Tokenizer

END = "<|endoftext|>"
FUNCTIONS = [
    {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"$ref": "#/$defs/city"}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
            "required": ["city", "days"],
            "additionalProperties": False,
            "$defs": {"city": {"enum": ["北京", "Rome"]}},
        },
    },
    {"name": 'say "it"', "parameters": {"type": "object", "properties": {}, "additionalProperties": False}},
]
FORMS: list[Form] = ["hermes", "llama", "mistral", "mistral11", "bare"]


def tokenizer(*special: str) -> Tokenizer:
    made: Tokenizer = BPE(vocab=330, special=(END, *special)).train(
        ['{"name": "f", "arguments": {}}\n'] * 9, processes=1
    )
    return made


def written(form: Form, tokens: Tokenizer, seed: int, *, several: bool) -> str:
    """What a model that knows nothing writes."""
    form_kept = constraint.lark(grammar(form, FUNCTIONS, tokens.special, several=several), tokens)
    draw, ids = torch.Generator().manual_seed(seed), list[int]()
    while not form_kept.done and len(ids) < 2000:
        may = form_kept.allowed().nonzero()[:, 0]
        token = int(may[torch.randint(len(may), (1,), generator=draw)])
        if token == tokens.end:
            break
        ids.append(token)
        form_kept.take(token)
    return tokens.decode(ids)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("special", [(), ("<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]")])
def test_whatever_is_written_is_calls_and_nothing_else(form: Form, special: tuple[str, ...]) -> None:
    tokens, counts, names = tokenizer(*special), set(), set()
    for seed in range(12):
        text = written(form, tokens, seed, several=seed % 2 == 0)
        reading = reader(form, [each["name"] for each in FUNCTIONS])  # type: ignore[misc]
        assert reading is not None
        assert reading.feed(text)[0] + reading.flush()[0] == "", text
        assert len(reading.calls) == 1 or seed % 2 == 0
        counts.add(len(reading.calls))
        for call in reading.calls:
            names.add(call["function"]["name"])
            found = json.loads(call["function"]["arguments"])
            if call["function"]["name"] == "weather":
                assert found.keys() == {"city", "days"}
                assert found["city"] in ("北京", "Rome")
                assert 1 <= found["days"] <= 9
            else:
                assert found == {}
    assert min(counts) == 1
    assert max(counts) > 1 or form == "bare"
    assert names == {each["name"] for each in FUNCTIONS}


def test_marks_are_written_as_their_tokens_where_they_have_one() -> None:
    tokens = tokenizer("<tool_call>", "</tool_call>")
    kept = constraint.lark(grammar("hermes", FUNCTIONS, tokens.special, several=False), tokens)
    assert kept.allowed().nonzero()[:, 0].tolist() == [tokens.special["<tool_call>"]]


@pytest.mark.parametrize(
    ("template", "form"),
    [
        ("{% for call in calls %}<tool_call>\n{{ call | tojson }}\n</tool_call>{% endfor %}", "hermes"),
        ("<tool_call>\n<function={{ call.name }}>", None),
        ("{{ '[TOOL_CALLS] [' }}{{ call | tojson }}", "mistral"),
        ("{{ '[TOOL_CALLS]' + name + '[ARGS]' + arguments }}", "mistral11"),
        ("{% if role == 'ipython' %}{{ '\"parameters\": ' }}{% endif %}", "llama"),
        ("{% for message in messages %}{{ message.content }}{% endfor %}", None),
    ],
)
def test_the_form_of_a_template(template: str, form: Form | None) -> None:
    assert form_of(template) == form


def test_a_schema_that_is_none_is_refused() -> None:
    tokens = tokenizer()
    for bad in ({"type": "colour"}, {"$ref": "#/$defs/nowhere"}):
        with pytest.raises(UserError, match="is not understood"):
            constraint.lark(grammar("llama", [{"name": "f", "parameters": bad}], {}, several=False), tokens)
    free = grammar("llama", [{"name": "f"}], {}, several=False)
    assert constraint.lark(free, tokens).allowed().any()
