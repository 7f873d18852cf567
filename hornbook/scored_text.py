"""Texts without a model, and models on texts: files are read, metrics printed and written down."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hornbook.core.errors import UserError
from hornbook.core.files import write_json
from hornbook.core.table import print_table
from hornbook.data import rows
from hornbook.evaluate import text_metrics
from hornbook.evaluate.segments import LANGUAGES, Language, Segments, language_of

LISTS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class Texts:
    """What is read."""

    written: Path
    references: tuple[Path, ...] = ()
    against: Path | None = None
    """What another system wrote of the same."""
    key: str = "text"
    """The column of a file of rows."""
    reference_key: str | None = None
    """That of the references; in `written` itself where there are no files of them."""
    language: str = AUTO


def evaluate(texts: Texts, names: Sequence[str], out: Path | None) -> dict[str, Any]:
    """Measure what was written, print it, and write it to `out`."""
    written = column(texts.written, texts.key)
    references = _references(texts, len(written))
    language = _language(texts.language, written, references)
    systems = [texts.written, *([texts.against] if texts.against else [])]
    found = {}
    for path in systems:
        some = written if path == texts.written else column(path, texts.key)
        _same_length(path, len(some), texts.written, len(written))
        found[path.name if len({each.name for each in systems}) == len(systems) else str(path)] = text_metrics.measure(
            Segments(some, references, language), names
        )
    result = _result(found, {"language": language, "segments": len(written), **_empty(written, references)})
    _say(result, told=texts.language == AUTO)
    if out is not None:
        first = next(iter(found.values()))
        write_json(out, {**result, "each": text_metrics.per_segment(first, len(written))})
        print(out)
    return result


def column(path: Path, key: str) -> list[str]:
    """The texts of a file: its lines, or a column of its rows; empty ones are texts too."""
    if rows.kind_of(path) in LISTS:
        return [_text(row, key, path) for row in rows.read(path)]
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig") as file:
            lines = file.read().split("\n")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; check the path") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder; name a file of lines, or of rows with --key") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start:,} is no UTF-8; convert the file") from None
    lines = lines if lines[-1] else lines[:-1]
    if not lines:
        raise UserError(f"{path}: has no segments; give one a line")
    return lines


def _text(row: rows.Row, key: str, path: Path) -> str:
    found = row.get(key)
    if not isinstance(found, str):
        columns = ", ".join(name for name in row if name != "id")
        raise UserError(f"{path.parent / row['id']}: has no text in {key!r}; say --key with one of {columns}")
    return found


def _references(texts: Texts, count: int) -> list[list[str]]:
    """For each text its references: one from every file, or those that stand in its own row."""
    if texts.references:
        columns = [column(path, texts.reference_key or texts.key) for path in texts.references]
        for path, some in zip(texts.references, columns, strict=True):
            _same_length(path, len(some), texts.written, count)
        return [list(some) for some in zip(*columns, strict=True)]
    if texts.reference_key is None:
        return []
    found = []
    for row in rows.read(texts.written):
        own = row.get(texts.reference_key)
        found.append([own] if isinstance(own, str) else own)
        if not isinstance(found[-1], list) or not found[-1] or not all(isinstance(each, str) for each in found[-1]):
            raise UserError(
                f"{texts.written.parent / row['id']}: {texts.reference_key!r} is {own!r}; give a text or a list of them"
            )
    return cast(list[list[str]], found)


def _same_length(path: Path, count: int, first: Path, wanted: int) -> None:
    if count != wanted:
        raise UserError(
            f"{path}: has {count:,} segments and {first} has {wanted:,}; segment by segment they belong together, so "
            "give files of equally many (empty lines count)"
        )


def _language(asked: str, written: Sequence[str], references: Sequence[Sequence[str]]) -> Language:
    if asked == AUTO:
        return language_of(written, references)
    if asked not in LANGUAGES:
        raise UserError(f"--language: {asked!r} is not known; take {', '.join(LANGUAGES)} or auto")
    return cast(Language, asked)


def _empty(written: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, int]:
    return {
        "empty": sum(not text.strip() for text in written),
        "empty_references": sum(not any(text.strip() for text in some) for some in references),
    }


def _result(found: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    result = {"about": about, "scores": {name: text_metrics.plain(each) for name, each in found.items()}}
    if len(found) == 2:
        differences = text_metrics.compare(*found.values())
        result["differences"] = {
            name: {
                "value": each.value,
                "interval": list(each.interval),
                "chance": each.chance,
                "test": each.test,
                "says": text_metrics.sentence(name, each, list(found)),
            }
            for name, each in differences.items()
        }
    return result


def _say(result: dict[str, Any], *, told: bool) -> None:
    about, scores = result["about"], result["scores"]
    first = next(iter(scores.values()))
    print_table(
        ("metric", *(name for name in scores)),
        [(metric, *(_cell(each[metric]) for each in scores.values())) for metric in first],
    )
    print(f"{about['segments']:,} segments; in brackets: the 95 % interval")
    how = "told by the script, --language says otherwise" if told else "as --language says"
    print(f"language: {about['language']} ({how})")
    for name, kind in (("empty", "texts"), ("empty_references", "references")):
        if about[name]:
            print(f"{about[name]:,} of {about['segments']:,} {kind} are empty and count as such")
    for metric, each in first.items():
        print(f"{metric:<10} {each['signature']}")
    for metric, each in result.get("differences", {}).items():
        print(f"{metric:<10} {each['says']}")


def _cell(score: dict[str, Any]) -> str:
    low, high = score["interval"]
    return f"{score['value']:.4f} ({low:.4f} to {high:.4f})"
