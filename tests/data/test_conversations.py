"""Conversations of every published form, made up here and read from the real files; what is none says why."""

from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.data.conversations import Conversations, Prompts, conversations, prompts
from hornbook.data.split import Split

ID = "a.jsonl:7"
HI, HO = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}
SYSTEM = {"role": "system", "content": "Be kind."}

FORMS: dict[str, tuple[dict[str, Any], list[dict[str, str]]]] = {
    "alpaca": ({"instruction": "Hi", "input": "", "output": "Ho"}, [HI, HO]),
    "dolly": ({"instruction": "Hi", "context": "", "response": "Ho"}, [HI, HO]),
    "alpaca without the column input": ({"instruction": "Hi", "output": "Ho"}, [HI, HO]),
    "alpaca with an input that is null": ({"instruction": "Hi", "input": None, "output": "Ho"}, [HI, HO]),
    "alpaca with system and history": (
        {"instruction": "Hi", "input": "", "output": "Ho", "system": "Be kind.", "history": [["Hi", "Ho"]]},
        [SYSTEM, HI, HO, HI, HO],
    ),
    "sharegpt": (
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}], "system": "Be kind."},
        [SYSTEM, HI, HO],
    ),
    "messages": ({"messages": [SYSTEM, HI, HO, HI]}, [SYSTEM, HI, HO, HI]),
    "completion": ({"prompt": "Hi", "completion": "Ho"}, [HI, HO]),
    "completion in messages": ({"prompt": [SYSTEM, HI], "completion": [HO]}, [SYSTEM, HI, HO]),
    "transcript": ({"text": "\n\nHuman: Hi\n\nAssistant: Ho"}, [HI, HO]),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_known_by_its_columns(form: str) -> None:
    row, messages = FORMS[form]
    assert conversations({"id": ID, **row, "score": 3}) == {"messages": messages, "id": ID, "score": 3}


def test_an_input_stands_below_its_instruction() -> None:
    row = {"id": ID, "instruction": "翻译", "input": "hello", "output": "你好"}
    assert conversations(row)["messages"][0] == {"role": "user", "content": "翻译\n\nhello"}


def test_columns_of_any_name_and_a_form_that_is_said() -> None:
    row = {"id": ID, "question": "Hi", "reply": "Ho", "text": "other"}
    columns = {"prompt": "question", "completion": "reply"}
    assert conversations(row, columns=columns) == {"messages": [HI, HO], "id": ID, "text": "other"}
    both = {"id": ID, "messages": [HI], "instruction": "Hi", "output": "Ho"}
    assert conversations(both, format="alpaca")["messages"] == [HI, HO]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"instruction": "Hi", "output": ""}, "output is empty; give a text, or take the row out"),
        ({"instruction": "Hi", "output": "  "}, "output is empty"),
        ({"instruction": " ", "output": "Ho"}, "instruction is empty"),
        ({"instruction": "Hi", "output": 4}, "output is a number, not a text"),
        ({"instruction": "Hi", "output": "Ho", "history": ["Hi"]}, r"history\[1\] is a text, not \[question, answer\]"),
        ({"messages": [HI]}, "nobody answers in this conversation; it needs a turn of the assistant"),
        ({"a": 1, "b": 2}, "no conversation is known by the columns a, b; say which they are, for instance `columns:"),
        ({}, "no conversation is known by the columns none"),
        ({"own_id": "x", "c": 1}, "no conversation is known by the columns c;"),
        ({"text": "just a text"}, "no conversation is known by the columns text"),
    ],
)
def test_what_is_no_conversation_is_refused_with_its_row(row: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=f"^{ID}: {said}"):
        conversations({"id": ID, **row})


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prompt": "Hi", "answer": "4", "tests": [1]}, {"prompt": [HI], "id": ID, "answer": "4", "tests": [1]}),
        ({"prompt": [HI]}, {"prompt": [HI], "id": ID}),
        ({"prompt": "\n\nHuman: Hi\n\nAssistant:"}, {"prompt": [HI], "id": ID}),
        ({"instruction": "Hi", "output": "Ho"}, {"prompt": [HI], "id": ID, "output": "Ho"}),
        ({"instruction": "Hi", "output": ""}, {"prompt": [HI], "id": ID, "output": ""}),
        ({"messages": [SYSTEM, HI, HO]}, {"prompt": [SYSTEM, HI], "id": ID}),
    ],
)
def test_a_prompt_is_what_is_answered_and_a_reward_sees_the_rest(row: Any, expected: Any) -> None:
    assert prompts({"id": ID, **row}) == expected


