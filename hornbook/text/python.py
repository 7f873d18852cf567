"""Whether a text is the body of a Python function: what can be checked without a judge and without running anything."""

import ast
import warnings


def function_body(text: str) -> str:
    r"""What belongs to the function: everything before the first line that is not indented.

    >>> function_body("    return 1\n\ndef g(): pass")
    '    return 1'
    """
    kept: list[str] = []
    for line in text.splitlines():
        if line.strip() and not line[0].isspace() and any(earlier.strip() for earlier in kept):
            break
        kept.append(line)
    return "\n".join(kept).rstrip()


def is_python(head: str, body: str) -> bool:
    r"""Whether the function parses and does something.

    >>> is_python("def f(x):\n", "    return x"), is_python("def f(x):\n", "    return ("), is_python("def f():\n", "")
    (True, False, False)
    """
    if not body.strip():
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a string and the like: the writer's business, not ours
            tree = ast.parse(head.rstrip() + "\n" + body + "\n")
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # all that ast.parse may raise on text
        return False
    function = tree.body[0] if len(tree.body) == 1 else None
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return any(not _says_nothing(statement) for statement in function.body)


def _says_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )
