"""A model that is shown answers learns to give them, and carries its template along."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.adapt.freeze import Freeze
from hornbook.adapt.lora import Lora
from hornbook.core import recipe
from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus.document import Document
from hornbook.corpus.write import Writer
from hornbook.data.batches import IGNORE
from hornbook.data.inputs import Conversations
from hornbook.data.instruction import Instructions
from hornbook.data.split import Split
from hornbook.generate.language_model import LanguageModel
from hornbook.optim.adamw import AdamW
from hornbook.text.chat import Renderer
from hornbook.text.tokenizer import load as load_tokenizer
from hornbook.train.config import Train
from hornbook.tune.instruct import Functions, Instruct
from hornbook.tune.place import LeftOut
from tests.tune.doubles import place_at, trained

TRAIN = Train(steps=60, rows_per_step=4, optimizer=AdamW(lr=1e-2), validate_every=1000, save_every=1000)


def sums(path: Path, count: int = 64, **more: Any) -> Path:
    """Instructions that ask for a sum, half of them with an input."""
    pairs = [(number // 8, number % 8) for number in range(count)]
    rows = [
        {"instruction": f"How much is {a} + {b}?", "input": "in words" if a % 2 else "", "output": f"It is {a + b}."}
        for a, b in pairs
    ]
    path.write_text("".join(json.dumps({**row, **more}) + "\n" for row in rows), encoding="utf-8")
    return path


def stage(source: Path, **fields: Any) -> Instruct:
    data = Conversations(source=str(source), split=Split(train=0.8, validation=0.1))
    return Instruct(**{"data": data, "template": "chatml", "train": TRAIN, **fields})


def rows_of(place: Any, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in place.run.metrics.read_text().splitlines()]
    return [row for row in rows if kind in row]


@pytest.fixture(scope="module")
def tuned(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Instruct, Any, Path]:
    folder = tmp_path_factory.mktemp("tuned")
    told: list[str] = []
    instruct, place = stage(sums(folder / "rows.jsonl")), place_at(folder / "run", tiny_base, note=told.append)
    model = trained(instruct, place)
    assert len(told) == 1
    assert re.fullmatch(
        r"64 rows: 51 for train, 6 for validation, 7 for test; 51 conversations of [\d,]+ tokens, "
        r"\d+% of them trained, in \d+ rows of 128 \(\d+% full\); 0 longer than 128 tokens",
        told[0],
    )
    return instruct, place, model


def test_the_held_out_loss_falls(tuned: tuple[Instruct, Any, Path]) -> None:
    instruct, place, model = tuned
    before, after = [row["validation_loss"] for row in rows_of(place, "validation_loss")]
    assert after < before / 4
    found = instruct.score(place, model)["held_out_loss"]
    assert found["of"] == 7
    low, high = found["interval"]
    assert low <= found["value"] <= high < before


def test_the_model_answers_in_the_form_it_was_taught(tuned: tuple[Instruct, Any, Path]) -> None:
    model = LanguageModel.load(tuned[2])
    answer = model.chat([{"role": "user", "content": "How much is 2 + 2?"}], temperature=0.0)
    assert re.fullmatch(r"It is \d+\.", answer)


def test_the_template_is_carried_into_the_folder_and_transformers_reads_it(tuned: tuple[Instruct, Any, Path]) -> None:
    transformers = pytest.importorskip("transformers")
    model, theirs = LanguageModel.load(tuned[2]), transformers.AutoTokenizer.from_pretrained(tuned[2])
    talk = [{"role": "user", "content": "How much is 2 + 2?"}]
    options = {"add_generation_prompt": True, "return_dict": True}
    assert theirs.apply_chat_template(talk, **options)["input_ids"] == model.renderer.prompt(talk)
    config = json.loads((tuned[2] / "generation_config.json").read_text())
    assert config["eos_token_id"] == sorted(model.renderer.ends), "other programs stop there too"


def test_a_tuned_model_is_tuned_again_with_its_own_template(tuned: tuple[Instruct, Any, Path], tmp_path: Path) -> None:
    model = tuned[2]
    again = stage(sums(tmp_path / "rows.jsonl"), template=None, train=replace(TRAIN, steps=1))
    place = place_at(tmp_path / "run", model)
    trained(again, place)
    assert rows_of(place, "validation_loss")[0]["validation_loss"] < 1


@pytest.mark.parametrize(
    ("fields", "learning"),
    [
        ({"adapter": Lora(rank=4, targets=("query", "value"))}, {"down", "up"}),
        ({"freeze": Freeze(train=("last block",))}, {"stack.layers.1"}),
    ],
)
def test_a_part_of_the_model_may_learn(
    tiny_base: Path, tmp_path: Path, fields: dict[str, Any], learning: set[str]
) -> None:
    instruct, place = stage(sums(tmp_path / "rows.jsonl"), **fields), place_at(tmp_path / "run", tiny_base)
    names = [name for name, each in instruct.job(place).model.named_parameters() if each.requires_grad]
    assert names
    assert all(any(part in name for part in learning) for name in names), names
    model = trained(instruct, place)
    before, after = [row["validation_loss"] for row in rows_of(place, "validation_loss")]
    assert after < before - 0.5
    old, new = LanguageModel.load(tiny_base).module.state_dict(), LanguageModel.load(model).module.state_dict()
    assert old.keys() == new.keys(), "an adapter is folded in"
    assert torch.equal(old["embed.table.weight"], new["embed.table.weight"])


def test_noise_is_on_while_training_only(tiny_base: Path, tmp_path: Path) -> None:
    losses = {}
    for noise in (0.0, 15.0):
        instruct = stage(sums(tmp_path / "rows.jsonl"), noise=noise, train=replace(TRAIN, steps=1))
        place = place_at(tmp_path / f"run-{noise}", tiny_base)
        trained(instruct, place)
        losses[noise] = [rows_of(place, kind)[0][kind] for kind in ("loss", "validation_loss")]
    assert losses[0.0][0] != pytest.approx(losses[15.0][0], abs=1e-4)
    assert losses[0.0][1] == losses[15.0][1]


def test_without_packing_a_step_has_so_many_conversations(tiny_base: Path, tmp_path: Path) -> None:
    """The book's chapter 7: batches of 8."""
    source = stage(sums(tmp_path / "rows.jsonl"), packed=False).job(place_at(tmp_path / "run", tiny_base)).source
    assert source.rows_per_epoch == 51
    assert len({name for row in source.documents(0, 8) for name in row}) == 8


