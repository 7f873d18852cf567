"""What is asked, in which order, and what is kept; a scripted model says who asked it."""

from hornbook.align.critique import Critic, Revised, shown
from hornbook.align.rules import Rule, Rules, Shot
from hornbook.align.words import Words
from hornbook.corpus.synthetic import Sampling
from tests.align.scripted import Scripted

RULES = Rules(
    rules=(
        Rule(name="kind", critique="Is it kind?", revision="Be kind."),
        Rule(name="true", critique="Is it true?", revision="Be true."),
        Rule(name="judge", choose="Which?"),
    ),
    shots=(Shot(prompt="P", answer="A", critique_request="CR", critique="C", revision_request="RR", revision="R"),),
)
PROMPTS = [[{"role": "user", "content": f"prompt {number}"}] for number in range(40)]
HOW = Sampling(temperature=1.0, seed=7)


def says(talk, seed, voice):
    return f"{voice or 'answer'} to <{talk[-1]['content']}> {seed % 1_000_003}"


def test_a_prompt_is_answered_criticised_and_revised_by_rules_drawn_for_it() -> None:
    speaker = Scripted(says)
    found = Critic(speaker, RULES, HOW, rounds=2).revise(PROMPTS, 0)
    assert {step.rule for each in found for step in each.steps} == {"kind", "true"}
    first = found[3]
    assert first.draft == "answer to <prompt 3> 10"
    assert [step.revision.split(" to ")[0] for step in first.steps] == ["Revision", "Revision"]
    talks = [talk for talk, voice in speaker.heard if voice == "Revision" and talk[0]["content"] == "prompt 3"]
    one, two = talks
    rule = next(rule for rule in RULES.rules if rule.name == first.steps[0].rule)
    assert [turn["content"] for turn in one] == [
        "prompt 3", first.draft, rule.critique, first.steps[0].critique, rule.revision
    ]  # fmt: skip
    assert two[1]["content"] == first.steps[0].revision  # the revision stands where the draft stood


def test_what_is_drawn_depends_on_the_prompts_number_alone() -> None:
    whole = Critic(Scripted(says), RULES, HOW).revise(PROMPTS, 0)
    half = Critic(Scripted(says), RULES, HOW).revise(PROMPTS[20:], 20)
    assert [each.row() for each in whole[20:]] == [each.row() for each in half]
    other = Critic(Scripted(says), RULES, Sampling(temperature=1.0, seed=8)).revise(PROMPTS, 0)
    assert [each.steps[0].rule for each in whole] != [each.steps[0].rule for each in other]


def test_a_row_is_the_question_with_the_last_revision_and_remembers_all() -> None:
    (found,) = Critic(Scripted(says), RULES, HOW).revise(PROMPTS[:1], 0)
    row = found.row()
    assert row["messages"] == [*PROMPTS[0], {"role": "assistant", "content": found.steps[0].revision}]
    assert row["provenance"]["draft"] == found.draft
    assert row["provenance"]["steps"][0]["critique"] == found.steps[0].critique


def test_worked_examples_stand_before_every_question() -> None:
    speaker = Scripted(says)
    Critic(speaker, RULES, HOW, shots=1).revise(PROMPTS[:1], 0)
    critique = next(talk for talk, voice in speaker.heard if voice == "Critique")
    assert [turn["content"] for turn in critique[:6]] == ["P", "A", "CR", "C", "RR", "R"]
    assert [turn.get("name") for turn in shown(RULES.shots[0], Words())] == [
        None, None, "CritiqueRequest", "Critique", "RevisionRequest", "Revision"
    ]  # fmt: skip


def test_what_brings_nothing_is_a_fault() -> None:
    def silent(talk, seed, voice):
        return None if voice == "Critique" and "1" in talk[0]["content"] else "" if voice == "Revision" else "yes"

    found = Critic(Scripted(silent), RULES, HOW).revise(PROMPTS[:2], 0)
    assert [each.fault for each in found] == ["no revision", "no critique"]
    assert Critic(Scripted(lambda *_: None), RULES, HOW).revise(PROMPTS[:1], 0)[0].fault == "no answer"
    assert Revised([], "d").answer == "d"
