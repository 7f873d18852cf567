"""What is put around a text is what `tokenizers` puts there, from every kind of post-processor."""

from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from hornbook.text import template
from hornbook.text.template import PLAIN, Part, Template

SPECIAL = {"[CLS]": 0, "[SEP]": 1, "<s>": 2}
WORDS = {"a": 3, "b": 4, "c": 5}
MADE = {
    "bert": processors.BertProcessing(("[SEP]", 1), ("[CLS]", 0)),
    "roberta": processors.RobertaProcessing(("[SEP]", 1), ("<s>", 2), trim_offsets=True, add_prefix_space=False),
    "template": processors.TemplateProcessing(
        single="<s> $A [SEP]", pair="<s>:2 $A:0 [SEP]:3 $B:1 <s>:1", special_tokens=[("<s>", 2), ("[SEP]", 1)]
    ),
    "bytes": processors.ByteLevel(trim_offsets=True),
    "sequence": processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B:1", special_tokens=[("<s>", 2)]),
        ]
    ),
    "none": None,
}


def described(processor: Any) -> Any:
    import json

    return json.loads(processor.__getstate__()) if processor is not None else None


@pytest.mark.parametrize("name", MADE)
def test_the_same_as_the_library_puts_there(name: str) -> None:
    reference = Tokenizer(models.WordLevel(SPECIAL | WORDS, unk_token="a"))
    reference.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if MADE[name] is not None:
        reference.post_processor = MADE[name]
    read = template.read(described(MADE[name]))
    for written in (read, template.read(template.describe(read))):
        alone, both = reference.encode("a b"), reference.encode("a b", "c")
        assert written.wrap([3, 4]) == (alone.ids, alone.type_ids)
        assert written.wrap([3, 4], [5]) == (both.ids, both.type_ids)


def test_nothing_around_a_text_is_written_as_nothing() -> None:
    assert template.describe(PLAIN) is None
    assert template.read(None) == Template((Part("A", 0),), (Part("A", 0), Part("B", 1)))


def test_empty_texts_are_wrapped_too() -> None:
    assert template.bert(("[CLS]", 0), ("[SEP]", 1)).wrap([], []) == ([0, 1, 1], [0, 0, 1])


@pytest.mark.parametrize(
    ("processor", "sentence"),
    [
        ({"type": "Other"}, "'Other' is not a kind that is known"),
        ({"type": "Sequence", "processors": [described(MADE["bert"])] * 2}, "a sequence of 2 templates"),
    ],
)
def test_kinds_that_are_not_known(processor: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        template.read(processor)
