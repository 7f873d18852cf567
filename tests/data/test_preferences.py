"""Preferences of every published form; what prefers nothing is refused with its row."""

from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import UserError
from hornbook.data.preferences import Preferences, preferences

ID = "a.jsonl:7"
HI, HO, NO = (
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Ho"},
    {"role": "assistant", "content": "No"},
)
PAIR = {"prompt": [HI], "chosen": "Ho", "rejected": "No", "id": ID}
OPENING = "\n\nHuman: Hi\n\nAssistant:"

PAIRS: dict[str, dict[str, Any]] = {
    "texts": {"prompt": "Hi", "chosen": "Ho", "rejected": "No"},
    "messages": {"prompt": [HI], "chosen": [HO], "rejected": [NO]},
    "conversations beside a prompt": {"prompt": [HI], "chosen": [HI, HO], "rejected": [HI, NO]},
    "conversations": {"chosen": [HI, HO], "rejected": [HI, NO]},
    "hh-rlhf": {"chosen": f"{OPENING} Ho", "rejected": f"{OPENING} No"},
    "hh-rlhf with a prompt": {"prompt": OPENING, "chosen": " Ho".strip(), "rejected": "No"},
    "LLaMA-Factory": {
        "conversations": [{"from": "human", "value": "Hi"}],
        "chosen": {"from": "gpt", "value": "Ho"},
        "rejected": {"from": "gpt", "value": "No"},
    },
    "the book": {"instruction": "Hi", "input": "", "output": "Yes", "rejected": "No", "chosen": "Ho"},
}


@pytest.mark.parametrize("form", PAIRS)
def test_a_pair_of_any_form_is_the_same_pair(form: str) -> None:
    assert preferences({"id": ID, **PAIRS[form]}) == PAIR


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Hi", "completion": "Ho", "label": True},
        {"prompt": [HI], "completion": [HO], "label": 1},
        {"messages": [HI, HO], "label": "true"},
        {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}], "label": "1"},
    ],
)
def test_an_answer_judged_alone(row: dict[str, Any]) -> None:
    assert preferences({"id": ID, **row}) == {"prompt": [HI], "completion": "Ho", "label": True, "id": ID}
    assert preferences({"id": ID, **row, "label": False})["label"] is False


def test_the_prompt_is_all_that_transcripts_share() -> None:
    longer = f"{OPENING} Ho\n\nHuman: More\n\nAssistant:"
    row = preferences({"id": ID, "chosen": f"{longer} A\n\nB", "rejected": f"{longer} A"})
    assert row["prompt"] == [HI, HO, {"role": "user", "content": "More"}]
    assert (row["chosen"], row["rejected"]) == ("A\n\nB", "A")


def test_a_margin_and_columns_of_any_name() -> None:
    row = {"id": ID, "q": "Hi", "better": "Ho", "worse": "No", "margin": "1.5"}
    columns = {"prompt": "q", "chosen": "better", "rejected": "worse"}
    assert preferences(row, columns=columns) == {**PAIR, "margin": 1.5}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rejected": "Ho"}, "chosen and rejected are the same text; there is nothing to prefer, take it out"),
        ({"chosen": ""}, "chosen is empty; give a text, or take the row out"),
        ({"prompt": [HI, HO]}, "the prompt ends with the assistant's turn, not with the user's"),
        ({"chosen": [HO, HI]}, "chosen should be one turn of the assistant after the prompt, and is assistant, user"),
        ({"margin": "much"}, "margin is a text, not a number"),
        ({"margin": float("nan")}, "margin is nan, not a number"),
        ({"margin": [1]}, "margin is a list, not a number"),
    ],
)
def test_a_pair_that_teaches_nothing_is_refused_with_its_row(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=f"^{ID}: {said}"):
        preferences({"id": ID, **PAIRS["texts"], **change})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt": "Hi", "chosen": "Ho"}, "no column 'rejected' among prompt, chosen; a preference has chosen and"),
        ({"chosen": "Ho", "rejected": "No"}, "no prompt, and chosen is no conversation that begins with one"),
        ({"chosen": f"{OPENING} Ho", "rejected": f"{OPENING} Ho"}, "chosen and rejected are the same text"),
        ({"chosen": [HO], "rejected": [NO]}, "the prompt is empty, not with the user's"),
        (
            {"chosen": f"{OPENING} A", "rejected": f"{OPENING} B\n\nHuman: C\n\nAssistant: D"},
            "rejected should be one turn of the assistant after the prompt, and is assistant, user, assistant; chosen",
        ),
        ({"prompt": "Hi", "completion": "Ho", "label": "good"}, "label is 'good'; say true for an answer that is"),
        ({"prompt": "Hi", "completion": "Ho", "label": 0.5}, "label is 0.5; say true"),
        ({"prompt": "Hi", "completion": "Ho", "label": None}, "label is None; say true"),
    ],
)
def test_what_is_no_preference_is_refused_with_its_row(row: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=f"^{ID}: {said}"):
        preferences({"id": ID, **row})


def test_what_an_instruction_is_about_stays_apart_and_is_part_of_what_is_asked() -> None:
    row = {"id": ID, "instruction": "Hi", "input": "there", "chosen": "Ho", "rejected": "No"}
    source = Preferences(source="-")
    assert source.row(row)["prompt"] == [{"role": "user", "content": "Hi", "input": "there"}]
    assert source.key(source.row(row)) == source.key({"prompt": [{"role": "user", "content": "Hi\n\nthere"}]})
    assert source.key(source.row(row)) != source.key(source.row({**row, "input": "you"}))


REAL = {  # rows, rows left out, rows whose prompt another has
    "instruction/rasbt/instruction-data-with-preference.json": (1094, 6, 25),
    "instruction/llama-factory/dpo_en_demo.json.gz": (300, 0, 5),
    "instruction/llama-factory/kto_en_demo.json.gz": (300, 0, 3),
    "alignment/hh-rlhf/harmless-base_first500.jsonl.gz": (499, 1, 0),
}


@pytest.mark.parametrize("name", REAL)
def test_real_preferences(shared_data: Path, name: str) -> None:
    parts = Preferences(source=str(shared_data / name), bad="skip").build()
    assert (len(parts.train + parts.validation), len(parts.skipped), parts.duplicates) == REAL[name]


def test_the_books_pairs_of_equal_answers_are_named(shared_data: Path) -> None:
    source = str(shared_data / "instruction/rasbt/instruction-data-with-preference.json")
    with pytest.raises(
        UserError, match=r"^instruction-data-with-preference.json:123: chosen and rejected are the same"
    ):
        Preferences(source=source).build()
