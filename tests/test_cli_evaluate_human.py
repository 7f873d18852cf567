"""`hornbook evaluate human` on the command line: its help, its scales, and mistakes in a sentence."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hornbook.cli_evaluate import evaluate_app
from hornbook.cli_evaluate_human import scales
from hornbook.core.errors import UserError
from hornbook.evaluate.study import USUAL, Scale


def run(*words: str) -> str:
    found = CliRunner().invoke(evaluate_app, ["human", *words], catch_exceptions=True)
    return str(found.exception) if found.exception else found.output


def test_help() -> None:
    assert "--likert" in run("--help") or "likert" in run("--help")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "models: none; name two or more"),
        (("--results", "none"), "none: nobody was asked anything here"),
        (("a=runs/x", "b=runs/y"), "--prompts: no file"),
        (("runs/x", "runs/x"), "would both be called"),
        (("runs/x", "--scale", "fluent", "--scale", "fluent: again"), "every scale has a name of its own"),
    ],
)
def test_a_mistake_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    assert sentence in run(*words)


def test_an_empty_file_of_prompts(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("\n")
    assert "p.txt: there is no prompt in it; write one a line" in run(
        "a=x/a", "b=x/b", "--prompts", str(tmp_path / "p.txt")
    )


def test_scales() -> None:
    assert scales([], likert=False) == ()
    assert scales([], likert=True) == USUAL
    own = (Scale("fluent", "reads well: as a native writes"), Scale("true"))
    assert scales(["fluent: reads well: as a native writes", "true"], likert=False) == own
    with pytest.raises(UserError, match="--scale"):
        scales([": reads well"], likert=True)
