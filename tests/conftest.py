"""What every test may ask for: the shared real data (or a skip that says where it was looked for) and a quiet torch.

Two options choose by time. `--seconds 50` (make check) runs the shortest tests first, by the durations the last run
left in pytest's cache, and starts none after that. `--slow-seconds 1500` (.ci/run) puts the tests marked slow last, in
an order that changes every day, and starts none after that; 0 leaves them out, as `make test` does.
"""

import datetime
import hashlib
import json
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two cores and small tensors: spinning threads only slow the suite

# The same examples every time and no deadline: a busy machine is not a failure.
hypothesis.settings.register_profile("hornbook", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("hornbook")

DURATIONS = "hornbook/seconds"  # in pytest's cache: test -> seconds, set-up included
STARTED = time.monotonic()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data ($HORNBOOK_DATA, or ../shared/data beside the checkout); skips where it is absent."""
    folder = Path(os.environ.get("HORNBOOK_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set HORNBOOK_DATA")
    return folder


@pytest.fixture
def fake_run() -> Callable[..., Path]:
    """`fake_run(folder, steps=400, seed=0)`: a run folder with every file a run leaves behind, none of it trained."""
    return _fake_run


def _fake_run(folder: Path, *, steps: int = 400, seed: int = 0, lr: float = 0.02, stages: bool = True) -> Path:
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
    (folder / "recipe.yaml").write_text(f"seed: {seed}\npretrain:\n  optimizer:\n    type: muon\n    lr: {lr}\n")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    if stages:
        _fake_run(folder / "finetune", steps=60, seed=seed + 1, stages=False)
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
        "pretrain": {"fingerprint": "c", "seconds": 525.0},
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
            for stage, parsed in (("pretrain", 22), ("finetune", 41))
        ],
    },
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("selection by time")
    group.addoption("--seconds", type=float, help="shortest tests first; start none after this many seconds")
    group.addoption(
        "--slow-seconds", type=float, help="slow tests last, in today's order; start none after this; 0: none"
    )


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # with several processes only the first sees every result
        config.pluginmanager.register(Durations(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("slow_seconds") is not None:
        slow = [item for item in items if item.get_closest_marker("slow")]
        items[:] = [item for item in items if not item.get_closest_marker("slow")]
        if config.getoption("slow_seconds") > 0:
            items += sorted(slow, key=_todays_place)
        else:
            config.hook.pytest_deselected(items=slow)
    if config.getoption("seconds") is not None:
        known = config.cache.get(DURATIONS, {}) if config.cache else {}
        items.sort(key=lambda item: known.get(item.nodeid, 0.0))


def pytest_runtest_setup(item: pytest.Item) -> None:
    slow = item.get_closest_marker("slow")
    limit = item.config.getoption("slow_seconds" if slow else "seconds")
    if limit is not None and time.monotonic() - STARTED > limit:
        pytest.skip(f"left for another time: {limit:.0f} seconds are over")


def _todays_place(item: pytest.Item) -> str:
    return hashlib.sha256(f"{datetime.date.today()}{item.nodeid}".encode()).hexdigest()


class Durations:
    """Keeps how long every test took, for the next run with `--seconds`."""

    def __init__(self, config: pytest.Config) -> None:
        self.cache = config.cache
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Iterator[None]:
        yield
        if self.cache:
            self.cache.set(DURATIONS, self.cache.get(DURATIONS, {}) | self.seconds)
