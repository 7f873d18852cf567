"""The engine: the same bytes for any number of processes, killed or not; nothing is done twice; a full disk is mended.

The corpora are made by real processes that get a real SIGKILL.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hornbook.corpus import engine, pipeline, stage, task
from hornbook.corpus.clean import MinimumLength, Normalise
from hornbook.corpus.engine import legs
from hornbook.corpus.exact import ExactDuplicates
from hornbook.corpus.local import Local
from hornbook.corpus.near import NearDuplicates
from hornbook.corpus.paragraphs import RepeatedParagraphs
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus.substrings import RepeatedSubstrings

TASK_BYTES = 30_000
STEPS = (
    Normalise(),
    MinimumLength(),
    ExactDuplicates(),
    RepeatedParagraphs(unit="line"),
    NearDuplicates(),
    RepeatedSubstrings(),
    MinimumLength(characters=20),
)
PROGRAM = """
import sys
from pathlib import Path
from hornbook.corpus import pipeline, task
from hornbook.corpus.local import Local
from tests.corpus.test_engine import STEPS, TASK_BYTES
if __name__ == "__main__":
    task.TASK_BYTES = TASK_BYTES
    print("ready", flush=True)
    engine = Local(processes=int(sys.argv[3]))
    pipeline.run(pipeline.Corpus(source=sys.argv[1], steps=STEPS, engine=engine), Path(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty files of made-up prose with copies, changed copies and lines that many share: 0.4 MB, 16 tasks."""
    numbers, folder = random.Random(0), tmp_path_factory.mktemp("source")
    words = ["".join(numbers.choice("etaoinshrdlu") for _ in range(numbers.randint(2, 9))) for _ in range(3_000)]
    notice = " ".join(numbers.choices(words, k=12))
    stretch = " ".join(numbers.choices(words, k=70))
    texts: list[str] = []
    for number in range(270):
        text = " ".join(numbers.choices(words, k=numbers.randint(100, 400)))
        if number % 5 == 1:
            text = texts[number // 2]
        elif number % 5 == 2:
            text = texts[number // 3].replace(" a", " b", 1) + " changed"
        elif number % 5 == 3:
            text += f"\n{notice}\nend of {number} {stretch} and on {number}"
        texts.append(text)
    for number in range(30):
        rows = [json.dumps({"text": text}) for text in texts[number::30]]
        (folder / f"{number:02d}.jsonl").write_text("\n".join(rows))
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def run(source: Path, folder: Path, processes: int = 1) -> None:
    pipeline.run(Corpus(source=str(source), steps=STEPS, engine=Local(processes=processes)), folder)


@pytest.fixture(scope="module")
def whole(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The corpus as one process makes it undisturbed."""
    folder = tmp_path_factory.mktemp("whole") / "corpus"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task, "TASK_BYTES", TASK_BYTES)
        run(source, folder)
    return content(folder)


@pytest.fixture(autouse=True)
def _small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "TASK_BYTES", TASK_BYTES)


