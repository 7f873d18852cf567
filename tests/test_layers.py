"""Who may import whom, and what a file may look like: the house rules that a machine can hold.

The order is total (docs/README.md). Rules are functions over the parsed tree of `hornbook/`; at the end each is shown
to bite on a made-up file.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "hornbook"
LEVELS = [
    {"core"},
    {"text", "model", "optim"},
    {"corpus", "data", "objective", "adapt", "exchange"},
    {"generate"},
    {"train", "evaluate", "align"},
    {"plan", "tune"},
    {"serve", "studio"},
]
TOP = len(LEVELS)  # cli.py, build.py, report.py, ...: modules that stand in no folder may import everything
LONGEST_FILE = 260
LONGEST_FUNCTION = 30
MOST_PARAMETERS = 5
WIDE = {
    "cli.py chat": "a parameter is an option of the command",
    "cli_evaluate.py models": "a parameter is an option of the command",
    "cli_evaluate_human.py human": "a parameter is an option of the command",
    "cli_evaluate_judge.py judge": "a parameter is an option of the command",
    "cli_evaluate_text.py text": "a parameter is an option of the command",
    "cli_corpus.py inspect": "a parameter is an option of the command",
    "cli_corpus.py run": "a parameter is an option of the command",
    "cli_generate.py generate": "a parameter is an option of the command",
    "cli_scale.py scale": "a parameter is an option of the command",
    "cli_plan.py plan": "a parameter is an option of the command",
    "cli_serve.py serve": "a parameter is an option of the command",
    "cli_show.py show": "a parameter is an option of the command",
    "cli_tokenizer.py train": "a parameter is an option of the command",
    "model/decoder.py forward": "the contract of every model: each says what the ids alone do not",
    "model/encoder.py forward": "the same, for words and pictures",
    "model/encoder_decoder.py forward": "the same, for two texts",
    "train/loop.py __init__": "all that a training needs from outside, each replaced by a double in the tests",
}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
HEAVY = ["torch", "numpy", "pyarrow", "matplotlib", "transformers", "tokenizers", "pandas"]
LIGHT_MODULES = [
    "hornbook",
    "hornbook.cli",
    *sorted(f"hornbook.core.{p.stem}" for p in (PACKAGE / "core").glob("[a-z]*.py")),
]

# Modules whose tests still stand with those of a neighbour. The list may only become shorter.
UNTESTED = {
    "cli.py", "cli_tokenizer.py", "scores.py", "show.py", "stages.py", "talk.py",
    "exchange/family.py",
    "exchange/tensors.py", "exchange/weights.py",
    "model/blank.py", "model/embed.py", "model/mlp.py", "model/norm.py", "model/stack.py",
    "text/delegate.py", "text/files.py", "text/ranks.py", "text/stream.py", "text/tokenizer.py", "text/view.py",
}  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))


@dataclass(frozen=True)
class Import:
    line: int
    module: str  # dotted, `hornbook.core.recipe`; of `from a import b` both `a` and `a.b` are looked at
    name: str | None


def imports(source: str) -> Iterator[Import]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (Import(node.lineno, module, alias.name) for alias in node.names)


def folder_of(path: Path) -> str | None:
    """The first folder below `hornbook/`, None for the modules of the top level."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else None


def level(folder: str | None) -> int:
    if folder is None:
        return TOP
    for number, folders in enumerate(LEVELS):
        if folder in folders:
            return number
    raise AssertionError(f"hornbook/{folder}: give the folder its place in LEVELS and in docs/README.md")


def import_faults(path: Path, source: str) -> list[str]:
    """What the imports of a file do against the order, `path:line: sentence` each."""
    faults, here = [], folder_of(path)
    for found in imports(source):
        place = f"{path.relative_to(ROOT)}:{found.line}"
        parts = found.module.split(".")
        if found.module.startswith("."):
            faults.append(f"{place}: relative import; write the module in full")
        if parts[0] != "hornbook":
            continue
        there = parts[1] if len(parts) > 1 else found.name
        target = PACKAGE.joinpath(*parts[1:])
        if here is not None and (there is None or not (PACKAGE / there).is_dir()):
            faults.append(
                f"{place}: {found.module} {found.name or ''} is the top level, which only the top level may import"
            )
        elif target.is_dir() and found.name and not _is_module(target / found.name) and target != PACKAGE:
            faults.append(f"{place}: imports the __init__ of {found.module}; import the module that has {found.name}")
        elif there and (PACKAGE / there).is_dir() and here != there and level(there) >= level(here):
            faults.append(f"{place}: {here} (level {level(here)}) imports {there} (level {level(there)})")
    return faults


