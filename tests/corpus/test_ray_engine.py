"""What comes out does not depend on the engine, nor on how often it was killed. A real Ray of two processors."""

import contextlib
import importlib.util
import json
import math
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.corpus import pipeline, ray_engine, task
from hornbook.corpus.local import AHEAD, Local
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus.ray_engine import Ray
from tests.corpus.killed import TASK_BYTES, config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Ray on two processors, joined."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("ray is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray_engine, "cores", lambda: 2)
        with ray_engine.connected(None) as module:
            yield module


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Files of many lines: repeated ones, short ones, broken ones."""
    folder, draw = tmp_path / "files", random.Random(0)
    folder.mkdir()
    for number in range(30):
        rows = [
            json.dumps({"text": f"line {draw.randrange(600)} " + "is a line " * draw.randrange(8)}) for _ in range(60)
        ]
        rows[7] = "{broken"
        (folder / f"{number:02d}.jsonl").write_text("\n".join(rows))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_one_process_two_and_ray_write_the_same_bytes(
    ray: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "TASK_BYTES", TASK_BYTES)
    engines = {"one": Local(), "two": Local(processes=2), "ray": Ray()}
    for name, engine in engines.items():
        pipeline.run(config(source, engine), tmp_path / name)
    one, two, three = (contents(tmp_path / name) for name in engines)
    assert one.keys() >= {"train-00000.parquet", "validation-00000.parquet", "ledger.json"}
    assert one == two
    assert one == three


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "ray"])
def test_sigkill_at_random_moments_and_again_gives_the_same_bytes(
    ray: Any, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(task, "TASK_BYTES", TASK_BYTES)
    pipeline.run(config(source, Local()), tmp_path / "calm")
    address = "local" if engine == "local" else ray.get_runtime_context().gcs_address
    command = [sys.executable, "-m", "tests.corpus.killed", str(source), str(tmp_path / "hurt"), address]
    work, done = tmp_path / ".hurt.work", [0]
    for seed in range(3):
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(list(work.rglob("*.json"))) <= done[-1] + 1:
            time.sleep(0.002)  # until something is done that was not
        time.sleep(random.Random(seed).random() * 0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        done.append(len(list(work.rglob("*.json"))))
    assert done[1] > 1, "it was killed before it had begun"
    assert not (tmp_path / "hurt").exists(), "it was over before it could be killed"
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    assert contents(tmp_path / "calm") == contents(tmp_path / "hurt")
    assert not work.exists()


@pytest.mark.slow
def test_results_come_in_order_and_few_things_are_taken_ahead(ray: Any) -> None:
    taken: list[int] = []

    def things() -> Iterator[int]:
        for i in range(40):
            taken.append(i)
            yield i

    with contextlib.closing(Ray().each(_slow_at_first, things())) as results:
        assert next(results) == 1
        assert len(taken) <= ray_engine.FAR * AHEAD * 2
        assert list(results) == [math.factorial(i) for i in range(1, 40)]


def _slow_at_first(number: int) -> int:
    if not number:
        time.sleep(2)  # long enough for all the others, were they handed out
    return math.factorial(number)


@pytest.mark.slow
def test_what_a_worker_raises_for_a_person_is_raised_here(
    ray: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_text("{broken")
    with pytest.raises(UserError, match=r"a\.jsonl:1: not a JSON object") as found:
        pipeline.run(Corpus(source=str(tmp_path / "a.jsonl"), engine=Ray()), tmp_path / "corpus")
    assert "Traceback" not in str(found.value)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setattr(ray_engine.os, "getcwd", lambda: str(tmp_path / "gone"))
    with pytest.raises(UserError, match=r"a machine of the Ray cluster, does not see this folder .No such file"):
        list(Ray().each(math.factorial, [1]))


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nobody:port"])
def test_no_cluster_is_said_at_once(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest.importorskip("ray"), "is_initialized", lambda: False)
    with pytest.raises(UserError, match=rf"corpus\.engine\.address: no Ray cluster at {address} .*start one with `ray"):
        list(Ray(address=address).each(math.factorial, [1]))


def test_without_ray_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"ray is not installed; pip install 'hornbook\[cluster\]'"):
        list(Ray().each(math.factorial, [1]))


def test_the_engine_is_a_type_in_the_recipe() -> None:
    assert recipe.parse(Corpus, {"engine": "ray"}).engine == Ray()
    assert recipe.parse(Corpus, {"engine": {"type": "ray", "address": "auto"}}).engine == Ray(address="auto")
    assert recipe.parse(Corpus, {"engine": {"processes": 2}}).engine == Local(processes=2)
