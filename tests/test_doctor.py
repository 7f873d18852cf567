"""`hornbook doctor --profile`: a tiny recipe for real, and advice that follows from the trials alone."""

from pathlib import Path

import pytest

from hornbook import doctor
from hornbook.core.device import Choice
from hornbook.settings import load
from hornbook.shares import shares

TINY = ["pretrain.tokens_per_step=128"]


def rows(*speeds: float) -> list[dict[str, float]]:
    return [{"tokens_per_second": speed} for speed in speeds]


def test_advice_is_what_was_measured_and_more_than_noise() -> None:
    tried = [
        *(doctor.Change("as it is"), doctor.Change("as it is", apart=True)),
        *(doctor.Change("threads: 2"), doctor.Change("micro_batch: 8"), doctor.Change("processes: 2", apart=True)),
    ]
    found = [rows(100, 104), rows(50, 50), rows(130, 130), rows(104, 106), rows(40, 40)]
    first, second, third, noise, compiled = doctor.advice(tried, found)
    assert first == "would change threads: 2: measured 27% faster"
    assert second == "would not change to micro_batch: 8: measured 3% faster, which says nothing here"
    assert third == "would not change to processes: 2: measured 20% slower"
    assert noise == "Trials of the recipe as it is differ by 4%."
    assert compiled.startswith("compile: yes was not tried")


def test_what_is_tried_depends_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Choice(device="cpu", precision="fp32", reason="r")
    monkeypatch.setattr(doctor.machine, "choose", lambda precision="auto": chosen)
    monkeypatch.setattr(doctor.machine, "physical_cores", lambda: 2)
    monkeypatch.setattr(doctor.machine, "cpu_has_bf16", lambda: False)
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")
    names = [change.name for change in doctor.changes(load("tiny/pretrain", ["pretrain.micro_batch=4"]))]
    assert names == ["processes: 1, threads: 2", "processes: 2, threads: 1", "micro_batch: 2", "micro_batch: 8"]
    monkeypatch.setattr(doctor.machine, "cpu_has_bf16", lambda: True)
    assert "precision: bf16" in [change.name for change in doctor.changes(load("tiny/pretrain"))]


def test_a_profile_of_real_steps_sees_every_kind() -> None:
    watched = doctor.profiled(load("tiny/pretrain", TINY))
    found = shares(watched.events, watched.seconds)
    for kind in ("matrix products", "attention", "loss: head, cross-entropy", "optimizer, clipping", "data"):
        assert found[kind] > 0, kind
    assert sum(found.values()) == pytest.approx(1)


def test_it_prints_shares_speed_and_advice_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "MOST", 2)
    monkeypatch.setattr(doctor, "LEAST", 2)
    monkeypatch.setattr(doctor, "changes", lambda _: [doctor.Change("micro_batch: 1", {"micro_batch": 1})])
    monkeypatch.setattr(doctor, "_trial", doctor._here)
    doctor.print_profile("tiny/pretrain", TINY)
    said = capsys.readouterr().out
    for words in ("matrix products", "MFU", "tokens per second", "peak memory", "micro_batch: 1: measured"):
        assert words in said
    assert list(tmp_path.iterdir()) == []
