"""`hornbook merge`: an adapter and its model become one folder."""

import sys
from pathlib import Path

import pytest
import torch

import hornbook
from hornbook.adapt.lora import Lora
from hornbook.cli import main
from hornbook.generate import adapters
from tests.generate.test_adapters import IDS, base, learned

__all__ = ["base"]  # a fixture


def run(capsys, monkeypatch, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["hornbook", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_a_model_and_its_adapter_become_one(base: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    model = learned(base, Lora(rank=2))
    adapters.write(model.module, tmp_path / "adapter", base=base)
    out = tmp_path / "merged"
    code, said, _ = run(capsys, monkeypatch, "merge", tmp_path / "adapter", "--out", out)
    assert (code, said) == (0, f"{out}: {(out / 'model.safetensors').stat().st_size / 1e6:.1f} MB\n")
    merged = hornbook.load(str(out)).module(IDS).logits
    torch.testing.assert_close(merged, model.module(IDS).logits, rtol=0, atol=1e-5)


def test_a_whole_model_has_nothing_to_fold_in(base: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    code, _, error = run(capsys, monkeypatch, "merge", base, "--out", tmp_path / "merged")
    assert code != 0
    assert "a whole model, with nothing to fold in; give the folder of an adapter" in " ".join(error.split())
    assert not (tmp_path / "merged").exists()