def test_long_rows_are_cut_or_dropped_and_counted(tiny_base: Path, tmp_path: Path) -> None:
    path = sums(tmp_path / "rows.jsonl", count=20)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"instruction": "Go on.", "output": "and on " * 90}) + "\n")
    told: list[str] = []
    for long in ("drop", "cut"):
        place = place_at(tmp_path / long, tiny_base, note=told.append)
        stage(path, long=long, data=Conversations(source=str(path), split=Split(train=1.0, validation=0.0))).job(place)
    assert [line.partition("full); ")[2] for line in told] == [
        "1 longer than 128 tokens, left out",
        "1 longer than 128 tokens were cut",
    ]


def function(number: int) -> str:
    return f'def f{number}(x):\n    """Add {number}."""\n    return x + {number}\n\n\n'


def corpus(folder: Path, text: str) -> Path:
    (folder / "corpus").mkdir()
    for side, numbers in (("train", range(9)), ("validation", range(9, 12))):
        writer = Writer(folder / "corpus", side)
        for number in numbers:
            writer.write(Document(f"{number}.py", text or function(number) + function(number + 50), "files"))
        writer.close()
    return folder / "corpus"


def test_functions_of_the_corpus_are_conversations_too(tiny_base: Path, tmp_path: Path) -> None:
    instruct = stage(tmp_path, data=Functions())
    place = place_at(tmp_path / "run", tiny_base, corpus=corpus(tmp_path, ""))
    job = instruct.job(place)
    names = {name for row in job.source.documents(0, job.source.rows_per_epoch) for name in row}
    held_out = {name for row in job.validation.documents(0, job.validation.rows_per_epoch) for name in row}
    assert (names, held_out) == ({f"{n}.py" for n in range(9)}, {f"{n}.py" for n in range(9, 12)})
    assert len(job.source.rows) == 18
    assert instruct.files(place) == []