def start(source: Path, folder: Path, processes: int, before: str = "") -> subprocess.Popen[str]:
    """A process that is about to make the corpus."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", before + PROGRAM, str(source), str(folder), str(processes)]
    if processes > 1:  # spawned processes import the program, so it has to be a file
        (program := folder.with_name("program.py")).write_text(before + PROGRAM)
        command[1:3] = [str(program)]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def done(work: Path) -> dict[str, tuple[int, int]]:
    """The accounts of the tasks that are done, by what changes when one is written again."""
    found = work.glob("stage-*/[0-9]*[0-9].json")
    return {str(path.relative_to(work)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def test_the_ledger_tells_what_was_planted(whole: dict[str, bytes]) -> None:
    steps = json.loads(whole["ledger.json"])["steps"]
    assert steps["exact duplicates"]["dropped"]["exact duplicate"]["documents"] >= 50
    assert steps["near duplicates"]["dropped"]["near duplicate"]["documents"] >= 40
    assert steps["repeated paragraphs"]["changed"]["repeated lines"]["documents"] >= 50
    assert steps["repeated substrings"]["changed"]["repeated text"]["documents"] >= 50


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])  # 12 processes import pyarrow
def test_the_bytes_do_not_depend_on_the_processes(
    source: Path, whole: dict[str, bytes], tmp_path: Path, processes: int
) -> None:
    run(source, tmp_path / "corpus", processes)
    assert content(tmp_path / "corpus") == whole
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_what_the_tasks_are_changes_no_document(
    source: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "TASK_BYTES", 10**9)
    run(source, tmp_path / "corpus")
    found = content(tmp_path / "corpus")
    assert {name: found[name] for name in found if name.startswith(("train", "validation"))} == {
        name: whole[name] for name in whole if name.startswith(("train", "validation"))
    }


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_killed_at_random_and_run_again(source: Path, whole: dict[str, bytes], tmp_path: Path, processes: int) -> None:
    """Eight kills; what was done before one is there, untouched, after the next."""
    numbers, folder, work = random.Random(processes), tmp_path / "corpus", tmp_path / ".corpus.work"
    before: dict[str, tuple[int, int]] = {}
    seen = []
    for _ in range(8):
        child = start(source, folder, processes)
        family = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
        more = len(before) + numbers.randrange(12)
        while len(done(work)) < more and child.poll() is None:
            time.sleep(0.005)
        time.sleep(numbers.uniform(0, 0.1))
        family += [each for each in psutil.Process(child.pid).children(recursive=True) if each not in family]
        child.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=10)
        for each in alive:
            each.kill()
        child.communicate()
        assert not alive, "no worker outlives the command"
        if folder.exists():
            break
        after = done(work)
        assert before.items() <= after.items()
        before = after
        seen.append(len(after))
    assert max(seen) > 3, "killed too early to say anything"
    run(source, folder, processes)
    assert content(folder) == whole
    assert not work.exists()


def test_what_was_done_before_a_kill_is_not_done_again(
    source: Path, whole: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when eleven tasks were done: by count of the tasks that write something in the next run."""
    folder, work = tmp_path / "corpus", tmp_path / ".corpus.work"
    kill = """
import os, signal
from hornbook.corpus import stage
done = []
def write_json(path, data, write=stage.write_json):
    write(path, data)
    if path.stem.isdigit():
        done.append(path)
        if len(done) == 11:
            os.kill(os.getpid(), signal.SIGKILL)
stage.write_json = write_json
"""
    child = start(source, folder, 1, before=kill)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    assert len(done(work)) == 11
    written = []
    monkeypatch.setattr(
        stage, "Outputs", lambda place, *rest, **options: written.append(place) or OUTPUTS(place, *rest, **options)
    )
    run(source, folder)
    assert len(written) == 5 * len({place.number for place in written} | set(range(11))) - 11
    assert content(folder) == whole


OUTPUTS = stage.Outputs


def test_a_full_disk_leaves_what_is_done(source: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    """No file may be larger than one large task's: the tasks before it are done, and are of use afterwards."""
    small, large = source, tmp_path / "large"
    large.mkdir()
    for path in sorted(small.iterdir()):
        (large / path.name).symlink_to(path)
    numbers = random.Random(1)
    text = " ".join(f"{numbers.getrandbits(64):x}" for _ in range(20_000))
    (large / "99.jsonl").write_text(json.dumps({"text": text}))
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
    folder, work = tmp_path / "corpus", tmp_path / ".corpus.work"
    child = start(large, folder, 1, before=limit)
    _, error = child.communicate()
    assert child.returncode == 1
    assert "File too large" in error
    assert not folder.exists()
    finished = done(work)
    assert len(finished) > 10
    assert not list(work.glob("**/*.aside")), "nothing half-written"
    last = max(int(Path(name).stem) for name in finished) + 1
    run(large, folder)
    fresh = tmp_path / "fresh" / "corpus"
    run(large, fresh)
    assert content(folder) == content(fresh)
    assert last == len(list(task.tasks([str(large)], lambda *_: None))) - 1


def test_another_recipe_begins_anew(source: Path, tmp_path: Path) -> None:
    child = start(source, tmp_path / "corpus", 1)
    while not done(tmp_path / ".corpus.work") and child.poll() is None:
        time.sleep(0.01)
    child.kill()
    child.communicate()
    pipeline.run(Corpus(source=str(source), steps=(Normalise(),)), tmp_path / "corpus")
    pipeline.run(Corpus(source=str(source), steps=(Normalise(),)), tmp_path / "fresh")
    assert content(tmp_path / "corpus") == content(tmp_path / "fresh")


def test_steps_are_cut_where_one_looks_across() -> None:
    found = legs((Normalise(), ExactDuplicates(), MinimumLength(), NearDuplicates()))
    assert [(leg.across, leg.steps, leg.scan) for leg in found] == [
        (None, (Normalise(),), ExactDuplicates()),
        (ExactDuplicates(), (MinimumLength(),), NearDuplicates()),
        (NearDuplicates(), (), None),
    ]
    assert [leg.name for leg in found] == ["normalise", "exact duplicates, minimum length", "near duplicates"]
    assert [(leg.steps, leg.name) for leg in legs(())] == [((), "read")]


def test_no_task_no_decision() -> None:
    engine.decide(ExactDuplicates(), [])
