"""`hornbook scale` from the command line: what it prints, and what it refuses."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hornbook.cli import app
from hornbook.cli_scale import _run_of
from hornbook.core.errors import UserError
from tests.test_scaling import REAL

RUNNER = CliRunner()


@pytest.mark.slow
def test_a_ladder_is_climbed_and_checked(tmp_path: Path) -> None:
    sizes = ["--sizes", "45k,100k,230k", "--tokens", "26k,52k,104k", "--check", "400k:156k"]
    where = ["--run", str(tmp_path / "ladder")]
    done = RUNNER.invoke(app, ["scale", "tiny/pretrain", *REAL, *sizes, *where], catch_exceptions=False)
    assert done.exit_code == 0
    assert "law        L = " in done.output
    assert "measured: wrong by" in done.output
    assert (tmp_path / "ladder" / "index.html").exists()


def test_a_run_is_written_as_parameters_and_tokens() -> None:
    assert _run_of("0.9M:1.6M") == (0.9e6, 1.6e6)
    assert _run_of("7B") == (7e9, None)
    with pytest.raises(UserError, match="tokens: 'many' is no count above 0"):
        _run_of("7B:many")


def test_a_size_that_is_none_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="sizes: 'big' is no count above 0"):
        RUNNER.invoke(
            app, ["scale", "tiny/pretrain", "--sizes", "0.1M,big", "--run", str(tmp_path / "x")], catch_exceptions=False
        )
    assert not (tmp_path / "x").exists()
