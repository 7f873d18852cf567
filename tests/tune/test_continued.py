"""A model goes on with a new text: it learns that, and replay keeps the old; it goes on the same after a kill."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hornbook.adapt.freeze import Freeze
from hornbook.adapt.lora import Lora
from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus.mixture import Epochs, Shares
from hornbook.corpus.pipeline import Corpus
from hornbook.generate.language_model import LanguageModel
from hornbook.optim.adamw import AdamW
from hornbook.optim.schedule import Cosine
from hornbook.train.config import Train
from hornbook.train.loop import Trainer
from hornbook.tune.continued import Continue
from tests.train.doubles import Ears
from tests.tune.doubles import place_at, trained
from tests.tune.made_up_text import write

TRAIN = Train(
    steps=70, tokens_per_step=512, optimizer=AdamW(lr=1e-2), schedule=Cosine(), validate_every=1000, save_every=7
)


def stage(folder: Path, shares: dict[str, float], **fields: object) -> Continue:
    mixture = Epochs(epochs=shares)
    corpus = Corpus(source=dict(write(folder)), steps=(), mixture=mixture, validation=0.2)
    return Continue(**{"corpus": corpus, "length": 64, "train": TRAIN, **fields})


@pytest.fixture(scope="module")
def shore(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has read of the shore and nothing else."""
    folder = tmp_path_factory.mktemp("shore")
    return trained(stage(folder / "files", {"shore": 1, "mine": 1e-9}), place_at(folder / "run", tiny_base))


def bits(scores: dict, source: str, when: str) -> float:
    return scores[f"bits per byte of {source}, {when}"]["value"]


def test_replay_keeps_the_old_text(shore: Path, tmp_path: Path) -> None:
    found = {}
    for name, share in (("alone", 1e-9), ("replayed", 0.25)):
        goes_on = stage(tmp_path / "files", {"shore": share, "mine": 1.0})
        place = place_at(tmp_path / name, shore)
        found[name] = goes_on.score(place, trained(goes_on, place))
    for scores in found.values():
        assert bits(scores, "mine", "after") < bits(scores, "mine", "before") - 1
        assert bits(scores, "shore", "before") < 1
    lost = {name: bits(scores, "shore", "after") - bits(scores, "shore", "before") for name, scores in found.items()}
    assert lost["alone"] > 2
    assert lost["replayed"] < lost["alone"] / 5
    entry = found["alone"]["bits per byte of mine, after"]
    low, high = entry["interval"]
    assert low <= entry["value"] <= high
    assert entry["of"] > 5


def test_a_run_that_was_broken_off_ends_the_same(shore: Path, tmp_path: Path) -> None:
    goes_on = stage(tmp_path / "files", {"shore": 0.1, "mine": 1.0})
    whole = trained(replace(goes_on, train=replace(TRAIN, steps=10)), place_at(tmp_path / "whole", shore))
    place = place_at(tmp_path / "broken", shore)
    job = goes_on.job(place)
    trainer = Trainer(replace(TRAIN, steps=10), job, place.run, listener=Ears(), ranks=place.ranks)
    fetch, rows = job.source.batch, []

    def breaks(first: int, count: int):
        rows.append(first)
        if len(rows) > 9:
            raise KeyboardInterrupt
        return fetch(first, count)

    job.source.batch = breaks
    with pytest.raises(KeyboardInterrupt):
        trainer.fit()
    again = trained(replace(goes_on, train=replace(TRAIN, steps=10)), place)
    first, second = (LanguageModel.load(path).module.state_dict() for path in (whole, again))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("how", [{"adapter": Lora(rank=4)}, {"freeze": Freeze(train=("last block",))}])
def test_an_adapter_or_a_part_of_the_weights_may_learn(shore: Path, tmp_path: Path, how: dict) -> None:
    goes_on = stage(tmp_path / "files", {"shore": 1e-9, "mine": 1.0}, **how, train=replace(TRAIN, steps=4))
    model = LanguageModel.load(trained(goes_on, place_at(tmp_path / "run", shore))).module.state_dict()
    before = LanguageModel.load(shore).module.state_dict()
    assert model.keys() == before.keys()
    changed = {name for name in model if not torch.equal(model[name], before[name])}
    assert changed
    assert "embed.table.weight" not in changed
    if "freeze" in how:
        assert all(".layers.1." in name for name in changed)


def test_both_at_once_and_models_that_do_not_go_on_are_refused(shore: Path, tmp_path: Path) -> None:
    both = stage(tmp_path / "files", {"shore": 1, "mine": 1}, adapter=Lora(), freeze=Freeze(train=("head",)))
    with pytest.raises(RecipeError, match="adapter, freeze: an adapter leaves all weights"):
        both.job(place_at(tmp_path / "run", shore))
    from hornbook.model.both_ways import look_both_ways

    lm = LanguageModel.load(shore)
    look_both_ways(lm.module)
    lm.save(tmp_path / "sees")
    plain = stage(tmp_path / "files", {"shore": 1, "mine": 1})
    with pytest.raises(UserError, match="does not go on with a text"):
        plain.job(place_at(tmp_path / "run", tmp_path / "sees"))


def test_the_schedule_of_a_recipe_that_says_nothing_is_the_papers() -> None:
    """Re-warmed for 1 % of the run, then half a cosine to a tenth (Ibrahim et al. 2024, section 6)."""
    usual = Train(steps=1000).schedule
    assert (usual.multiplier(0.005), usual.multiplier(0.01)) == (0.5, 1.0)
    assert usual.multiplier(1.0) == pytest.approx(0.1)
    assert Shares(shares={"new": 95, "old": 5}).passes({"new": 950, "old": 5000})["new"] == 1.0
