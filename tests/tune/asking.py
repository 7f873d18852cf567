"""Stages that ask a model, with a real tiny chat model of random weights, which says what it likes."""

import json
from pathlib import Path
from typing import Any

from hornbook.core import recipe
from tests.tiny_chat import chat_model
from tests.tune.doubles import place_at

RULES = """
rules:
  - {name: no_a, critique: "Is there an a?", revision: No a., choose: "Which has no a?", question: "Any a?", pattern: a}
  - {name: no_b, critique: "Is there a b?", revision: No b., choose: "Which has no b?", question: "Any b?"}
words: {compare: "{conversation} {choose} {a} {b}", ask: "{conversation} {question}", verdict: "(", think: "Hm:"}
"""
MANNER = {"max_new_tokens": 6}


def files(folder: Path, prompts: int = 50) -> dict[str, Any]:
    """Writes rules, prompts and a model; the fields that stages share."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yaml").write_text(RULES)
    lines = [json.dumps({"prompt": f"the cat {number}"}) + "\n" for number in range(prompts)]
    (folder / "prompts.jsonl").write_text("".join(lines))
    if not (folder / "model").exists():
        chat_model().save(folder / "model")
    source = {"source": str(folder / "prompts.jsonl"), "split": {"train": 0.8, "validation": 0.2}}
    return {"rules": str(folder / "rules.yaml"), "prompts": source, "manner": MANNER}


def make(kind: type, folder: Path, name: str, fields: dict[str, Any], **place: Any) -> list[dict[str, Any]]:
    """Run a stage; its rows."""
    stage: Any = recipe.parse(kind, fields)
    where = place_at(folder / name, folder / "model", **place)
    where.run.folder.mkdir(parents=True, exist_ok=True)
    stage.make(where)
    return [json.loads(line) for line in where.run.rows.read_text(encoding="utf-8").splitlines()]


def ledger(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name / "ledger.json").read_text())
    return found
