"""Pairs to learn instructions from, taken from Python text: the head of a function asks, its body answers.

The head is signature and docstring, the body at most `max_lines` lines; both are moved to the left margin together, so
head + body is a function that parses. Stubs (`pass`, `...`, `raise NotImplementedError`) and functions without a
docstring say nothing about each other and are left out. Leaves out decorators, classes and other languages.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from hornbook.corpus.document import Document

MAX_LINES = 15  # of a body: longer ones are seldom decided by their docstring

NEWLINE = re.compile(r"\r\n|\r|\n")  # what ends a line of Python; str.splitlines also cuts at form feeds and others

Row = dict[str, Any]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def pairs(documents: Iterable[Document], *, max_lines: int = MAX_LINES) -> Iterator[Row]:
    """One conversation per function, each different pair once, in the order of the documents and their lines.

    Yields {"messages": [user, assistant], "document": id}. Text that is not Python yields nothing.
    """
    seen: set[tuple[str, str]] = set()
    for document in documents:
        for head, body in functions(document.text, max_lines=max_lines):
            if (head, body) in seen:
                continue
            seen.add((head, body))
            messages = [{"role": "user", "content": head}, {"role": "assistant", "content": body}]
            yield {"messages": messages, "document": document.id}


def functions(text: str, *, max_lines: int = MAX_LINES) -> Iterator[tuple[str, str]]:
    r"""(head, body) of every function with a docstring and a short body.

    >>> list(functions('class A:\n    def f(self):\n        "One."\n\n        return 1\n'))
    [('def f(self):\n    "One."', '    return 1')]
    """
    tree = _tree(text)
    if tree is None:
        return
    lines = NEWLINE.split(text)
    found = [node for node in ast.walk(tree) if isinstance(node, Function) and _says_something(node)]
    for node in sorted(found, key=lambda node: node.lineno):
        docstring = node.body[0].end_lineno
        assert docstring is not None, "the parser gives every statement an end"
        if node.body[1].lineno == docstring:
            continue  # `"doc"; return 1`: no line between the two
        head = _moved(lines[node.lineno - 1 : docstring], node.col_offset)
        body = _trimmed(_moved(lines[docstring : node.end_lineno], node.col_offset))
        if len(body) <= max_lines and body[0][:1].isspace():
            yield "\n".join(head), "\n".join(body)


def _tree(text: str) -> ast.Module | None:
    """The parsed text, or None where it is not Python or cannot hold a function with a docstring."""
    if "def " not in text or not ('"' in text or "'" in text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in someone's string is not our business
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # all that ast.parse may raise on text
        return None


def _says_something(node: Function) -> bool:
    return ast.get_docstring(node, clean=False) is not None and any(not _is_stub(each) for each in node.body[1:])


def _is_stub(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        error = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(error, ast.Name) and error.id == "NotImplementedError"
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Pass)


def _moved(lines: list[str], margin: int) -> list[str]:
    """Lines moved left by `margin`; the inside of a long string may stand further left and stays."""
    return [line[margin:] if not line[:margin].strip() else line for line in lines]


def _trimmed(lines: list[str]) -> list[str]:
    """Without empty lines before and after."""
    full = [number for number, line in enumerate(lines) if line.strip()]
    return lines[full[0] : full[-1] + 1]
