import json
import random
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.rouge import rouge_l, words
from hornbook.corpus.self_instruct import NO_CASE, OWN, SHOWN, Inventor, SelfInstruct, cases_of, items, read_seeds
from hornbook.corpus.synthetic import Round
from tests.corpus.scripted import SEEDS, Scripted


def write(path: Path, seeds: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(seed) for seed in seeds))
    return path


def rounds(inventor: Inventor, count: int) -> list[Round]:
    done = [Round(number) for number in range(count)]
    for each in done:
        inventor.ask(each, Scripted(), random.Random(each.number))
        inventor.learn(each)
    return done


def test_no_task_is_like_another_or_a_seed() -> None:
    done = rounds(Inventor(SelfInstruct(seeds=Path()), SEEDS), 6)
    tasks = list(dict.fromkeys(row.instruction for each in done for row in each.rows))
    known = [*(seed["instruction"] for seed in SEEDS), *tasks]
    assert len(tasks) > 50
    for i, first in enumerate(known):
        assert all(rouge_l(words(first), words(second)) < 0.7 for second in known[max(i + 1, len(SEEDS)) :])


def test_eight_examples_are_shown_two_of_them_the_models_own() -> None:
    inventor = Inventor(SelfInstruct(seeds=Path()), SEEDS)
    rounds(inventor, 2)
    shown = items(inventor._new(random.Random(0)).partition("\n\nGo on")[0])
    assert len(shown) == SHOWN
    assert len(set(shown) & set(inventor.own)) == OWN


def test_labels_come_first_where_there_are_few() -> None:
    done = rounds(Inventor(SelfInstruct(seeds=Path()), SEEDS), 3)
    rows = [row for each in done for row in each.rows]
    assert {row.output for row in rows if row.provenance["classification"]} == {"good", "bad"}
    assert all(row.output.startswith("It is") for row in rows if not row.provenance["classification"])


@pytest.mark.parametrize(
    ("text", "labelled", "cases"),
    [
        ("Output: Blue.", False, [("", "Blue.")]),
        ("Input: <noinput>\nOutput: Blue.", False, [("", "Blue.")]),
        ("Input: a\nOutput: b\n\nInput: c\nOutput: d\nand e", False, [("a", "b"), ("c", "d\nand e")]),
        ("Input: same\nOutput: same", False, []),
        ("Input: a\nOutput: b\nInput: a\nOutput: c\nInput: d\nOutput: e", False, [("d", "e")]),
        ("I cannot do that.", False, []),
        ("Class label: x\nInput: a\nClass label: y\nInput: a", True, []),
        ("Class label: x\nlong text\nof two lines", True, [("long text\nof two lines", "x")]),
        ("Class label:\nInput: a", True, []),
    ],
)
def test_cases_of_an_answer(text: str, labelled: bool, cases: list[tuple[str, str]]) -> None:
    assert cases_of(text, labelled=labelled) == cases


def test_numbered_lists_of_any_kind_are_read() -> None:
    assert items("Task 9: One thing.\nTask 10: Another\nthing.\n\n11、第三件事") == [
        "One thing.",
        "Another thing.",
        "第三件事",
    ]
    assert items("nothing numbered") == []


def test_bad_seeds_are_named(tmp_path: Path) -> None:
    assert len(read_seeds(write(tmp_path / "good.jsonl", SEEDS))) == len(SEEDS)
    with pytest.raises(UserError, match=r"bad\.jsonl:2: not a seed task"):
        read_seeds(write(tmp_path / "bad.jsonl", [SEEDS[0], {"instruction": "x"}]))
    with pytest.raises(UserError, match=r"few\.jsonl: 3 seed tasks are too few; give 8 or more, of both kinds"):
        read_seeds(write(tmp_path / "few.jsonl", SEEDS[:3]))


def test_the_published_seeds_are_read_whole(shared_data: Path) -> None:
    seeds = read_seeds(shared_data / "instruction" / "self-instruct" / "seed_tasks.jsonl")
    assert len(seeds) == 175
    assert sum(seed["is_classification"] for seed in seeds) == 26
    done = Round(0)
    Inventor(SelfInstruct(seeds=Path()), seeds).ask(done, Scripted(), random.Random(0))
    assert done.rows


def test_a_task_without_a_case_is_not_tried_again_after_a_kill() -> None:
    done = Round(
        0, [], [{"text": "Explain the wind to me.", "reason": NO_CASE}, {"text": "Hi.", "reason": "too short"}]
    )
    inventor = Inventor(SelfInstruct(seeds=Path()), SEEDS)
    inventor.learn(done)
    assert inventor.novelty.like("Explain the wind to me!") == (len(SEEDS), 1.0)
    assert inventor.novelty.like("Hi.") is None
