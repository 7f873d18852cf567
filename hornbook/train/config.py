"""What a recipe may say about a training stage."""

from dataclasses import dataclass, field
from typing import Literal

from hornbook.core.errors import RecipeError
from hornbook.optim.adamw import AdamW
from hornbook.optim.galore import Galore
from hornbook.optim.muon import Muon
from hornbook.optim.schedule import BatchRamp, Cosine, Schedule
from hornbook.train.guard import Guard
from hornbook.train.horizon import seconds
from hornbook.train.mesh import Mesh


@dataclass(frozen=True, kw_only=True)
class LengthRamp:
    """Rows are cut into shorter ones at first: attention costs less and more documents meet in a step.

    Li et al. 2022, "The Stability-Efficiency Dilemma" (sequence length warm-up); here in one step, not many.
    """

    start: int  # tokens of a row at first; must divide the full length
    until: float  # share of the run after which rows are whole

    def __post_init__(self) -> None:
        if self.start < 1:
            raise RecipeError(f"start: {self.start} is no length; give tokens, such as 128")
        if not 0 < self.until <= 1:
            raise RecipeError(f"until: {self.until} is not a share of the run; give a number above 0, up to 1")

    def length(self, progress: float, full: int) -> int:
        """Tokens of a row at this point of the run."""
        return self.start if progress < self.until else full


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What a model is asked while it learns."""

    tasks: tuple[str, ...]  # benchmarks: arc_easy, my/task.yaml
    data: str = "benchmarks-data"  # the folder that holds their files
    limit: int = 100  # questions of each task or subject, the first ones every time

    def __post_init__(self) -> None:
        if not self.tasks or self.limit < 1:
            raise RecipeError("questions: wants one task or more, such as arc_easy, and a limit of 1 or more")


@dataclass(frozen=True, kw_only=True)
class Train:
    """One stage of training. Exactly one of `steps`, `tokens`, `epochs` and `budget` says how long it is."""

    steps: int | None = None  # optimizer steps
    tokens: int | None = None  # tokens read
    epochs: float | None = None  # passes over the data
    budget: str | None = None  # wall-clock time: 6m, 1h30m
    tokens_per_step: int = 8192  # over all processes and micro-batches
    rows_per_step: int | None = None  # instead of tokens, where rows are the natural unit: conversations, pairs
    ramp: BatchRamp | None = None  # a smaller batch at first (GPT-3, section 2.3)
    lengths: LengthRamp | None = None  # shorter rows at first
    micro_batch: int | None = None  # rows that go through the model at once; None: about 4,096 tokens
    optimizer: AdamW | Muon | Galore = field(default_factory=AdamW)
    schedule: Schedule = field(default_factory=Cosine)
    clip: float | None = 1.0  # largest norm of the whole gradient
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    compile: Literal["auto", "yes", "no"] = "auto"
    checkpoint_layers: bool = False  # forget activations and compute them again: less memory, a third more time
    processes: int | Literal["auto"] = 1  # data-parallel ones on this machine; auto: two on a CPU, one a GPU
    mesh: Mesh | None = None  # how the processes share the work; None: each holds the model, and they share rows
    threads: int | None = None  # a process; None: the physical cores divided among the processes
    patience: float = 1800.0  # seconds without a step; several processes then give up and name the one they wait for
    validate_every: int = 100  # steps
    validation_rows: int = 64  # rows of the held-out part that are looked at each time
    sample_every: int = 0  # steps between samples, 0: none
    prompts: tuple[str, ...] = ()  # what samples begin with
    evaluate_every: int = 0  # steps between the questions below, 0: none
    questions: Questions | None = None  # of benchmarks, that are asked while it learns
    save_every: int = 100  # steps between checkpoints
    keep: int = 2  # checkpoints kept
    guard: Guard | None = field(default_factory=Guard)

    def __post_init__(self) -> None:
        given = [name for name in ("steps", "tokens", "epochs", "budget") if getattr(self, name) is not None]
        if len(given) != 1:
            had = " and ".join(given) or "none"
            raise RecipeError(f"length of training: give exactly one of steps, tokens, epochs and budget, not {had}")
        if self.budget is not None:
            seconds(self.budget)
        if (self.evaluate_every > 0) != (self.questions is not None):
            raise RecipeError("evaluate_every, questions: the one says when, the other what; give both or none")
        for name in ("steps", "tokens", "epochs", "rows_per_step", "micro_batch", "threads", "clip", "patience"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise RecipeError(f"{name}: {value} is not above 0")
        if self.processes != "auto" and self.processes < 1:
            raise RecipeError(f"processes: {self.processes} is less than 1")
        for name in ("tokens_per_step", "validate_every", "save_every", "keep", "validation_rows"):
            if getattr(self, name) < 1:
                raise RecipeError(f"{name}: {getattr(self, name)} is less than 1")
