"""How long until the loss of nanoGPT's CPU run is reached? CPU seconds of the plain loop over those of hornbook.

The plain run is the one nanoGPT documents for a laptop: tinyshakespeare by character, 90 % to train on, 4 layers of
128, 4 heads, 64 characters, 12 rows, 2,000 steps, AdamW 1e-3 by a cosine to 1e-4. Ours has the same text, width, depth,
heads and context and goes through `Trainer` with a faster recipe (below). The mark is the plain run's last loss over
the whole validation split; only training counts, evaluations do not. One thread.

    python benchmarks/time_to_loss.py [--text FILE] [--steps 2000] [--seeds 0 1 2] [--precision fp32]

Without the text it is the source code of Python's standard library by byte. `--target LOSS --plain-seconds S` take the
plain run's result from an earlier run.
"""

import argparse
import math
import os
import sysconfig
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from plain import Ear, PlainGPT, adamw, rows_of, train_step
from torch import Tensor, nn

from hornbook.core import recipe
from hornbook.core.device import cpu_has_bf16
from hornbook.core.run import Row, Run
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.objective.language import NextToken
from hornbook.optim.adamw import AdamW
from hornbook.optim.muon import Muon
from hornbook.optim.schedule import WSD
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.train.loop import Trainer
from hornbook.train.parallel import Ranks

DIM, LAYERS, HEADS, LENGTH = 128, 4, 4, 64
PLAIN_ROWS, PLAIN_STEPS, PLAIN_WARMUP = 12, 2000, 100
OUR_SHARE = 0.16  # our steps as a share of the plain run's
LOOKS = 10  # evaluations of our run, over its last fifth
MOST, TINY = 1_200_000, 20_000  # characters that are read


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What was found to reach the mark soonest; benchmarks/README.md has the others."""

    rows: int = 8
    lr: float = 0.03
    newton_schulz: int = 3
    momentum: float = 0.9
    adam_lr: float = 0.02
    beta1: float = 0.8
    cooldown: float = 0.7
    warmup: float = 0.07
    rope_base: float = 50.0  # slow turns of the usual 10,000 say nothing within 64 characters
    score_scale: float = 0.3  # normed queries and keys give at most scale * 32: a softmax that can be sharper


@dataclass
class Text:
    """A split text as ids."""

    name: str
    vocab: int
    train: np.ndarray
    validation: np.ndarray


def main() -> None:
    """Run the plain loop once and ours once a seed; print both and the ratio."""
    options = read_options()
    torch.set_num_threads(1)
    text = read_text(options.text, TINY if options.tiny else MOST)
    print(
        f"{text.name}: {len(text.train)} ids to train on, {len(text.validation)} to validate, vocabulary {text.vocab}"
    )
    if options.target is None:
        seconds, target = run_plain(text, options.steps)
        print(f"plain   {seconds:6.1f} CPU-s  {options.steps} steps  validation {target:.4f}", flush=True)
    else:
        seconds, target = options.plain_seconds, options.target
    steps = options.our_steps or max(1, round(options.steps * OUR_SHARE))
    for precision in ("fp32", "bf16") if options.precision == "both" else (options.precision,):
        if precision == "bf16" and not cpu_has_bf16():
            print("bf16: this chip has no units for it")
            continue
        ratios = []
        for seed in options.seeds:
            watch = run_ours(text, Setting(), steps=steps, seed=seed, precision=precision)
            ratios.append(report(watch, precision, seed, seconds, target))
        print(f"figure time_to_loss{'' if precision == 'fp32' else '_bf16'} {median(ratios):.2f}", flush=True)


def report(watch: "Stopwatch", precision: str, seed: int, seconds: float, target: float) -> float:
    """Print one of our runs; how many times sooner it reached the target, 0 if never."""
    reached = next((spent for spent, loss in watch.seen if loss <= target), None)
    spent, loss = watch.seen[-1]
    ratio = seconds / reached if reached else 0.0
    there = f"reached {target:.4f} after {reached:.1f}: {ratio:.2f} times sooner" if reached else "never reached it"
    print(f"ours    {spent:6.1f} CPU-s  {precision} seed {seed}  validation {loss:.4f}  {there}", flush=True)
    return ratio


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, help="a UTF-8 file, its first 1.2 million characters (tinyshakespeare)")
    parser.add_argument("--steps", type=int, default=PLAIN_STEPS, help="of the plain run (2000)")
    parser.add_argument("--our-steps", type=int, help=f"of ours ({OUR_SHARE} of the plain run's)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of our runs (0 1 2)")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16", "both"), help="of ours (fp32)")
    parser.add_argument("--target", type=float, help="the plain run's loss, if it is known")
    parser.add_argument("--plain-seconds", type=float, help="and its CPU seconds")
    parser.add_argument("--tiny", action="store_true", help="a few steps on a small text, to see that it runs")
    options = parser.parse_args()
    if (options.target is None) != (options.plain_seconds is None):
        parser.error("--target and --plain-seconds go together")
    if options.tiny:
        options.steps, options.our_steps, options.seeds = 4, 4, [0]
    return options


def read_text(path: Path | None, most: int) -> Text:
    """A text file by character, or else the standard library's source by byte; nine tenths to train on."""
    shared = Path(os.environ.get("HORNBOOK_DATA", Path(__file__).parents[2] / "shared" / "data"))
    path = path or next(iter(sorted(shared.glob("text/tinyshakespeare/*.txt"))), None)
    if path is not None:
        characters = np.frombuffer(path.read_text(encoding="utf-8").encode("utf-32-le"), np.uint32)
        name, (alphabet, ids) = path.name, np.unique(characters[:most], return_inverse=True)
        vocab = len(alphabet)
    else:
        sources = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
        raw = b"".join(source.read_bytes() for source in sources)[:most]
        name, vocab, ids = "standard library", 256, np.frombuffer(raw, np.uint8)
    cut = len(ids) * 9 // 10
    return Text(name, vocab, ids[:cut].astype(np.uint16), ids[cut:].astype(np.uint16))


