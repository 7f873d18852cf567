"""`hornbook serve` as a person mistypes it; a server that runs is in tests/serve."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hornbook.cli import app
from hornbook.core.errors import UserError


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["x", "--host", "0.0.0.0"], "--host 0.0.0.0: others could use the models; give --api-key-file"),
        (["x", "--api-key-file", "EMPTY"], "holds no key"),
        (["no/such", "--port", "0"], "no/such"),
        (["x", "--port", "99999"], "--port 99999"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    words = [str(tmp_path / "empty") if word == "EMPTY" else word for word in arguments]
    with pytest.raises(UserError, match=sentence):
        CliRunner().invoke(app, ["serve", *words], catch_exceptions=False, env={"HORNBOOK_API_KEY": ""})


def test_the_help_names_the_options() -> None:
    text = CliRunner().invoke(app, ["serve", "--help"]).output
    assert all(option in text for option in ("--host", "--port", "--slots", "--queue", "--api-key-file"))
