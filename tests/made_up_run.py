"""A run folder with every file a run leaves behind, none of it trained: reports and comparisons are tested on it."""

import json
import math
import random
from pathlib import Path


def fake_run_at(folder: Path, *, steps: int = 400, seed: int = 0, lr: float = 0.02, stages: bool = True) -> Path:
    """Write the folder; a loss that falls as losses do, with noise, a dip in speed and samples that improve."""
    noise, per_step = random.Random(seed), 4096
    folder.mkdir(parents=True)
    metrics, samples = [], []
    for step in range(steps + 1):
        loss = 2.4 + 5.9 * math.exp(-((step / steps * 9) ** 0.55)) + (0.1 if lr < 0.02 else 0.0)
        clock = {"step": step, "tokens": step * per_step, "seconds": round(step * 1.31, 3)}
        if step:
            row = {
                "loss": loss + noise.gauss(0, 0.05),
                "lr": lr * min(1, step / 20, 1.1 - step / steps),
                "grad_norm": 0.4,
            }
            speed = 3120 + noise.gauss(0, 90) - (900 if 0.5 < step / steps < 0.55 else 0)
            metrics.append({**clock, **row, "tokens_per_second": speed, "mfu": speed / 7900})
        if step % (steps // 20) == 0:
            metrics.append({**clock, "validation_loss": loss + 0.06, "validation_bits_per_byte": loss / 2.2})
        if step % (steps // 8) == 0:
            written = SAMPLES[min(step * len(SAMPLES) // steps, len(SAMPLES) - 1)]
            samples.append({**clock, "prompt": "def read_lines(path):\n", "text": written})
            samples.append({**clock, "prompt": "一个模型学会了", "text": "写字 <b>&" * (step // 100 + 1)})
    _write_lines(folder / "metrics.jsonl", metrics)
    _write_lines(folder / "samples.jsonl", samples)
    recipe = f"seed: {seed}\npretrain:\n  optimizer:\n    type: muon\n    lr: {lr}\n"
    (folder / "recipe.yaml").write_text(recipe + ("stages:\n  instruct: {type: instruct}\n" if stages else ""))
    scores = {"accuracy": {"value": 0.931, "interval": [0.9, 0.95], "of": 300}, "loss": {"value": 1.25}}
    (folder / "scores.json").write_text(json.dumps(scores))
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    if stages:
        fake_run_at(folder / "instruct", steps=60, seed=seed + 1, stages=False)
    return folder


def _write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


SAMPLES = [
    "lef)rtioe  se:= _tn\n(a,or,",
    "    self.the = self = path\n    if not in return self\n\n",
    "    with open(path) as file:\n        lines = file.read()\n    return line\n",
    '    """Return the lines of a file."""\n    with open(path, encoding="utf-8") as file:\n'
    '        return [line.rstrip("\\n") for line in file]\n',
]
FILES = {
    "environment.json": {"python": "3.11.7", "processor": "AMD EPYC", "cores": 2, "packages": {"torch": "2.13.0+cpu"}},
    "training.json": {"parameters": 5_123_456, "steps": 400, "tokens": 1_638_400, "seconds": 524.0},
    "stages.json": {
        "corpus": {"fingerprint": "a", "seconds": 3.1},
        "tokenizer": {"fingerprint": "b", "seconds": 9.4},
        "pretrain": {"fingerprint": "c", "seconds": 525.0, "keeps": "language model"},
        "instruct": {"fingerprint": "e", "seconds": 61.0, "keeps": "language model"},
        "evaluate": {"fingerprint": "d", "seconds": 21.0},
    },
    "corpus/ledger.json": {
        "read": {"stdlib": {"documents": 640, "characters": 11_800_000, "bytes": 11_850_000}},
        "splits": {
            "train": {"documents": 598, "characters": 10_950_000, "bytes": 11_000_000},
            "validation": {"documents": 33, "characters": 748_000, "bytes": 750_000},
        },
        "steps": {
            "length": {"name": "length", "dropped": {"shorter than 200 characters": {"documents": 7, "bytes": 420}}},
            "exact": {"name": "exact", "dropped": {"the same text as another": {"documents": 2, "bytes": 3100}}},
        },
        "bad": 1,
        "bad_places": [{"place": "lib/bad.py:17", "why": "not UTF-8"}],
    },
    "shards/manifest.json": {
        "vocab": 4096,
        "splits": {
            "train": {"tokens": 3_520_000, "bytes": 11_000_000, "documents": 598},
            "validation": {"tokens": 241_000, "bytes": 750_000, "documents": 33},
        },
    },
    "tokenizer/tokenizer.json": {
        "model": {"vocab": {"a": 0, "return": 1, "isinstance": 2, "Ġself": 3, "exception": 4}}
    },
    "evaluate.json": {
        "compression": {
            "bits_per_byte": 1.62,
            "interval": [1.55, 1.7],
            "bytes": 750_000,
            "documents": 33,
            "baselines": {
                "gzip -9": 2.0,
                "zstd -19": 1.78,
                "xz -9": 1.69,
                "xz -9 that has read the training text": 1.41,
            },
        },
        "completions": [
            {
                "stage": stage,
                "parsed": parsed,
                "trials": 64,
                "share": parsed / 64,
                "interval": [parsed / 64 - 0.1, parsed / 64 + 0.12],
                "examples": [{"prompt": "def add(a, b):\n", "text": "    return a + b", "parses": True}],
            }
            for stage, parsed in (("pretrain", 22), ("instruct", 41))
        ],
    },
}
