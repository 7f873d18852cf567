"""Whole ways with planted models (planted.py, planted_assistant.py): what is planted is a skill, never the outcome."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hornbook.align.assistant import Assistant, Evidence
from hornbook.align.memory import Memory
from hornbook.align.speaker import Local, Manner
from hornbook.align.tools import Calculator
from hornbook.core import recipe
from hornbook.generate.language_model import LanguageModel
from hornbook.tune.check import Check
from hornbook.tune.critique import Critique
from hornbook.tune.instruct import Instruct
from hornbook.tune.judge import Judge
from hornbook.tune.prefer import Prefer
from tests.align import planted_assistant as handy_words
from tests.align.planted import FORMS, POLITE, facts, prompts
from tests.tune.asking import ledger, make
from tests.tune.doubles import place_at, trained

pytestmark = pytest.mark.slow
SHORT = {"max_new_tokens": 24}


def asked(rude: Path, folder: Path, few: int | None = None) -> dict[str, Any]:
    """The fields that the stages share, with the planted model as their base."""
    listed = folder / "prompts.jsonl"
    listed.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts()[:few]))
    (folder / "model").symlink_to(rude / "model")
    source = {"source": str(listed), "split": {"train": 0.6, "validation": 0.4}}
    return {"rules": str(rude / "rules.yaml"), "prompts": source, "manner": SHORT}


def test_the_constitution_alone_lowers_violations_by_four_fifths(rude: Path, tmp_path: Path) -> None:
    """No label, no human: the rules file, prompts, and a base that can criticise. Held-out prompts, intervals apart."""
    fields = asked(rude, tmp_path)
    before = make(Check, tmp_path, "before", {**fields, "samples": 4})
    make(Critique, tmp_path, "critique", fields)
    train = {"epochs": 6, "rows_per_step": 4, "optimizer": {"type": "adamw", "lr": 5e-4}, "threads": 1}
    data_of = {"source": str(tmp_path / "critique" / "rows.jsonl")}
    stage = recipe.parse(Instruct, {"data": data_of, "length": 64, "train": train})
    model = trained(stage, place_at(tmp_path / "instruct", rude / "model"))
    after = make(Check, tmp_path, "after", {**fields, "samples": 4, "model": str(model)})
    was, now = (ledger(tmp_path, name)["broken"]["polite"] for name in ("before", "after"))
    assert was["value"] > 0.6
    assert now["value"] < 0.2 * was["value"]
    assert now["interval"][1] < 0.2 * was["interval"][0]

    right = {form.format(**fact): POLITE.format(**fact) for fact in facts() for form in FORMS}

    def knows(rows):  # what it knew it still knows, only politely
        return sum(_fact(row["answer"], right[row["prompt"][0]["content"]]) for row in rows) / len(rows)

    assert knows(after) > knows(before) - 0.1


def _fact(said: str, right: str) -> bool:
    return said.rstrip(".").split(" is ")[-1].split(",")[0] == right.rstrip(".").split(" is ")[-1]


def test_a_planted_judge_chooses_the_polite_answer(rude: Path, tmp_path: Path) -> None:
    make(Judge, tmp_path, "judge", {**asked(rude, tmp_path), "part": "all"})
    agrees = ledger(tmp_path, "judge")["agrees with the checks"]
    assert agrees["of"] > 20
    assert agrees["value"] > 0.9


def test_what_the_model_judges_better_it_learns_to_prefer(rude: Path, tmp_path: Path) -> None:
    """Phase 2 without phase 1: DPO on the model's own judgements of its own answers."""
    fields = asked(rude, tmp_path)
    make(Check, tmp_path, "before", {**fields, "samples": 2})
    make(Judge, tmp_path, "judge", {**fields, "surest": 0.6})
    train = {"epochs": 30, "rows_per_step": 8, "optimizer": {"type": "adamw", "lr": 1e-3}, "threads": 1}
    rows = {"source": str(tmp_path / "judge" / "rows.jsonl")}
    stage = recipe.parse(Prefer, {"data": rows, "length": 64, "train": train})
    model = trained(stage, place_at(tmp_path / "prefer", rude / "model"))
    make(Check, tmp_path, "after", {**fields, "samples": 2, "model": str(model)})
    was, now = (ledger(tmp_path, name)["broken"]["polite"] for name in ("before", "after"))
    assert now["interval"][1] < was["interval"][0]
    assert now["value"] < 0.3 * was["value"]


