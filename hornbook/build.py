"""A recipe becomes a run: each stage reads the one before it, and is not run again while nothing has changed.

files -> corpus/ -> tokenizer/ -> shards/ -> checkpoints/ and model/ -> finetune/ -> evaluate.json -> report.html
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hornbook.console import Console, short, span
from hornbook.core import recipe as recipes
from hornbook.core.errors import UserError
from hornbook.core.files import read_json, write_json
from hornbook.core.run import Run, environment
from hornbook.corpus.stored import texts
from hornbook.corpus_made import make
from hornbook.data import shards, tokenize
from hornbook.jobs import has_pairs
from hornbook.settings import Recipe, load
from hornbook.size import choose
from hornbook.stages import train_stage
from hornbook.text.tokenizer import Tokenizer
from hornbook.text.tokenizer import load as load_tokenizer
from hornbook.train.parallel import is_first, processes_here, ranks

# Changing these between two sittings of a run does not change what it learns.
HARMLESS = (
    "processes",
    "threads",
    "validate_every",
    "validation_rows",
    "save_every",
    "keep",
    "sample_every",
    "prompts",
)


class Build:
    """One recipe in one run folder."""

    def __init__(self, source: str | Path, overrides: Sequence[str] = (), folder: Path | None = None) -> None:
        self.source, self.overrides = str(source), list(overrides)
        self.recipe: Recipe = load(source, overrides)
        self.run = Run(folder or Path("runs") / Path(source).with_suffix(""))
        if self.recipe.ladder is not None and self.run.recipe.exists():  # the size was chosen when the run began
            self.recipe = dataclasses.replace(self.recipe, model=load(self.run.recipe).model, ladder=None)
        self.console = Console(self._write_report)

    def everything(self) -> Path:
        """All stages in order; the path of the report."""
        with self.run.lock():
            self._prepare()
            self._train("pretrain")
            if self.recipe.finetune is not None:
                self._finetune()
            self._evaluate()
            return self._report()

    def train(self, stage: str) -> None:
        """One training stage and what it stands on; under torchrun every process comes here."""
        self.recipe.stage(stage)
        with ExitStack() as held:
            if is_first():
                held.enter_context(self.run.lock())
                self._prepare()
                if stage == "finetune":
                    self._train("pretrain")
            self._train(stage)
            if is_first():
                self._report()

    def corpus(self) -> None:
        """The documents only."""
        with self.run.lock():
            self._describe()
            self._corpus()

    def evaluate(self) -> None:
        """The scores of a run that is trained."""
        with self.run.lock():
            self._evaluate()
            self._report()

    def _prepare(self) -> None:
        self._describe()
        self._corpus()
        if self.recipe.tokenizer is not None:
            self._tokenizer()
            self._shards()

    def _describe(self) -> None:
        """Write what is about to run, unless this folder holds the training of something else."""
        self.recipe, said = choose(self.recipe)
        for line in said:
            self.console.note(line)
        text = recipes.to_yaml(self.recipe)
        if self.run.recipe.exists() and any(self.run.checkpoints.glob("step-*")):
            self._refuse_another(load(self.run.recipe))
        self.run.describe(text, environment())

    def _refuse_another(self, before: Recipe) -> None:
        was, now = dict(recipes.leaves(before)), dict(recipes.leaves(self.recipe))
        for key in sorted(was.keys() | now.keys()):
            if key.rpartition(".")[2] in HARMLESS or key.startswith(
                ("finetune", "instruct", "evaluate", "corpus.engine")
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
        if self._skip("corpus", key, self.run.corpus):
            return
        began = time.monotonic()
        ledger = make(config, self.run.corpus)
        train, held_out = (ledger.splits[name] for name in ("train", "validation"))
        self._finish("corpus", key, began)
        self.console.note(
            f"corpus     {train.documents:,} documents, {train.bytes / 1e6:.1f} MB to learn from; "
            f"{held_out.documents:,}, {held_out.bytes / 1e6:.2f} MB held out; "
            f"{ledger.documents_dropped:,} dropped, {ledger.bad:,} unreadable"
        )

    def _tokenizer(self) -> None:
        config = self.recipe.tokenizer
        assert config is not None
        key = digest(recipes.dump(config), read_json(self.run.corpus / "ledger.json")["fingerprint"])
        if self._skip("tokenizer", key, self.run.tokenizer):
            return
        began = time.monotonic()
        tokenizer = config.train(texts(self.run.corpus, "train"))
        if shortfall := config.shortfall(tokenizer):  # type: ignore[arg-type]  # each kind is asked of its own
            self.console.note(f"tokenizer  {shortfall}")
        tokenizer.save(self.run.tokenizer)
        self._finish("tokenizer", key, began)
        self.console.note(f"tokenizer  {tokenizer.vocab:,} tokens, {self._took('tokenizer')}")

    def _shards(self) -> None:
        tokenizer = self.load_tokenizer()
        key = digest(tokenizer.fingerprint, read_json(self.run.corpus / "ledger.json")["fingerprint"])
        if self._skip("shards", key, self.run.shards):
            return
        began = time.monotonic()
        written = tokenize.write(self.run.corpus, self.run.shards, tokenizer)
        self._finish("shards", key, began)
        train = written.train
        self.console.note(
            f"shards     {short(train.tokens)} tokens, {train.bytes / max(train.tokens, 1):.2f} bytes each"
        )

    def _train(self, stage: str) -> None:
        """Train a stage unless it is done; with several processes, the others are started here."""
        config, run = self.recipe.stage(stage), self.run if stage == "pretrain" else self.run.stage(stage)
        key = digest(recipes.dump(config), self._trained_on(stage))
        if is_first() and self._skip(stage, key, run.model):
            return
        command = ["train", self.source, *self.overrides, "--run", str(self.run.folder), "--stage", stage]
        with ranks(processes_here(config.processes), command) as joined:
            joined.wait()
            began = time.monotonic()
            train_stage(self.recipe, stage, self.run, self.console, joined)
            if joined.first:
                self._finish(stage, key, began)
                self.console.note(f"{stage:<10} {run.model}, {self._took(stage)}")

    def _finetune(self) -> None:
        """The instruction stage, where the text has anything to make instructions of."""
        if has_pairs(self.run):
            self._train("finetune")
        else:
            self.console.note("finetune   left out: the text holds no Python functions with docstrings to learn from")

    def _trained_on(self, stage: str) -> Any:
        if stage == "finetune":
            return self._stages().get("pretrain", {}).get("fingerprint")
        parts = (self.recipe.model, self.recipe.data, self.recipe.objective)
        sections = [self.recipe.seed, *map(recipes.dump, parts)]
        if self.recipe.tokenizer is None:
            return [*sections, read_json(self.run.corpus / "ledger.json")["fingerprint"]]
        return [*sections, shards.load(self.run.shards).manifest["splits"]["train"]["files"]]

    def _evaluate(self) -> None:
        stages = self._stages()
        if "pretrain" not in stages:
            raise UserError(f"{self.run.folder}: is not trained yet; run `hornbook build {self.source}` first")
        trained = [stages.get(name, {}).get("fingerprint") for name in ("pretrain", "finetune")]
        key = digest(recipes.dump(self.recipe.evaluate), trained)
        if self._skip("evaluate", key, self.run.evaluation):
            return
        from hornbook.scores import evaluate_run

        began = time.monotonic()
        evaluate_run(self.recipe, self.run, self.console)
        self._finish("evaluate", key, began)

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

    def _stages(self) -> dict[str, Any]:
        path = self.run.folder / "stages.json"
        return read_json(path) if path.exists() else {}

    def _skip(self, stage: str, key: str, output: Path) -> bool:
        done = self._stages().get(stage, {}).get("fingerprint") == key and output.exists()
        if done:
            self.console.note(f"{stage:<10} unchanged, {output}")
        return done

    def _finish(self, stage: str, key: str, began: float) -> None:
        entry = {"fingerprint": key, "seconds": round(time.monotonic() - began, 2)}
        write_json(self.run.folder / "stages.json", {**self._stages(), stage: entry})

    def _took(self, stage: str) -> str:
        return span(self._stages()[stage]["seconds"])


def digest(*parts: Any) -> str:
    """A hash of plain data."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def reopen(folder: Path) -> Build:
    """The build that made a run folder."""
    recipe = Run(folder).recipe
    if not recipe.exists():
        raise UserError(f"{folder}: is no run folder (it holds no recipe.yaml); name one that `hornbook build` made")
    return Build(recipe, (), folder)


def build(recipe: str, overrides: list[str], *, run: str | Path | None = None) -> Path:
    """Run every stage of a recipe; the path of the report."""
    return Build(recipe, overrides, Path(run) if run else None).everything()
