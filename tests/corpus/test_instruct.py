"""Pairs from Python text: what is taken, what is left out, and that head and body are a function again."""

import ast
import inspect
import textwrap

import pytest

from hornbook.corpus.document import Document
from hornbook.corpus.instruct import functions, pairs

SOURCE = '''
import os

class Stack:
    """Not a function."""

    @property
    def top(self) -> int:
        """The last item.

        Raises IndexError when empty.
        """

        # a comment belongs to the body
        return self.items[-1]

    async def wait(self):
        "One line."
        await self.done


def outer(x):
    """Holds another function."""
    def inner(y):
        \'\'\'Inside.\'\'\'
        return y * 2

    return inner(x)

def bare(x):
    return x

def stub():
    """To be written."""
    raise NotImplementedError("later")

def dots(): 
    """Nothing."""
    ...

def empty():
    """Nothing either."""
    pass

def short(): "Doc."; return 1

def only_docstring():
    """Alone."""
'''


def document(text: str, name: str = "a.py") -> Document:
    return Document(name, text, "test")


def test_heads_and_bodies_in_the_order_of_the_lines() -> None:
    assert list(functions(SOURCE)) == [
        (
            'def top(self) -> int:\n    """The last item.\n\n    Raises IndexError when empty.\n    """',
            "    # a comment belongs to the body\n    return self.items[-1]",
        ),
        ('async def wait(self):\n    "One line."', "    await self.done"),
        (
            'def outer(x):\n    """Holds another function."""',
            "    def inner(y):\n        '''Inside.'''\n        return y * 2\n\n    return inner(x)",
        ),
        ("def inner(y):\n    '''Inside.'''", "    return y * 2"),
    ]


def test_rows_are_conversations_with_their_document() -> None:
    rows = list(pairs([document(SOURCE, "one.py"), document("no code", "notes.txt"), document(SOURCE, "copy.py")]))
    assert [row["document"] for row in rows] == ["one.py"] * 4, "a copy of a pair is not taken again"
    assert [message["role"] for message in rows[1]["messages"]] == ["user", "assistant"]
    assert rows[1]["messages"][1]["content"] == "    await self.done"


def test_long_bodies_are_left_out() -> None:
    def source(lines: int) -> str:
        return 'def f(x):\n    """Doc."""\n' + "    x += 1\n" * lines

    assert [len(list(functions(source(n)))) for n in (1, 15, 16)] == [1, 1, 0]
    assert len(list(functions(source(16), max_lines=16))) == 1


@pytest.mark.parametrize("module", [ast, inspect, textwrap], ids=lambda module: module.__name__)
def test_every_pair_of_real_modules_is_a_function_again(module: object) -> None:
    found = list(functions(inspect.getsource(module)))
    assert len(found) >= 3
    for head, body in found:
        (node,) = ast.parse(f"{head}\n{body}\n").body
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        assert ast.get_docstring(node) is not None


@pytest.mark.parametrize(
    "text",
    ["", "def broken(:\n    'x'", "学而时习之", "def f():\n\t'''tabs'''\n\x00", "x = 1", "(" * 10_000 + "def 'x'"],
)
def test_text_that_is_not_python_gives_nothing(text: str) -> None:
    assert list(pairs([document(text)])) == []


def test_tabs_and_unicode_are_kept() -> None:
    found = list(functions("class A:\n\tdef f(x):\n\t\t'''加一'''\n\t\treturn x + 1  # 完\n"))
    assert found == [("def f(x):\n\t'''加一'''", "\treturn x + 1  # 完")]


def test_lines_are_pythons_lines() -> None:
    text = "\x0c\r\ndef f(x):\r\n    'One\x85line\u2028still.'\r\n    return '\x0b'\r\n"
    assert list(functions(text)) == [("def f(x):\n    'One\x85line\u2028still.'", "    return '\x0b'")]


def test_a_string_that_reaches_the_margin_is_not_cut() -> None:
    text = "class A:\n    def f(x):\n        'Doc.'\n        return '''\nleft\n  two\n'''\n"
    assert list(functions(text)) == [("def f(x):\n    'Doc.'", "    return '''\nleft\n  two\n'''")]
