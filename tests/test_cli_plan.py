"""`hornbook plan` as a stranger types it."""

import json
import sys

import pytest

from hornbook.cli import main


def plan(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["hornbook", "plan", *arguments])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(monkeypatch, "models/gpt2", "--on", "a100x8") == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("parameters", "device hours", "money", "kWh", "optimizer", "mesh"))


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(monkeypatch, "models/gpt2", "--tokens", "1B", "--grams", "300", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tokens"] == 1e9
    assert found["kilograms"] == pytest.approx(0.3 * found["kwh"])


def test_an_unknown_device(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(monkeypatch, "models/gpt2", "--on", "abacus") != 0
    assert "--on: 'abacus' is none of" in capsys.readouterr().err
