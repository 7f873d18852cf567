"""`hornbook synthesize RECIPE`: a method, a model that is asked, and a folder of instructions."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hornbook.core import recipe as recipes
from hornbook.core.errors import UserError
from hornbook.core.files import write_text
from hornbook.core.run import Run
from hornbook.corpus import synthetic
from hornbook.corpus.magpie import Magpie
from hornbook.corpus.self_instruct import SelfInstruct
from hornbook.corpus.synthetic import Aim, Model, Progress
from hornbook.generate.asked import Here, ModelFolder
from hornbook.generate.endpoint import Client, Endpoint


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """Instructions that a model makes up."""

    seed: int = 0
    rows: int = 1000
    """How many are wanted."""
    method: SelfInstruct | Magpie
    model: Endpoint | ModelFolder

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise ValueError(f"rows: {self.rows} are none; give 1 or more")


def synthesize(config: Synthesis, folder: Path, *, key: Path | None = None, progress: Progress | None = None) -> Any:
    """Fill a folder with instructions, or go on with one; the ledger."""
    with Run(folder).lock():
        _describe(config, folder)
        model: Any = _here(config.model) if isinstance(config.model, ModelFolder) else Client(config.model, _read(key))
        asked: Model = model
        aim = Aim(config.rows, config.seed)
        ledger = synthetic.run(config.method.build(), asked, folder, aim=aim, progress=progress)
        return {**ledger, "requests": dict(model.counts)} if isinstance(model, Client) else ledger


def _here(config: ModelFolder) -> Here:
    found = Here(config)
    found.require_chat()
    return found


def _read(key: Path | None) -> str | None:
    return key.read_text(encoding="utf-8").strip() if key else None


def _describe(config: Synthesis, folder: Path) -> None:
    """Write the recipe down, unless the folder holds the rows of another; more rows of the same are welcome."""
    path = folder / "recipe.yaml"
    if path.is_file() and (folder / synthetic.JOURNAL).is_file():
        before = recipes.load(Synthesis, path)
        if replace(before, rows=config.rows, model=config.model) != config:
            raise UserError(f"{folder}: holds instructions of another recipe; name another --out, or delete it")
    write_text(path, recipes.to_yaml(config))
