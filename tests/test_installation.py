"""What is missing or of another version is one sentence each."""

import importlib.metadata

import pytest

from hornbook import installation


def test_a_missing_package_and_another_version_are_named() -> None:
    def version(name: str) -> str:
        if name == "regex":
            raise importlib.metadata.PackageNotFoundError(name)
        return {"torch": "2.12.0+cpu", "rich": "1"}[name]

    assert installation.faults(["torch==2.13.0", "rich", "regex>=3", "peft; extra == 'x'"][:3], version) == [
        "torch is 2.12.0+cpu and 2.13.0 is wanted: pip install torch==2.13.0",
        "regex is not installed: pip install regex>=3",
    ]
    assert installation.faults(['peft; extra == "dev"', "torch==2.12.0"], version) == []


def test_kernels_say_why_they_are_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from hornbook.model import native

    monkeypatch.setattr(native, "there", lambda: False)
    assert "they need gcc" in installation.kernels()
    monkeypatch.setenv("HORNBOOK_KERNELS", "off")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    installation.print_installation()
    said = capsys.readouterr().out
    assert "HORNBOOK_KERNELS=off is set" in said
    assert "(OMP_NUM_THREADS=3)" in said