def _is_module(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_keeps_the_house_rules(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    relative = path.relative_to(PACKAGE)
    assert import_faults(path, source) == []
    assert len(source.splitlines()) <= LONGEST_FILE, f"{relative}: over {LONGEST_FILE} lines; it is two ideas"
    assert len(relative.parts) <= 3, f"{relative}: folders are at most two deep"
    assert not {part.removesuffix(".py") for part in relative.parts} & FORBIDDEN_NAMES, f"{relative}: says nothing"
    if path.name == "__init__.py" and len(relative.parts) > 1:
        assert not source.strip(), f"{relative}: the __init__ of a folder stays empty"
    elif source.strip():
        assert ast.get_docstring(ast.parse(source)), f"{relative}: its first line says what it is"


def function_faults(source: str) -> dict[str, str]:
    """Functions with a body of 30 lines or more (without docstring), or with more than 5 parameters (without self)."""
    faults = {}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        given = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        parameters = len([name for name in given if name not in ("self", "cls")])
        if lines >= LONGEST_FUNCTION:
            faults[node.name] = f"{lines} lines; it does two things"
        elif parameters > MOST_PARAMETERS:
            faults[node.name] = f"{parameters} parameters; some of them belong together"
    return faults


def test_functions_are_short_and_take_little() -> None:
    faults = {
        f"{path.relative_to(PACKAGE).as_posix()} {name}": fault
        for path in FILES
        for name, fault in function_faults(path.read_text(encoding="utf-8")).items()
    }
    assert {place: fault for place, fault in faults.items() if place not in WIDE} == {}
    assert faults.keys() >= WIDE.keys(), "what is mended is struck off the list"


def test_a_long_or_wide_function_is_seen() -> None:
    body = "\n    x = 1" * 29
    assert function_faults(f'def f():\n    """Said."""{body}') == {}
    assert function_faults(f"def f():{body}\n    x = 2") == {"f": "30 lines; it does two things"}
    assert function_faults("class A:\n  def f(self, a, b, c, d, e): ...") == {}
    assert function_faults("def f(a, b, *, c, d, e, g): ...") == {"f": "6 parameters; some of them belong together"}


def test_every_module_has_its_test() -> None:
    """`hornbook/text/bpe.py` is tested by `tests/text/test_bpe.py`."""
    modules = [path.relative_to(PACKAGE) for path in FILES if not path.name.startswith("__")]
    missing = {p.as_posix() for p in modules if not (ROOT / "tests" / p.parent / f"test_{p.name}").is_file()}
    assert missing <= UNTESTED
    assert {p.as_posix() for p in modules} >= UNTESTED, "what is gone is struck off the list"


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_light_modules_import_nothing_heavy(module: str) -> None:
    """`hornbook --help` and every mistyped command answer in under half a second."""
    program = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


@pytest.mark.parametrize(
    ("file", "source", "sentence"),
    [
        ("text/x.py", "from hornbook.train.loop import Loop", "text (level 1) imports train (level 4)"),
        ("text/x.py", "import hornbook.model.norm", "text (level 1) imports model (level 1)"),
        ("text/x.py", "def f():\n    from hornbook.optim import muon", "text (level 1) imports optim (level 1)"),
        ("train/x.py", "from hornbook.core import UserError", "imports the __init__ of hornbook.core"),
        ("train/x.py", "from hornbook.cli import main", "only the top level"),
        ("train/x.py", "import hornbook", "only the top level"),
        ("train/x.py", "from ..core import recipe", "relative import"),
    ],
)
def test_the_rules_bite(file: str, source: str, sentence: str) -> None:
    (fault,) = import_faults(PACKAGE / file, source)
    assert sentence in fault


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("text/x.py", "from hornbook.core.errors import UserError"),
        ("text/x.py", "from hornbook.core import errors"),
        ("text/x.py", "from hornbook.text.tokenizer import Tokenizer"),
        ("train/x.py", "from hornbook.optim.groups import groups\nimport torch"),
        ("cli.py", "from hornbook.report import build\nfrom hornbook.studio import app"),
    ],
)
def test_the_rules_let_good_imports_pass(file: str, source: str) -> None:
    assert import_faults(PACKAGE / file, source) == []


def test_dependencies_are_what_is_imported() -> None:
    """Nothing is imported that pyproject.toml does not name, nothing is named that no file imports, if only by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for name, lines in project["optional-dependencies"].items() if name != "dev" for line in lines]
    named = {re.split(r"[=<>\[]", line)[0].lower() for line in [*project["dependencies"], *extras]}
    modules = {found.module.partition(".")[0] for path in FILES for found in imports(path.read_text(encoding="utf-8"))}
    foreign = {name for name in modules if name and name != "hornbook" and name not in sys.stdlib_module_names}
    imported = {
        {"yaml": "pyyaml", "PIL": "pillow", "lm_eval": "lm-eval", "rouge_score": "rouge-score"}.get(name, name)
        for name in foreign
    }
    by_name = re.findall(r'import_module\("([a-z_]+)"', "".join(path.read_text(encoding="utf-8") for path in FILES))
    assert imported <= named <= imported | {name.replace("_", "-") for name in by_name}


def test_the_lock_files_pin_versions_and_nothing_else() -> None:
    """No address of an index, no build label of one machine: the same file serves every machine."""
    runtime, everything = ((ROOT / f"requirements{kind}.lock").read_text().split() for kind in ("", "-dev"))
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in everything)
    assert not any(line.startswith(("nvidia-", "cuda-", "triton==")) for line in everything)
    assert set(runtime) < set(everything)
