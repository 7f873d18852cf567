"""A folder of somebody's files becomes a run; nothing is done twice, and nothing that was learned is lost."""

import json
import random
from pathlib import Path

import pytest

from hornbook.build import Build
from hornbook.core.errors import UserError

WORDS = ["the", "a", "cat", "dog", "bird", "tree", "sees", "eats", "likes", "under", "over", "old", "and", "then"]
HAN = "春夏秋冬山水風雲花鳥月日人家天地一二三不有無來去上下中大小"

SMALL = [
    "tokenizer.vocab=320",
    "data.length=16",
    "corpus.steps.1.characters=10",
    "pretrain.steps=6",
    "pretrain.tokens_per_step=64",
    "pretrain.save_every=3",
    "pretrain.validate_every=3",
    "pretrain.validation_rows=2",
    "model.dim=16",
    "model.stack.layer.0.heads=2",
    "model.stack.layer.1.hidden=32",
    "corpus.validation=0.2",
]


def write_english(folder: Path, files: int = 30) -> None:
    draw = random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        sentences = [" ".join(draw.choices(WORDS, k=8)).capitalize() + "." for _ in range(6)]
        (folder / f"{number}.txt").write_text("\n".join(sentences))


def write_chinese(folder: Path, files: int = 30) -> None:
    draw = random.Random(1)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        lines = ["".join(draw.choices(HAN, k=10)) + "。" for _ in range(8)]
        (folder / f"{number}.txt").write_text("\n".join(lines), encoding="utf-8")


def make(folder: Path, source: Path, *more: str) -> Build:
    return Build("tiny/pretrain", [*SMALL, f"corpus.source={source}", *more], folder)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    place = tmp_path_factory.mktemp("built")
    write_english(place / "files")
    make(place / "run", place / "files").everything()
    return place


def test_a_run_holds_everything_it_promises(built):
    run = built / "run"
    for name in ("recipe.yaml", "environment.json", "metrics.jsonl", "evaluate.json", "report.html"):
        assert (run / name).stat().st_size > 0, name
    for name in ("config.json", "model.safetensors", "tokenizer.json", "generation_config.json"):
        assert (run / "model" / name).stat().st_size > 0, name
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in rows if "validation_loss" in row] == [0, 3, 6]


def test_the_model_loads_in_transformers_and_is_the_same(built):
    import torch
    import transformers

    import hornbook

    ours = hornbook.load(str(built / "run"))
    theirs = transformers.AutoModelForCausalLM.from_pretrained(built / "run" / "model")
    tokenizer = transformers.AutoTokenizer.from_pretrained(built / "run" / "model")
    text = "The old cat sees a bird."
    ids = ours.tokenizer.encode(text)
    assert tokenizer(text)["input_ids"] == ids
    with torch.no_grad():
        wanted = theirs(torch.tensor([ids])).logits
        found = ours.module(torch.tensor([ids])).logits
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


def test_running_again_does_nothing_again(built, capsys):
    before = {path: path.stat().st_mtime_ns for path in (built / "run").rglob("*.safetensors")}
    make(built / "run", built / "files").everything()
    assert {path: path.stat().st_mtime_ns for path in (built / "run").rglob("*.safetensors")} == before
    said = capsys.readouterr().out
    for stage in ("corpus", "tokenizer", "shards", "pretrain", "evaluate"):
        assert any(line.startswith(stage) and "unchanged" in line for line in said.splitlines()), stage


def test_another_recipe_in_the_same_folder_is_refused_by_name(built):
    with pytest.raises(UserError, match=r"was begun with pretrain.steps=6, now it is 9; choose another --run"):
        make(built / "run", built / "files", "pretrain.steps=9").everything()


def test_changed_files_are_seen(tmp_path):
    write_english(tmp_path / "files")
    first = make(tmp_path / "run", tmp_path / "files")
    first.corpus()
    was = json.loads((tmp_path / "run" / "corpus" / "ledger.json").read_text())["fingerprint"]
    (tmp_path / "files" / "0.txt").write_text("Something else stands here now, and it is long enough.")
    make(tmp_path / "run", tmp_path / "files").corpus()
    assert json.loads((tmp_path / "run" / "corpus" / "ledger.json").read_text())["fingerprint"] != was


def test_chinese_files_need_no_other_settings(tmp_path):
    import hornbook

    write_chinese(tmp_path / "files")
    make(tmp_path / "run", tmp_path / "files").everything()
    lm = hornbook.load(str(tmp_path / "run"))
    assert lm.tokenizer.decode(lm.tokenizer.encode("春風花月")) == "春風花月"
    assert len(lm.tokenizer.encode("春風花月")) < len("春風花月".encode())
    assert json.loads((tmp_path / "run" / "evaluate.json").read_text())["compression"]["bits_per_byte"] < 8


def test_two_processes_on_one_run_folder_are_refused(tmp_path):
    write_english(tmp_path / "files", 4)
    build = make(tmp_path / "run", tmp_path / "files")
    with build.run.lock(), pytest.raises(UserError, match=r"process \d+ is using this run"):
        make(tmp_path / "run", tmp_path / "files").everything()
