"""A recipe becomes a run: each stage reads the one before it, and is not run again while nothing has changed.

files -> corpus/ -> tokenizer/ -> shards/ -> checkpoints/ and model/ -> a folder a stage -> evaluate.json -> report.html
"""

import dataclasses
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hornbook.console import Console, short
from hornbook.core import recipe as recipes
from hornbook.core.errors import RecipeError, UserError
from hornbook.core.files import read_json
from hornbook.core.run import Run, environment
from hornbook.corpus.stored import texts
from hornbook.corpus_made import make
from hornbook.data import shards, tokenize
from hornbook.jobs import left_out, pretraining
from hornbook.journal import Journal, digest
from hornbook.predicted import foretell, hold
from hornbook.settings import Recipe, Tuning, load, open_recipe
from hornbook.size import choose
from hornbook.stages import Stage, train_stage
from hornbook.text.tokenizer import Tokenizer
from hornbook.text.tokenizer import load as load_tokenizer
from hornbook.train.parallel import Ranks, is_first, processes_here, ranks
from hornbook.tuning import HARMLESS, Stages


class Build:
    """One recipe in one run folder."""

    def __init__(self, source: str | Path, overrides: Sequence[str] = (), folder: Path | None = None) -> None:
        self.source, self.overrides = str(source), list(overrides)
        self.whole: Recipe | Tuning = open_recipe(source, overrides)
        self.run = Run(folder or Path("runs") / Path(source).with_suffix(""))
        if isinstance(self.whole, Recipe) and self.whole.ladder is not None and self.run.recipe.exists():
            self.whole = dataclasses.replace(self.whole, model=load(self.run.recipe).model, ladder=None)  # chosen then
        self.console = Console(self._write_report)
        self.journal = Journal(self.run, self.console.note)

    @property
    def recipe(self) -> Recipe:
        """The recipe, where it begins with files."""
        if isinstance(self.whole, Tuning):
            raise RecipeError(f"{self.source}: begins with a finished model and has no such stage")
        return self.whole

    @property
    def stages(self) -> Stages:
        """What follows the base model."""
        command = ["train", self.source, *self.overrides, "--run", str(self.run.folder)]
        return Stages(self.whole, self.run, self.journal, self.console, command)

    def everything(self) -> Path:
        """All stages in order; the path of the report."""
        with self.run.lock():
            self._base()
            self.stages.all()
            self._evaluate()
            return self._report()

    def train(self, stage: str) -> None:
        """One training stage and what it stands on; under torchrun every process comes here."""
        self._check(stage)
        with ExitStack() as held:
            if is_first():
                held.enter_context(self.run.lock())
                self._base(trained=stage != "pretrain")
            if stage == "pretrain":
                self._pretrain()
            elif is_first():
                self.stages.up_to(stage)
            else:
                self.stages.one(stage)
            if is_first():
                self._report()

    def corpus(self) -> None:
        """The documents only."""
        with self.run.lock():
            self._describe()
            self._corpus()

    def tokens(self) -> None:
        """All that comes before training."""
        with self.run.lock():
            self._base(trained=False)

    def evaluate(self) -> None:
        """The scores of a run that is trained."""
        with self.run.lock():
            self._evaluate()
            self._report()

    def _check(self, stage: str) -> None:
        there = [*(["pretrain"] if isinstance(self.whole, Recipe) else []), *self.whole.stages]
        if stage not in there:
            raise RecipeError(f"stage: this recipe has no {stage!r}; it has {' and '.join(there)}")

    def _base(self, *, trained: bool = True) -> None:
        """What the stages start from: made here, or somebody's."""
        self._describe()
        if isinstance(self.whole, Tuning):
            return
        self._corpus()
        if self.recipe.tokenizer is not None:
            self._tokenizer()
            self._shards()
        if trained:
            self._pretrain()

    def _describe(self) -> None:
        """Write what is about to run, unless this folder holds the training of something else."""
        if isinstance(self.whole, Recipe):
            self.whole, said = choose(self.whole)
            for line in said:
                self.console.note(line)
        if self.run.recipe.exists() and any(self.run.checkpoints.glob("step-*")):
            self._refuse_another(open_recipe(self.run.recipe))
        self.run.describe(recipes.to_yaml(self.whole), environment())

    def _refuse_another(self, before: Recipe | Tuning) -> None:
        was, now = dict(recipes.leaves(before)), dict(recipes.leaves(self.whole))
        for key in sorted(was.keys() | now.keys()):
            if key.rpartition(".")[2] in HARMLESS or key.startswith(
                ("stages", "evaluate", "corpus.engine", "pretrain.mesh")
            ):
                continue
            if was.get(key) != now.get(key):
                raise UserError(
                    f"{self.run.folder}: was begun with {key}={was.get(key)}, now it is {now.get(key)}; "
                    "choose another --run, or delete this one"
                )

    def _corpus(self) -> None:
        config = self.recipe.corpus
        said = {name: value for name, value in recipes.dump(config).items() if name != "engine"}  # changes nothing
        key = digest(said, config.fingerprint())
        if self.journal.done("corpus", key, self.run.corpus):
            return
        began = time.monotonic()
        ledger = make(config, self.run.corpus)
        train, held_out = (ledger.splits[name] for name in ("train", "validation"))
        self.journal.finish("corpus", key, began)
        self.console.note(
            f"corpus     {train.documents:,} documents, {train.bytes / 1e6:.1f} MB to learn from; "
            f"{held_out.documents:,}, {held_out.bytes / 1e6:.2f} MB held out; "
            f"{ledger.documents_dropped:,} dropped, {ledger.bad:,} unreadable"
        )

    def _tokenizer(self) -> None:
        config = self.recipe.tokenizer
        assert config is not None
        key = digest(recipes.dump(config), read_json(self.run.corpus / "ledger.json")["fingerprint"])
        if self.journal.done("tokenizer", key, self.run.tokenizer):
            return
        began = time.monotonic()
        tokenizer = config.train(texts(self.run.corpus, "train"))
        if shortfall := config.shortfall(tokenizer):  # type: ignore[arg-type]  # each kind is asked of its own
            self.console.note(f"tokenizer  {shortfall}")
        tokenizer.save(self.run.tokenizer)
        self.console.note(f"tokenizer  {tokenizer.vocab:,} tokens, {self.journal.finish('tokenizer', key, began)}")

    def _shards(self) -> None:
        tokenizer = self.load_tokenizer()
        key = digest(tokenizer.fingerprint, read_json(self.run.corpus / "ledger.json")["fingerprint"])
        if self.journal.done("shards", key, self.run.shards):
            return
        began = time.monotonic()
        written = tokenize.write(self.run.corpus, self.run.shards, tokenizer)
        self.journal.finish("shards", key, began)
        train = written.train
        self.console.note(
            f"shards     {short(train.tokens)} tokens, {train.bytes / max(train.tokens, 1):.2f} bytes each"
        )

    def _pretrain(self) -> None:
        """Train the base unless it is done; the others are started here, or by torchrun, and wait for the first one."""
        config, run = self.recipe.pretrain, self.run
        key = self._pretraining_key() if is_first() else ""
        done = is_first() and self.journal.done("pretrain", key, run.model)
        if done and "RANK" not in os.environ:
            return
        command = [*self.stages.command, "--stage", "pretrain"]
        foretold = foretell(self.recipe, run) if is_first() and not done else None
        with ranks(processes_here(config.processes), command) as joined:
            if joined.sum(float(done))[0]:
                return
            began = time.monotonic()
            self._train(joined)
            if joined.first:
                took = self.journal.finish("pretrain", key, began, keeps="language model")
                self.console.note(f"pretrain   {run.model}, {took}")
                if foretold is not None:
                    hold(foretold, run)

    def _pretraining_key(self) -> str:
        return digest(recipes.dump(self.recipe.pretrain), self._trained_on())

    def _train(self, joined: Ranks) -> None:
        tokenizer = None if self.recipe.tokenizer is None else self.load_tokenizer()
        job = lambda: pretraining(self.recipe, self.run, tokenizer)  # noqa: E731
        train_stage(Stage("pretrain", self.recipe.pretrain, job, self.run, left_out), self.console, joined)

    def _trained_on(self) -> Any:
        parts = (self.recipe.model, self.recipe.data, self.recipe.objective)
        sections = [self.recipe.seed, *map(recipes.dump, parts)]
        if self.recipe.tokenizer is None:
            return [*sections, read_json(self.run.corpus / "ledger.json")["fingerprint"]]
        return [*sections, shards.load(self.run.shards).manifest["splits"]["train"]["files"]]

    def _evaluate(self) -> None:
        if isinstance(self.whole, Tuning):
            return  # its stages have scored themselves
        trained = [self.journal.fingerprint(name) for name in ("pretrain", *self.whole.stages)]
        if trained[0] is None:
            raise UserError(f"{self.run.folder}: is not trained yet; run `hornbook build {self.source}` first")
        key = digest(recipes.dump(self.recipe.evaluate), trained)
        if self.journal.done("evaluate", key, self.run.evaluation):
            return
        from hornbook.scores import evaluate_run

        began = time.monotonic()
        evaluate_run(self.recipe, self.run, self.console)
        self.journal.finish("evaluate", key, began)

    def _report(self) -> Path:
        path = self._write_report()
        self.console.note(f"report     {path}")
        return path

    def _write_report(self) -> Path:
        from hornbook.report import write_report

        return write_report(self.run.folder)

    def load_tokenizer(self) -> Tokenizer:
        """The run's tokenizer."""
        return load_tokenizer(self.run.tokenizer)


def reopen(folder: Path) -> Build:
    """The build that made a run folder."""
    recipe = Run(folder).recipe
    if not recipe.exists():
        raise UserError(f"{folder}: is no run folder (it holds no recipe.yaml); name one that `hornbook build` made")
    return Build(recipe, (), folder)


def build(recipe: str, overrides: list[str], *, run: str | Path | None = None) -> Path:
    """Run every stage of a recipe; the path of the report."""
    return Build(recipe, overrides, Path(run) if run else None).everything()
