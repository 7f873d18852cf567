"""`hornbook scale`: a ladder of small models of one recipe, the law fitted to them, and what it says of a larger one.

    FOLDER/base/    corpus, tokenizer and shards, made once
    FOLDER/rungs/   a run folder a model, named by its parameters and tokens
    FOLDER/ladder.jsonl, fit.json, predictions.jsonl, index.html

Every size is trained for every number of tokens from the beginning, with the recipe's whole schedule: a loss in the
middle of a schedule says nothing about a run that ends there (Hoffmann et al. 2022, section 2).
"""

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.build import Build
from hornbook.console import Console, short, span
from hornbook.core import recipe as recipes
from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.core.run import Log, Row, Run
from hornbook.data import shards
from hornbook.jobs import pretraining
from hornbook.journal import digest
from hornbook.model.cost import cost
from hornbook.model.models import Model
from hornbook.plan.fit import NAMES, Fit, Trained, fit
from hornbook.plan.resize import carry, layers_of, resize
from hornbook.predicted import fingerprint
from hornbook.settings import Recipe
from hornbook.stages import Stage, train_stage
from hornbook.tasks import row_tokens, with_vocab
from hornbook.train.config import Train
from hornbook.train.parallel import ranks

LEAST_EACH = 3  # sizes, and numbers of tokens
LEAST_STEPS = 20  # of a run whose end says anything
HELD_OUT_TOKENS = 32_768  # at least so many are looked at, at the end: a loss to three digits
NEVER = 1_000_000_000  # steps


@dataclass(frozen=True)
class Rung:
    """One model to train."""

    model: Model
    tokens: int

    @property
    def parameters(self) -> int:
        return cost(self.model).parameters

    @property
    def name(self) -> str:
        return f"{short(self.parameters)}-{short(self.tokens)}"