def test_a_prompt_that_asks_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=f"^{ID}: the prompt does not end with the user's turn"):
        prompts({"id": ID, "prompt": [HI, HO]})
    assert prompts({"id": ID, "question": "Hi"}, columns={"prompt": "question"}) == {"prompt": [HI], "id": ID}


LOADED = {  # rows that are conversations, and those that are left out
    "instruction/alpaca-chinese/zh-data-first-3000.json.gz": (2996, 4),
    "instruction/litgpt_fixtures/alpaca.json": (23, 0),
    "instruction/litgpt_fixtures/dolly.json": (12, 0),
    "instruction/llama-factory/alpaca_en_demo.json.gz": (999, 0),
    "instruction/llama-factory/alpaca_zh_demo.json": (1000, 0),
    "instruction/llama-factory/glaive_toolcall_en_demo.json.gz": (147, 153),
    "instruction/llama-factory/identity.json": (91, 0),
    "instruction/llama-factory/kto_en_demo.json.gz": (300, 0),
    "instruction/llama-factory/dpo_en_demo.json.gz": (106, 194),
    "instruction/rasbt/instruction-data-with-preference.json": (1100, 0),
    "instruction/rasbt/instruction-data-with-response.json": (110, 0),
    "instruction/rasbt/instruction-data.json": (1100, 0),
    "instruction/rasbt/instruction-examples.json": (200, 0),
}
REFUSED = {
    "instruction/litgpt_fixtures/longform_train.json": "no conversation is known by the columns input, output, source",
    "instruction/litgpt_fixtures/longform_val.json": "no conversation is known by the columns input, output, source",
    "instruction/llama-factory/dataset_info.json": "an object with the keys identity, alpaca_en_demo",
    "instruction/self-instruct/seed_tasks.jsonl": "by the columns name, instruction, instances, is_classification;",
    "instruction/self-instruct/user_oriented_instructions.jsonl": "motivation_app, instruction, instances;",
    "alignment/hh-rlhf/harmless-base_first500.jsonl.gz": ":1: no conversation is known by the columns chosen, rejected",
    "alignment/constitutional-ai/prompts/CritiqueRevisionFewShotPrompts.json": ":1: a text, not an object",
    "alignment/constitutional-ai/prompts/CritiqueRevisionInstructions.json": "an object with the keys harmful0",
    "alignment/constitutional-ai/prompts/RLMadisonFewShotPrompts.json": "the columns prompt, corrects, incorrects",
    "alignment/constitutional-ai/prompts/RLMadisonInstructions.json": ":1: a text, not an object",
    "alignment/constitutional-ai/prompts/RLMadisonPrecogFewShotPrompts.json": "known by the columns prompt",
}


def test_every_real_file_is_read_or_refused_with_a_sentence(shared_data: Path) -> None:
    there = [path for folder in ("instruction", "alignment") for path in (shared_data / folder).rglob("*.*")]
    assert {path.relative_to(shared_data).as_posix() for path in there if path.is_file()} == {*LOADED, *REFUSED}
    for name, (rows, left_out) in LOADED.items():
        parts = Conversations(source=str(shared_data / name), bad="skip").build()
        assert (len(parts.train + parts.validation), len(parts.skipped)) == (rows, left_out), name
    for name, said in REFUSED.items():
        with pytest.raises(UserError, match=said):
            Conversations(source=str(shared_data / name)).build()


def test_real_files_of_other_columns_are_read_with_their_names(shared_data: Path) -> None:
    names = {"prompt": "input", "completion": "output"}
    longform = Conversations(source=str(shared_data / "instruction/litgpt_fixtures/longform_val.json"), columns=names)
    assert len(longform.build().train) == 8
    hh = str(shared_data / "alignment/hh-rlhf/harmless-base_first500.jsonl.gz")
    chosen = Conversations(source=hh, columns={"text": "chosen"}, bad="skip").build().train[0]
    assert [chosen["messages"][place]["role"] for place in (0, -1)] == ["user", "assistant"]
    seeds = Prompts(source=str(shared_data / "instruction/self-instruct/seed_tasks.jsonl")).build()
    assert seeds.train[0]["own_id"].startswith("seed_task_")


def test_the_books_instructions_are_split_as_in_the_book(shared_data: Path) -> None:
    source = str(shared_data / "instruction/rasbt/instruction-data.json")
    parts = Conversations(source=source, split=Split(train=0.85, validation=0.05)).build()
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [935, 55, 110]