def test_a_corpus_without_functions_leaves_the_stage_out(tiny_base: Path, tmp_path: Path) -> None:
    place = place_at(tmp_path / "run", tiny_base, corpus=corpus(tmp_path, "No Python here, only a line of prose.\n"))
    with pytest.raises(LeftOut, match="no Python functions"):
        stage(tmp_path, data=Functions()).job(place)
    with pytest.raises(RecipeError, match="data: functions come from the corpus of a recipe that begins with files"):
        stage(tmp_path, data=Functions()).job(place_at(tmp_path / "run", tiny_base))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"instruction": "Hi", "output": ""}, "rows.jsonl:65: output is empty"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "rows.jsonl:65: nobody answers in this conversation"),
        ({"messages": [{"role": "narrator", "content": "Hi"}]}, "rows.jsonl:65: message 1: role 'narrator' is not one"),
    ],
)
def test_a_bad_row_is_named(tiny_base: Path, tmp_path: Path, row: dict[str, Any], sentence: str) -> None:
    path = sums(tmp_path / "rows.jsonl")
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    with pytest.raises(UserError) as refusal:
        stage(path).job(place_at(tmp_path / "run", tiny_base))
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_template_that_trains_no_stop_token_is_refused_before_a_step(tiny_base: Path, tmp_path: Path) -> None:
    endless = tmp_path / "endless.jinja"
    endless.write_text("{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}")
    with pytest.raises(UserError, match="a model would never learn to stop"):
        stage(sums(tmp_path / "rows.jsonl"), template=str(endless)).job(place_at(tmp_path / "run", tiny_base))


def test_values_that_cannot_be_are_one_sentence(tiny_base: Path, tmp_path: Path) -> None:
    source = sums(tmp_path / "rows.jsonl")
    with pytest.raises(RecipeError, match="noise: -1 is below 0"):
        stage(source, noise=-1)
    ramp = {"start": 32, "until": 0.5}
    with pytest.raises(RecipeError, match=r"train.lengths: cuts running text"):
        recipe.parse(Instruct, {"data": {"source": "x"}, "train": {"steps": 1, "lengths": ramp}})
    with pytest.raises(RecipeError, match="length: 4096 is more than the 128 tokens that the model reads"):
        stage(source, length=4096).job(place_at(tmp_path / "run", tiny_base))


def book(source: Path) -> Instruct:
    """Raschka 2024, chapter 7: 85, 5 and 10 %, its template, two epochs in batches of 8."""
    data = Conversations(source=str(source), split=Split(train=0.85, validation=0.05))
    train = Train(epochs=2, rows_per_step=8, optimizer=AdamW(lr=5e-5, weight_decay=0.1), validate_every=5)
    return Instruct(data=data, template="book", packed=False, train=train)


def check_book(source: Any, end: int) -> None:
    for first in range(0, 935, 85):
        for row in source.batch(first, 85).labels:
            assert int((row == end).sum()) == 1, "of the end tokens only the first is a label"
            assert int(row[row != IGNORE][-1]) == end


def test_the_books_split_and_labels_on_made_up_rows(tiny_base: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"instruction": f"Say {n}.", "input": "", "output": f"{n}!"} for n in range(1100)]))
    instruct = replace(book(path), template="plain")  # the book's does not fit the tiny base
    parts = instruct.data.build()
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [935, 55, 110]
    job = instruct.job(place_at(tmp_path / "run", tiny_base))
    assert len(job.source.rows) == 935
    check_book(job.source, LanguageModel.load(tiny_base).tokenizer.end)


def test_the_books_split_and_labels(shared_data: Path) -> None:
    """What its InstructionDataset and custom_collate_fn make of the same rows, listings 7.4 and 7.5."""
    parts = book(shared_data / "instruction/rasbt/instruction-data.json").data.build()
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [935, 55, 110]
    tokenizer = load_tokenizer(shared_data / "tokenizers/gpt2")
    renderer = Renderer(tokenizer, "book")
    whole = Instructions(length=1024, trained="everything").build(parts.train, renderer, seed=None)
    assert (len(whole.rows), whole.long.rows, tokenizer.end) == (935, 0, 50256)
    for row, example in zip(parts.train, whole.rows, strict=True):
        question, answer = row["messages"]
        text = f"Below is an instruction that describes a task. {WRITE}\n\n### Instruction:\n{question['content']}"
        text += f"\n\n### Input:\n{question['input']}" if "input" in question else ""
        ids = [*tokenizer.encode(text + f"\n\n### Response:\n{answer['content']}"), 50256]
        assert (example.inputs.tolist(), example.labels.tolist()) == (ids[:-1], ids[1:])
    check_book(Instructions(length=1024, packed=False).build(parts.train, renderer, seed=0), 50256)


WRITE = "Write a response that appropriately completes the request."
