"""Lists of words in files: one a line, `#` begins a comment, blank lines say nothing."""

from pathlib import Path

from hornbook.core.errors import UserError


def read_list(path: Path) -> tuple[str, ...]:
    """The words of a file in order, each once. Raises UserError where there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name a file with one word a line") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text; save the list as UTF-8") from None
    found = dict.fromkeys(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    if not found:
        raise UserError(f"{path}: no words in it; write one a line, or leave the step out")
    return tuple(found)