def run_plain(text: Text, steps: int) -> tuple[float, float]:
    """CPU seconds of the plain run's training, and its last validation loss."""
    torch.manual_seed(0)
    model = PlainGPT(vocab=text.vocab, length=LENGTH, layers=LAYERS, dim=DIM, heads=HEADS, bias=False)
    optimizer = adamw(model, lr=1e-3, beta2=0.99)
    ids = torch.from_numpy(text.train.astype(np.int64))
    warmup = min(PLAIN_WARMUP, steps // 2)
    started_at = time.process_time()
    for step in range(steps):
        lr = 1e-3 * (step + 1) / (warmup + 1)
        if step >= warmup:
            lr = 1e-4 + 4.5e-4 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))
        for group in optimizer.param_groups:
            group["lr"] = lr
        starts = torch.randint(len(ids) - LENGTH, (PLAIN_ROWS,)).tolist()
        rows = torch.stack([ids[start : start + LENGTH + 1] for start in starts])
        train_step(model, optimizer, rows[:, :-1], rows[:, 1:].contiguous())
    seconds = time.process_time() - started_at
    return seconds, validation_loss(model, text.validation)


@torch.no_grad()
def validation_loss(model: Callable[[Tensor], Tensor], validation: np.ndarray) -> float:
    """Nats per character over the whole split, in windows that do not overlap."""
    ids = torch.from_numpy(validation.astype(np.int64))
    count = (len(ids) - 1) // LENGTH
    inputs, labels = (ids[shift : shift + count * LENGTH].view(count, LENGTH) for shift in (0, 1))
    total = sum(
        F.cross_entropy(model(x).float().flatten(0, 1), y.flatten(), reduction="sum").item()
        for x, y in zip(inputs.split(64), labels.split(64), strict=True)
    )
    return total / (count * LENGTH)


@dataclass
class Stopwatch(Ear):
    """A listener that adds up CPU seconds and stops them while it looks at the validation split."""

    model: nn.Module
    validation: np.ndarray
    spent: float = 0.0
    started_at: float = 0.0
    seen: list[tuple[float, float]] = field(default_factory=list)  # CPU seconds, validation loss

    def start(self) -> None:
        self.started_at = time.process_time()

    def step(self, row: Row, total: int, seconds_left: float) -> None:  # noqa: ARG002
        self.spent += time.process_time() - self.started_at
        left = total - row["step"]
        if left <= total // 5 and left % max(1, total // 5 // LOOKS) == 0:
            self.model.eval()
            self.seen.append((self.spent, validation_loss(lambda ids: self.model(ids).logits, self.validation)))
        self.start()


def fast_model(vocab: int, setting: Setting, seed: int) -> DecoderModel:
    """The plain run's shape in the manner of recipes that race to a loss (recipes/models/fast-tiny.yaml)."""
    norm = {"type": "rms_norm", "gain": False}
    layer = [
        {"type": "attention", "heads": HEADS, "qk_norm": norm, "scale": setting.score_scale},
        {"type": "mlp", "hidden": 4 * DIM, "activation": "relu2"},
    ]
    table = {
        "dim": DIM,
        "length": LENGTH,
        "head": {"tied": False},
        "init": "zero_output",
        "embed": {"vocab": vocab, "norm": norm},
        "stack": {
            "layers": LAYERS,
            "norm": norm,
            "position": {"type": "rope", "base": setting.rope_base},
            "layer": layer,
        },
    }
    config = recipe.parse(Decoder, table)
    return config.build(torch.Generator().manual_seed(seed))


def run_ours(text: Text, setting: Setting, *, steps: int, seed: int, precision: str) -> Stopwatch:
    """Train with the package's own loop."""
    model = fast_model(text.vocab, setting, seed)
    adam = AdamW(lr=setting.adam_lr, beta1=setting.beta1, beta2=0.95, weight_decay=0.0)
    config = Train(
        steps=steps,
        tokens_per_step=setting.rows * LENGTH,
        optimizer=Muon(
            lr=setting.lr, steps=setting.newton_schulz, momentum=setting.momentum, weight_decay=0.0, adam=adam
        ),
        schedule=WSD(warmup=setting.warmup, cooldown=setting.cooldown),
        save_every=steps,
    )
    source = rows_of(text.train, LENGTH, seed=seed)
    watch = Stopwatch(model, text.validation)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(model=model, objective=NextToken(), source=source, seed=seed)
        trainer = Trainer(config, job, Run(Path(folder)), listener=watch, ranks=Ranks(), precision=precision)
        watch.start()  # as in the plain run, what is built and imported before the first step does not count
        trainer.fit()
    return watch


if __name__ == "__main__":
    main()
