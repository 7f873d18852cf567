import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hornbook.cli import app
from tests.corpus.scripted import SEEDS
from tests.generate.test_endpoint import Server, server  # noqa: F401 - a fixture

RUN = CliRunner()


def test_self_instruct_against_a_server(server: Server, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "seeds.jsonl").write_text("\n".join(json.dumps(seed) for seed in SEEDS))
    (tmp_path / "key").write_text("secret\n")
    values = [f"method.seeds={tmp_path}/seeds.jsonl", f"model.url={server.url}", "model.seconds=5"]
    command = ["synthesize", "synthetic/self-instruct", *values, "--out", str(tmp_path / "out"), "--key"]
    result = RUN.invoke(app, [*command, str(tmp_path / "key"), "rows=30"])
    assert result.exit_code == 0, result.output
    assert "30/30 rows" in result.output
    assert "alpaca.jsonl" in result.output
    assert len((tmp_path / "out" / "alpaca.jsonl").read_text().splitlines()) == 30
    assert {each["key"] for each in server.seen} == {"Bearer secret"}
    assert "secret" not in "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    asked = len(server.seen)
    assert RUN.invoke(app, [*command, str(tmp_path / "key"), "rows=30"]).exit_code == 0
    assert len(server.seen) == asked, "what is done is not asked again"


@pytest.mark.parametrize("rows", ["0", "-1"])
def test_no_rows_are_refused(rows: str, tmp_path: Path) -> None:
    result = RUN.invoke(app, ["synthesize", "synthetic/magpie", f"rows={rows}", "--out", str(tmp_path)])
    assert f"rows: {rows} are none; give 1 or more" in str(result.exception)
