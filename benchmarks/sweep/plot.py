"""Draw what sweep.py found: for each budget every setting's loss against its processor seconds, the best one named.

    python benchmarks/sweep/plot.py [--results results.jsonl] [--out sweep.png]

The curves are training losses, a step each, as means over their neighbours; the dot at a curve's end is the held-out
text's, which is what counts.
"""

import argparse
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sweep import rows

HERE = Path(__file__).parent
NEAR = 5  # points of a curve that are averaged
LEFT_OUT = 0.12  # share of a run, its first, that is off the scale


def main() -> None:
    """One panel a budget."""
    options = argparse.ArgumentParser()
    options.add_argument("--results", type=Path, default=HERE / "results.jsonl")
    options.add_argument("--out", type=Path, default=HERE / "sweep.png")
    given = options.parse_args()
    found = rows(given.results)
    budgets = sorted({row["budget"] for row in found}, key=lambda text: float(text.removesuffix("m")))
    figure, panels = plt.subplots(1, len(budgets), figsize=(6 * len(budgets), 6), squeeze=False, layout="constrained")
    for panel, budget in zip(panels[0], budgets, strict=True):
        draw(panel, budget, sorted((row for row in found if row["budget"] == budget), key=bits))
    figure.savefig(given.out, dpi=110)
    print(given.out)


def bits(row: dict[str, Any]) -> float:
    """Of the held-out text, per byte."""
    return float(row["bits_per_byte"])


def draw(panel: Any, budget: str, runs: list[dict[str, Any]]) -> None:
    """One budget's settings, the best first."""
    colors = plt.get_cmap("viridis")(np.linspace(0, 0.95, len(runs)))
    for color, run in zip(colors, runs, strict=True):
        seconds, losses = np.array(run["curve"]).T
        smooth = np.convolve(losses, np.ones(NEAR) / NEAR, "valid")
        at = np.convolve(seconds, np.ones(NEAR) / NEAR, "valid")
        shown = at > LEFT_OUT * seconds[-1]
        panel.plot(at[shown], smooth[shown], color=color, linewidth=1)
        label = f"{bits(run):.3f}  {run['name']} ({run['parameters'] / 1e6:.1f} M)"
        panel.plot(seconds[-1], bits(run), "o", color=color, label=label)
    panel.set_title(f"{budget} of two cores: {runs[0]['name']} is best, {bits(runs[0]):.3f} bits per byte", fontsize=10)
    panel.set_xlabel("processor seconds")
    panel.set_ylabel("bits per byte")
    panel.legend(fontsize=8, title="held out", loc="upper right")


if __name__ == "__main__":
    main()
