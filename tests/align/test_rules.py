"""Rules files: what they say, what they refuse, and counting without a model."""

from pathlib import Path

import pytest

from hornbook.align import rules as rules_files
from hornbook.align.rules import Rule, Rules, tally, violations
from hornbook.core.errors import UserError

FILE = """
rules:
  - name: calm
    principle: No shouting.
    critique: Is there shouting?
    revision: Say it calmly.
    pattern: "!"
    examples:
      - {prompt: "Hello?", answer: Hello., breaks: false}
      - {prompt: "Hello?", answer: Go away!, breaks: true}
  - {name: short, function: "checks.py:long"}
  - {name: kind, question: "Is it unkind?", choose: "Which is kinder?"}
"""


def written(folder: Path, text: str = FILE) -> Path:
    (folder / "checks.py").write_text("def long(prompt, answer):\n    return len(answer) > 3 * len(prompt)\n")
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    return folder / "rules.yaml"


def test_violations_by_pattern_and_by_function(tmp_path: Path) -> None:
    rules = rules_files.load(written(tmp_path))
    assert violations(rules, "Hello?", "Hello.") == []
    assert violations(rules, "Hello?", "Go away, and never come back!") == ["calm", "short"]
    pairs = [("Hello?", "Hello."), ("Hello?", "No!"), ("Hello?", "Go away, and never come back!")]
    assert tally(rules, pairs) == {"calm": 2, "short": 1, "any": 2}
    assert [rule.name for rule in rules.checkable] == ["calm", "short"]


def test_the_files_that_decide_a_run(tmp_path: Path) -> None:
    assert rules_files.files(written(tmp_path)) == [tmp_path / "rules.yaml", tmp_path / "checks.py"]


def test_a_rule_takes_part_where_it_has_the_text(tmp_path: Path) -> None:
    rules = rules_files.load(written(tmp_path))
    assert [rule.name for rule in rules.that_have("critique")] == ["calm"]
    assert [rule.name for rule in rules.that_have("choose")] == ["kind"]
    with pytest.raises(UserError, match="not one of 1 has a `question`; write it for at least one"):
        Rules(rules=(Rule(name="a"),)).that_have("question")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('pattern: "!"', 'pattern: "("', r"rule calm: pattern '\(' is no regular expression"),
        ('pattern: "!"', 'pattern: "x"', r"rule calm: its pattern is wrong about its own example 'Go away!'"),
        ("revision: Say it calmly.", "", "rule calm: critique and revision are asked one after the other; give both"),
        ("name: kind", "name: calm", "rules: 'calm' is there twice"),
        ("checks.py:long", "checks.py:absent", "has no function 'absent'"),
        ("checks.py:long", "absent.py:long", "is no function of a file that is there"),
        ("question:", "qestion:", r"rules\[2\].qestion: rule has no such field \(did you mean 'question'\?\)"),
        (FILE, "rules: []", "rules: there is none; write one"),
        ("principle:", 'function: "checks.py:long"\n    principle:', "has a pattern and a function; keep one of them"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, before: str, after: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        rules_files.load(written(tmp_path, FILE.replace(before, after)))


@pytest.mark.parametrize("name", ["rules/english", "rules/chinese"])
def test_the_rules_that_ship_are_whole(name: str) -> None:
    """Every rule can be criticised, judged and asked about, and its examples agree with its check."""
    rules = rules_files.load(name)
    assert len(rules.rules) >= 5
    assert len(rules.checkable) >= 3
    for rule in rules.rules:
        assert rule.principle
        assert rule.critique
        assert rule.choose
        assert rule.question
        assert len(rule.examples) >= 2, rule.name
        assert {each.breaks for each in rule.examples} == {True, False}
    assert len(rules.shots) >= 2


def test_both_languages_have_the_same_rules() -> None:
    english, chinese = (rules_files.load(f"rules/{language}") for language in ("english", "chinese"))
    assert [rule.name for rule in english.rules] == [rule.name for rule in chinese.rules]
    assert [rule.checkable for rule in english.rules] == [rule.checkable for rule in chinese.rules]
    assert english.words != chinese.words
