"""The published constitution, and a folder of the same form."""

import json
from pathlib import Path

import pytest

from hornbook.align import rules as rules_files
from hornbook.core.errors import UserError

SHOT = (
    "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: What?\n\nAssistant: Go away!\n\nCritiqueRequest: Is it kind?\n\n"
    "Critique: It is not.\n\nRevisionRequest: Be kind.\n\nRevision: How can I help?\n\nHuman:"
)


def write(folder: Path, shots: list[str]) -> Path:
    requests = {
        "kind0": {
            "prompt": ["\n\nCritiqueRequest: Is it kind?\n\nCritique:"],
            "edit_request": "\n\nRevisionRequest: Be kind.\n\nRevision:",
        }
    }
    for name, content in (
        ("CritiqueRevisionInstructions", requests),
        ("RLMadisonInstructions", ["\nPlease choose the kinder one. Options:"]),
        ("CritiqueRevisionFewShotPrompts", shots),
    ):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_a_folder_of_the_published_form(tmp_path: Path) -> None:
    rules = rules_files.load(write(tmp_path, [SHOT]))
    critic, judge = rules.rules
    assert (critic.name, critic.critique, critic.revision) == ("kind0", "Is it kind?", "Be kind.")
    assert (judge.name, judge.choose) == ("choose0", "Please choose the kinder one.")
    (shot,) = rules.shots
    assert shot.prompt == "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: What?"
    assert (shot.answer, shot.critique, shot.revision) == ("Go away!", "It is not.", "How can I help?")
    assert rules_files.files(tmp_path) == sorted(tmp_path.glob("*.json"))


def test_what_is_not_the_published_form_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="example 1 is not a critique and a revision"):
        rules_files.load(write(tmp_path, [SHOT, "\n\nHuman: Hi"]))
    (tmp_path / "CritiqueRevisionInstructions.json").unlink()
    with pytest.raises(UserError, match=r"has no CritiqueRevisionInstructions\.json; give the paper's folder"):
        rules_files.load(tmp_path)


def test_the_papers_own_prompts(shared_data: Path) -> None:
    rules = rules_files.load(shared_data / "alignment" / "constitutional-ai" / "prompts")
    assert (len(rules.that_have("critique")), len(rules.that_have("choose")), len(rules.shots)) == (16, 16, 5)
    texts = [rule.critique or rule.choose or "" for rule in rules.rules]
    assert not any("Request:" in text or text.endswith(("Critique:", "Options:")) for text in texts)
