"""How many bytes does GaLore save, and what does it cost? AdamW and GaLore train the same model on the same rows.

A Llama's layers of 10.7 M parameters in all (6 layers, 384 wide). Each optimizer runs in a process of its own, in the
package's own training loop, and says the bytes of its state, the most memory the process held, the CPU seconds of a
step (bases included: they are looked for every `gap` steps, so so many of them are spread over each) and the loss.

    python benchmarks/galore.py [--rank 96] [--steps 60] [--text FILE]

galore_memory: bytes of AdamW's state over bytes of GaLore's.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

LENGTH, ROWS, DIM, LAYERS, HEADS = 256, 4, 384, 6, 6
GAP, LR = 200, 1e-3
PROFILED = 4  # first steps that are not counted: the first finds the basis, and memory is new


def main() -> None:
    """A process for each optimizer; print both and the ratio."""
    options = read_options()
    found = {}
    for name in ("adamw", "galore"):
        command = [sys.executable, __file__, "--child", name, *sys.argv[1:]]
        found[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    first, *_ = found.values()
    print(f"{first['parameters'] / 1e6:.1f} M parameters, {options.steps} steps of {first['tokens']:,} tokens")
    for name, row in found.items():
        print(
            f"{name:7} state {row['bytes'] / 1e6:7.2f} MB  peak {row['peak'] / 1e6:6.0f} MB  "
            f"step {row['seconds']:.3f} CPU-s (and {row['basis']:.2f} for the bases, every {GAP} steps)  "
            f"last loss {row['loss']:.3f}"
        )
    print(f"figure galore_memory {found['adamw']['bytes'] / found['galore']['bytes']:.3f}", flush=True)


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rank", type=int, default=DIM // 4, help=f"directions that are kept ({DIM // 4})")
    parser.add_argument(
        "--lr", type=float, default=LR, help=f"of AdamW ({LR}); GaLore's is four times that, scale 0.25"
    )
    parser.add_argument("--steps", type=int, default=60, help="of each (60)")
    parser.add_argument("--text", type=Path, help="UTF-8; default tinyshakespeare or the standard library")
    parser.add_argument("--child", choices=("adamw", "galore"), help=argparse.SUPPRESS)
    parser.add_argument("--tiny", action="store_true", help="a toy, to see that it runs")
    options = parser.parse_args()
    if options.tiny:
        options.rank, options.steps = 4, PROFILED + 2
    if options.child:
        child(options)
        sys.exit()
    return options


def child(options: argparse.Namespace) -> None:
    """Train with one optimizer and print what it took."""
    import torch
    from plain import Ear, rows_of
    from time_to_loss import MOST, TINY, read_text

    from hornbook.core.run import Run
    from hornbook.objective.language import NextToken
    from hornbook.optim.adamw import AdamW
    from hornbook.optim.galore import Galore
    from hornbook.optim.schedule import Linear
    from hornbook.train.config import Train
    from hornbook.train.job import Job
    from hornbook.train.loop import Trainer
    from hornbook.train.parallel import Ranks

    class Stopwatch(Ear):
        """CPU seconds of every step."""

        def __init__(self) -> None:
            self.steps: list[float] = []
            self.before = time.process_time()

        def step(self, row: dict[str, float], total: int, seconds_left: float) -> None:
            super().step(row, total, seconds_left)
            now = time.process_time()
            self.steps.append(now - self.before)
            self.before = now

    torch.set_num_threads(1)
    text = read_text(options.text, TINY if options.tiny else MOST)
    model, rows, length = shape(text.vocab, tiny=options.tiny)
    slow = Galore(rank=options.rank, gap=GAP, scale=0.25, adam=AdamW(lr=4 * options.lr))
    optimizer = slow if options.child == "galore" else AdamW(lr=options.lr)
    config = Train(
        steps=options.steps,
        tokens_per_step=rows * length,
        optimizer=optimizer,
        schedule=Linear(warmup=0.1),
        save_every=10 * options.steps,
    )
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        job = Job(model=model, objective=NextToken(), source=rows_of(text.train, length, seed=0))
        trainer = Trainer(config, job, Run(Path(folder)), listener=watch, ranks=Ranks())
        trainer.fit()
        kept = [value.untyped_storage().nbytes() for value in trainer.optimizer.state_tensors().values() if value.ndim]
    step = median(watch.steps[PROFILED:])
    row = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "tokens": rows * length,
        "bytes": sum(kept),
        "peak": peak_bytes(),
        "seconds": step,
        "basis": bases(trainer.optimizer) if options.child == "galore" else 0.0,
        "loss": watch.loss,
    }
    print(json.dumps(row))


def shape(vocab: int, *, tiny: bool) -> tuple[object, int, int]:
    """The model, rows of a step, tokens of a row."""
    import torch

    from hornbook.core import recipe
    from hornbook.model.decoder import Decoder

    dim, layers, heads, length, rows = (16, 1, 2, 16, 2) if tiny else (DIM, LAYERS, HEADS, LENGTH, ROWS)
    layer = [{"type": "attention", "heads": heads}, {"type": "mlp", "hidden": 4 * dim, "activation": "gelu"}]
    stack = {"layers": layers, "norm": "rms_norm", "position": "rope", "layer": layer}
    table = {"dim": dim, "length": length, "embed": {"vocab": vocab}, "stack": stack}
    model = recipe.parse(Decoder, table).build(torch.Generator().manual_seed(0))
    return model, rows, length


def bases(optimizer: object) -> float:
    """CPU seconds to find every basis once: a matrix's decomposition does not care much for what is in it."""
    import torch

    before = time.process_time()
    for matrix in optimizer.matrices.values():
        torch.linalg.svd(torch.randn_like(matrix), full_matrices=False)
    return time.process_time() - before


def peak_bytes() -> int:
    """The most memory this process held. Not `ru_maxrss`: on Linux a child starts with its parent's peak."""
    import resource

    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
