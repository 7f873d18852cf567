"""What the documents promise: commands that exist, examples that run, links that lead somewhere, two equal READMEs."""

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from hornbook import cli

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
names = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]


def blocks(path: Path, language: str | None = None) -> list[str]:
    """The code blocks of a document."""
    found = FENCE.findall(path.read_text(encoding="utf-8"))
    return [code for kind, code in found if language is None or kind == language]


def commands(path: Path) -> list[str]:
    """The lines of all code blocks that call hornbook or make."""
    lines = [line.partition(" #")[0].strip() for code in blocks(path) for line in code.splitlines()]
    return [line for line in lines if re.match(r"(\$ )?(\.venv/bin/)?(hornbook|make) ", line)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=names)
def test_every_command_can_be_given(path: Path) -> None:
    """Arguments are parsed as the command line would, nothing is run."""
    for line in commands(path):
        words = shlex.split(line.removeprefix("$ "))
        if words[0] == "make":
            targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            assert words[1] in targets, line
            continue
        parse(typer.main.get_command(cli.app), words[1:])


def parse(command: Any, arguments: list[str]) -> None:
    """Read the arguments as the command line does, without running the command; an error is raised."""
    parent = None
    while hasattr(command, "resolve_command"):  # a group of commands
        if arguments == ["--help"]:
            return
        parent = type(command).context_class(command, parent=parent)
        _, command, arguments = command.resolve_command(parent, arguments)
    if arguments != ["--help"]:
        command.make_context(command.name, list(arguments), parent=parent)


@pytest.mark.parametrize("line", ["biuld demo", "build", "build demo --rnu x", "compare", "tokenizer trian x", "chat"])
def test_a_command_that_cannot_be_given_is_seen(line: str) -> None:
    with pytest.raises(Exception, match=r"No such command|Missing parameter|No such option"):
        parse(typer.main.get_command(cli.app), shlex.split(line))


@pytest.mark.parametrize("path", DOCUMENTS, ids=names)
def test_every_link_leads_somewhere(path: Path) -> None:
    prose = FENCE.sub("", path.read_text(encoding="utf-8"))
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", prose)]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=names)
def test_every_python_block_is_python(path: Path) -> None:
    for code in blocks(path, "python"):
        ast.parse(code)


def test_both_readmes_say_the_same() -> None:
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))

    def skeleton(text: str) -> dict[str, list[str]]:
        prose = FENCE.sub("", text)
        links = re.findall(r"\]\(([^)\s]+)\)", prose)
        return {
            "headings": re.findall(r"^#+(?= )", prose, re.MULTILINE),
            "commands": [code for kind, code in FENCE.findall(text) if kind],
            "links": [re.sub(r"(README|\.zh)(\.zh)?\.md|\.zh(?=\.md)", "", link).replace(".md", "") for link in links],
            "rows": re.findall(r"^\|", prose, re.MULTILINE),
            "points": re.findall(r"^\* ", prose, re.MULTILINE),
            "figures": re.findall(r"^\|.*\d.*\|$", prose, re.MULTILINE) and re.findall(r"\b\d+\.\d+\b", prose),
        }

    assert skeleton(english) == skeleton(chinese)


def test_the_python_of_the_readme_names_what_there_is() -> None:
    import hornbook
    from hornbook.generate.language_model import LanguageModel

    (first, _) = blocks(ROOT / "README.md", "python")
    calls = [node.func for node in ast.walk(ast.parse(first)) if isinstance(node, ast.Call)]
    called = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    assert called == {"load", "generate", "save"}
    assert all(hasattr(hornbook, name) or hasattr(LanguageModel, name) for name in called)


def test_the_worked_example_runs() -> None:
    """The sublayer of CONTRIBUTING.md passes its own tests, and they see when it forgets the past."""
    module, tests = blocks(ROOT / "CONTRIBUTING.md", "python")
    assert failing(module, tests) == []
    forgetful = module.replace('state["past"] = seen', 'state["lost"] = seen')
    assert forgetful != module
    assert failing(forgetful, tests) == ["test_decoding_token_by_token_is_the_full_forward"]


def failing(module: str, tests: str) -> list[str]:
    """The tests that fail when a module's names are in reach."""
    names: dict[str, Any] = {"__name__": "convolution"}
    exec(module, names)
    exec(tests, names)
    cases = [name for name in names if name.startswith("test_")]
    assert len(cases) == 4

    def fails(name: str) -> bool:
        try:
            names[name]()
        except AssertionError:
            return True
        return False

    return [name for name in cases if fails(name)]