class Scaling:
    """The ladder of one recipe in one folder."""

    def __init__(self, source: str, overrides: Sequence[str], folder: Path) -> None:
        self.folder, self.console = folder, Console()
        self.build = Build(source, overrides, folder / "base")
        self.recipe: Recipe = dataclasses.replace(self.build.recipe, ladder=None, stages={})
        self.ladder, self.predictions = Log(folder / "ladder.jsonl"), Log(folder / "predictions.jsonl")

    def climb(self, sizes: Sequence[float], tokens: Sequence[float]) -> Fit:
        """Train what is not trained yet, fit the law, write both."""
        with Run(self.folder).lock():
            self.build.tokens()
            rungs = [self.rung(size, read) for size in sizes for read in tokens]
            self._check(rungs)
            runs = [trained(self.train(rung)) for rung in rungs]
            try:
                found = fit(runs)
            except ValueError as error:
                raise UserError(f"{self.folder}: {error}") from error
            write_json(self.folder / "fit.json", {**said(found), "fingerprint": fingerprint(self.recipe)})
        return found

    def _check(self, rungs: Sequence[Rung]) -> None:
        """Two losses lie on many curves: a power law above an unknown floor wants three points in each direction."""
        for name, found in (
            ("sizes", {rung.parameters for rung in rungs}),
            ("tokens", {rung.tokens for rung in rungs}),
        ):
            if len(found) < LEAST_EACH:
                raise UserError(
                    f"{name}: {len(found)} different ones cannot tell a power from its floor; give {LEAST_EACH} or more"
                )

    def rung(self, parameters: float, tokens: float) -> Rung:
        """The recipe's design at a size (and its real number of parameters), for so many tokens."""
        tokenizer = self.build.load_tokenizer()
        model = resize(with_vocab(self.recipe.model, tokenizer.vocab), parameters)
        steps = round(tokens / self.recipe.pretrain.tokens_per_step)
        if steps < LEAST_STEPS:
            least = LEAST_STEPS * self.recipe.pretrain.tokens_per_step
            raise UserError(f"tokens: {tokens:,.0f} are {steps} steps of this recipe; give {least:,} or more")
        return Rung(model, steps * self.recipe.pretrain.tokens_per_step)

    def train(self, rung: Rung) -> Row:
        """The row of a trained rung: the one on file, or a new one; a killed training goes on where it was."""
        recipe, how = self.recipe_of(rung)
        key = digest(recipes.dump(recipe.model), recipes.dump(recipe.pretrain), fingerprint(recipe))
        done = [row for row in self.ladder.rows() if row["key"] == key]
        if done:
            self.console.note(f"{rung.name:<12} unchanged, held-out loss {done[0]['loss']:.4f}")
            return done[0]
        self.console.note(
            f"{rung.name:<12} dim {rung.model.dim}, {layers_of(rung.model)} layers, {rung.parameters:,} parameters, "
            f"{rung.tokens:,} tokens; rate {how}"
        )
        began = time.process_time()
        row = self._measured(recipe, self._home(rung), rung)
        row |= {"processor_seconds": round(time.process_time() - began, 1), "key": key}
        self.ladder.append(row)
        return row

    def recipe_of(self, rung: Rung) -> tuple[Recipe, str]:
        """The recipe that trains a rung, and how its rate was carried over."""
        optimizer, how = carry(self.recipe.pretrain.optimizer, self.recipe.model.dim, rung.model.dim)
        quiet: dict[str, Any] = {"sample_every": 0, "evaluate_every": 0, "questions": None, "validate_every": NEVER}
        length: dict[str, Any] = {"tokens": rung.tokens, "steps": None, "epochs": None, "budget": None, "processes": 1}
        looked_at = max(self.recipe.pretrain.validation_rows, HELD_OUT_TOKENS // row_tokens(self.recipe.data))
        config: Train = dataclasses.replace(
            self.recipe.pretrain, optimizer=optimizer, validation_rows=looked_at, **quiet, **length
        )
        return dataclasses.replace(self.recipe, model=rung.model, pretrain=config), how

    def _home(self, rung: Rung) -> Run:
        """A run folder that reads the base's corpus, tokenizer and shards."""
        home, base = Run(self.folder / "rungs" / rung.name), self.build.run
        home.corpus, home.tokenizer, home.shards = base.corpus, base.tokenizer, base.shards
        return home

    def _measured(self, recipe: Recipe, home: Run, rung: Rung) -> Row:
        tokenizer = self.build.load_tokenizer()
        with home.lock(), ranks(1, []) as alone:
            stage = Stage("pretrain", recipe.pretrain, lambda: pretraining(recipe, home, tokenizer), home)
            train_stage(stage, self.console, alone)
        looked = [row for row in Log(home.metrics).rows() if "validation_loss" in row]
        if not looked:
            raise UserError(f"{self.build.run.corpus}: has no held-out row; raise corpus.validation, or give more text")
        row: Row = {"parameters": rung.parameters, "tokens": rung.tokens, "loss": looked[-1]["validation_loss"]}
        row |= {"dim": rung.model.dim, "layers": layers_of(rung.model), "seconds": looked[-1]["seconds"]}
        repeats = rung.tokens / max(shards.load(home.shards).train.tokens, 1)
        return row | {"passes": round(repeats, 3)}

    def predict(self, found: Fit, rung: Rung) -> Row:
        """What the law says of a larger run; written down before it is trained."""
        loss, (low, high) = found.predict(rung.parameters, rung.tokens)
        row: Row = {"parameters": rung.parameters, "tokens": rung.tokens, "loss": loss, "interval": [low, high]}
        self.predictions.append(row)
        return row

    def check(self, found: Fit, rung: Rung) -> Row:
        """Train the predicted run; how wrong the law was, as a share of the loss."""
        with Run(self.folder).lock():
            promised, measured = self.predict(found, rung), self.train(rung)
            row = {**promised, "measured": measured["loss"], "error": promised["loss"] / measured["loss"] - 1}
            self.predictions.append(row)
        return row


def trained(row: Row) -> Trained:
    """A row of the ladder as a point of the law."""
    return Trained(row["parameters"], row["tokens"], row["loss"])


def said(found: Fit) -> dict[str, Any]:
    """A fit as JSON: the law, its 95 % intervals, how well it holds the runs it was made of."""
    intervals = {name: found.interval(name) for name in NAMES}
    law = {**dataclasses.asdict(found.law), "size_exponent": found.law.size_exponent}
    draws = [dataclasses.asdict(draw) for draw in found.draws]
    runs = [dataclasses.asdict(run) for run in found.runs]
    return {"law": law, "intervals": intervals, "worst": found.worst(), "runs": runs, "draws": draws}


def in_words(row: Row) -> str:
    """A prediction, and what came of it, in a sentence."""
    low, high = row["interval"]
    text = (
        f"{short(row['parameters'])} parameters after {short(row['tokens'])} tokens: {row['loss']:.3f} nats per token"
    )
    text += f" predicted ({low:.3f} to {high:.3f})"
    if "measured" in row:
        text += f", {row['measured']:.3f} measured: wrong by {row['error']:+.1%}"
    return text


def pace(rows: Sequence[Row]) -> str:
    """What the ladder took."""
    return f"{len(rows)} runs, {span(sum(row['processor_seconds'] for row in rows))} of the processor"
