"""A stage trained as a recipe's is, without a recipe."""

from pathlib import Path

from hornbook.core.run import Run
from hornbook.exchange import folder as exchange
from hornbook.generate.language_model import LanguageModel
from hornbook.train.loop import Trainer
from hornbook.tune.place import Place, Trains
from tests.train.doubles import Ears


def place_at(folder: Path, base: Path, **fields: object) -> Place:
    """A place for a stage with its own folder under `folder`."""
    return Place(Run(folder), base, **fields)  # type: ignore[arg-type]


def trained(stage: Trains, place: Place) -> Path:
    """Train a stage to the end and save its model; the model's folder."""
    job = stage.job(place)
    Trainer(stage.train, job, place.run, listener=Ears(), ranks=place.ranks).fit()
    if job.save is not None:
        job.save(place.run.model)
    else:
        before = LanguageModel.load(place.base)
        exchange.save(job.model, place.run.model, tokenizer=before.tokenizer)  # type: ignore[arg-type]
    return place.run.model
