"""Aligned tables in the terminal: numbers to the right, words to the left, nothing twice."""

from collections.abc import Iterable, Sequence
from typing import TextIO


def text_of(value: object) -> str:
    """A cell: four significant figures, thousands apart, nothing for None.

    >>> text_of(1234567), text_of(0.123456), text_of(1690.0), text_of(None), text_of(True), text_of("x")
    ('1,234,567', '0.1235', '1,690', '', 'yes', 'x')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", file: TextIO | None = None
) -> None:
    """Write a table to the terminal (or `file`); a column of numbers is aligned to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [list(row) for row in rows]
    table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        numbers = of_numbers(row[place] for row in cells)
        # where there is little room words are folded, but never a number; a header says itself where it may break
        table.add_column(column, justify="right" if numbers else "left", overflow="fold", no_wrap=numbers)
    for row in cells:
        table.add_row(*(Text(text_of(cell)) for cell in row))  # Text: a `[tag]` in a cell is no markup
    Console(file=file, highlight=False).print(table)


def of_numbers(cells: Iterable[object]) -> bool:
    """Whether a column stands to the right: every cell that is not empty is a number or begins like one.

    >>> of_numbers([1, None, "5.1M"]), of_numbers(["3 cores", "none"]), of_numbers([None])
    (True, False, False)
    """
    said = [text_of(cell) for cell in cells if cell is not None]
    return bool(said) and all(text.lstrip("-")[:1].isdigit() for text in said)