def test_reranking_keeps_a_rude_model_polite(rude: Path, tmp_path: Path) -> None:
    """By the pattern, and by the model's own answer to the rule's question, which is no check."""
    unchecked = tmp_path / "unchecked.yaml"
    unchecked.write_text((rude / "rules.yaml").read_text().replace("    pattern: (?i)\\bdarn\\b\n", ""))
    assistant = tmp_path / "assistant.yaml"
    assistant.write_text(f"rank: {{type: sparrow, rules: {unchecked}, samples: 8}}\nmanner: {{max_new_tokens: 24}}")
    fields = {**asked(rude, tmp_path, few=60), "part": "all"}
    make(Check, tmp_path, "plain", fields)
    make(Check, tmp_path, "ranked", {**fields, "assistant": str(assistant)})
    was, now = (ledger(tmp_path, name)["broken"]["polite"] for name in ("plain", "ranked"))
    assert now["interval"][1] < was["interval"][0]
    assert now["value"] < 0.5 * was["value"]


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


@pytest.fixture(scope="module")
def speaker(handy: Path) -> Local:
    return Local(LanguageModel.load(handy))


GREEDY = Manner(temperature=0.0, max_new_tokens=24)


def test_tool_turns_give_the_right_sum_where_the_model_alone_does_not(speaker: Local) -> None:
    """LaMDA: the same model, the same unseen sums, with the calculator and without."""
    sums = random.Random(3).sample(handy_words.UNSEEN, 40)
    helped = Assistant(instructions=handy_words.TOOLS, tools=(Calculator(),), manner=GREEDY).build(speaker)
    alone = Assistant(manner=GREEDY).build(speaker)
    right = [
        [each.reply([user(handy_words.question(a, b))]).text == f"it is {a + b}." for a, b in sums]
        for each in (helped, alone)
    ]
    assert sum(right[0]) >= 0.9 * len(sums)
    assert sum(right[1]) <= 0.2 * len(sums)
    reply = helped.reply([user(handy_words.question(*sums[0]))])
    assert reply.calls == (("+".join(map(str, sums[0])), [str(sum(sums[0]))]),)


def test_evidence_is_found_read_and_quoted(speaker: Local, tmp_path: Path) -> None:
    """Sparrow: what the model cannot know stands in a folder."""
    draw = random.Random(5)
    known = {handy_words.place_name(draw): draw.choice(handy_words.COLOURS) for _ in range(30)}
    (tmp_path / "texts").mkdir()
    for name, colour in known.items():
        (tmp_path / "texts" / f"{name}.txt").write_text(f"{name} is {colour}.\n")
    helped = Assistant(evidence=Evidence(folder=str(tmp_path / "texts"), passages=1), manner=GREEDY).build(speaker)
    alone = Assistant(manner=GREEDY).build(speaker)
    replies = {name: helped.reply([user(f"What is {name}?")]) for name in known}
    right = sum(reply.text == f"it is {known[name]}." for name, reply in replies.items())
    guessed = sum(alone.reply([user(f"What is {name}?")]).text == f"it is {known[name]}." for name in known)
    assert right >= 0.9 * len(known)
    assert guessed <= 0.5 * len(known)
    assert all(reply.evidence[0].text == f"{name} is {known[name]}." for name, reply in replies.items())


def test_a_memory_is_recalled_in_a_later_session_of_another_process(handy: Path, tmp_path: Path) -> None:
    """BlenderBot 3, through the command: a session that tells, one that asks, one without the memory."""
    file = tmp_path / "assistant.yaml"
    memory = {"file": str(tmp_path / "memory.jsonl"), "request": handy_words.REQUEST, "known": handy_words.KNOWN}
    config = Assistant(memory=Memory(**memory), feedback=str(tmp_path / "said"), manner=GREEDY)
    file.write_text(recipe.to_yaml(config), encoding="utf-8")

    def session(typed: str) -> str:
        command = [sys.executable, "-m", "hornbook", "chat", str(handy), "--assistant", str(file), "--seed", "1"]
        done = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    first = session("I like rice.\nMy name is Leo.\n")
    assert "remembered: The user likes rice." in first
    second = session(
        "What do I like?\n/new\nWhat is my name?\n/good\n/bad too short\n/better You are Leo, who likes rice.\n"
    )
    assert "you like rice." in second
    assert "you are Leo." in second
    assert (tmp_path / "said" / "preferences.jsonl").read_text(encoding="utf-8").count("\n") == 1
    (tmp_path / "memory.jsonl").unlink()
    assert "you are Leo." not in session("What is my name?\n")
