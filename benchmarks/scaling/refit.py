"""Does a law of five small models foretell a sixth? The ladder on file is fitted again, its largest run left out.

The runs were made, in 12 minutes of one core, by

    hornbook scale tiny/pretrain --sizes 0.05M,0.1M,0.15M,0.25M,0.4M --tokens 0.2M,0.4M,0.8M --check 0.9M:1.6M

    python benchmarks/scaling/refit.py

scaling_error: |predicted / measured - 1| of the sixth model's held-out loss. scaling_error_two: the same from two
numbers of tokens instead of three, which cannot tell the power from its floor; `hornbook scale` refuses it. The
shortest runs were added after that first fit was seen, and trained in a second folder: no forecast made blind.
"""

import json
from pathlib import Path

from hornbook.plan.fit import Trained, fit

LADDER = Path(__file__).parent / "ladder.jsonl"
LEAST = 400_000  # tokens: the runs that are left where the shortest are taken out


def main() -> None:
    """Fit with and without the shortest runs; print both errors."""
    rows = [json.loads(line) for line in LADDER.read_text().splitlines()]
    *runs, sixth = [Trained(row["parameters"], row["tokens"], row["loss"]) for row in rows]
    for name, some in (("scaling_error", runs), ("scaling_error_two", [run for run in runs if run.tokens > LEAST])):
        found = fit(some)
        loss, (low, high) = found.predict(sixth.parameters, sixth.tokens)
        print(f"{len(some)} runs: {loss:.3f} nats predicted ({low:.3f} to {high:.3f}), {sixth.loss:.3f} measured")
        print(f"figure {name} {abs(loss / sixth.loss - 1):.4f}")


if __name__ == "__main__":
    main()
