"""From what a recipe names to files, always in the same order.

That is `stdlib` or a part of it (`stdlib/json`), a file, a folder, a glob, or several of them.

Several are a list, or a mapping that gives each its name: `{web: [crawl-1, crawl-2], books: ~/books}`.
Folders are walked as a stream, so a million files need no more memory than one. Hidden files are left out.
"""

import glob
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hornbook.core.errors import UserError
from hornbook.corpus import stdlib

STDLIB = "stdlib"
MAGIC = "*?["
Sources = Sequence[str] | Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class File:
    """A file to read, the name its documents get, and the source it belongs to."""

    path: Path
    id: str
    source: str


def files(sources: Sources, fault: Callable[[str, str], None]) -> Iterator[File]:
    """Every file of the sources, source by source; a folder that cannot be opened goes to `fault(place, why)`."""
    for name, prefix, source in _named(sources):
        for path, inside in _expand(source, fault):
            yield File(path, prefix + inside, name)


def paths(sources: Sources) -> list[str]:
    """What the sources name, without their names.

    >>> paths({"web": ("crawl-1", "crawl-2"), "books": "~/books"})
    ['crawl-1', 'crawl-2', '~/books']
    """
    return [source for _, _, source in _named(sources)]


def source_names(sources: Sources) -> list[str]:
    """The name of each source; where none is given the last part of its path, or the whole if two would be the same.

    >>> source_names(["stdlib", "notes/mine.txt", "a/data", "b/data"])
    ['stdlib', 'mine.txt', 'a/data', 'b/data']
    >>> source_names({"web": ["crawl-1", "crawl-2"], "books": "~/books"})
    ['web', 'books']
    """
    if isinstance(sources, Mapping):
        return list(sources)
    short = [Path(source).name or source for source in sources]
    return [name if short.count(name) == 1 else source for name, source in zip(short, sources, strict=True)]


def _named(sources: Sources) -> Iterator[tuple[str, str, str]]:
    """Name, what the names of its files begin with, and path of each source."""
    if not isinstance(sources, Mapping):
        for name, source in zip(source_names(sources), sources, strict=True):
            yield name, f"{name}/" if len(sources) > 1 else "", source
        return
    for name, group in sources.items():
        several = [group] if isinstance(group, str) else group
        for inner, source in zip(source_names(several), several, strict=True):
            yield name, f"{name}/{inner}/" if len(several) > 1 else f"{name}/", source


def is_one_file(sources: Sources) -> bool:
    """Whether the recipe names exactly one file, so that anything wrong with it is an error at once."""
    named = paths(sources)
    return len(named) == 1 and Path(named[0]).expanduser().is_file()


def fingerprint(sources: Sources) -> str:
    """Hash of the names and contents of every file of the sources: equal while nothing has changed."""
    digest = hashlib.sha256()
    for file in files(sources, ignore):
        digest.update(f"{file.source}\0{file.id}\0".encode(errors="surrogateescape"))
        try:
            with file.path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:  # reading will count it; a file that becomes readable changes the hash
            digest.update(f"{error.errno}".encode())
    return digest.hexdigest()


def ignore(_place: str, _why: str) -> None:
    """A `fault` for a walk that only counts: reading reports the same fault."""


def _expand(source: str, fault: Callable[[str, str], None]) -> Iterator[tuple[Path, str]]:
    first, _, part = source.partition("/")
    root = stdlib.folder() / part
    if source == STDLIB or (first == STDLIB and root.is_dir() and not Path(source).exists()):
        yield from ((path, path.relative_to(root).as_posix()) for path in stdlib.modules(root))
        return
    path = Path(source).expanduser()
    if path.is_dir():
        found = _walk(path, fault) if not is_corpus(path) else _corpus_files(path)
    elif path.exists():
        found = iter([path])
        path = path.parent
    elif any(sign in source for sign in MAGIC):
        found, path = _matches(str(path), fault), _fixed_part(path)
    else:
        raise UserError(f"{source}: no such file or folder; name text that exists, or stdlib")
    none = True
    for one in found:
        none = False
        yield one, one.relative_to(path).as_posix()
    if none:
        raise UserError(f"{source}: no file in it; hidden files (.name) do not count")


def is_corpus(folder: Path) -> bool:
    """Whether the folder is what `hornbook corpus` wrote: its documents are read, not its account and what it dropped.

    What was held out there is held out here too, where documents go by their hash and the share is the same.
    """
    return (folder / "ledger.json").is_file() and (folder / "train-00000.parquet").is_file()


def _corpus_files(folder: Path) -> Iterator[Path]:
    for split in ("train", "validation"):
        yield from sorted(folder.glob(f"{split}-*.parquet"))


def _matches(pattern: str, fault: Callable[[str, str], None]) -> Iterator[Path]:
    for name in sorted(glob.glob(pattern, recursive=True)):
        if os.path.isfile(name):
            yield Path(name)
        elif not pattern.endswith("**"):  # `notes/*` means the folders in notes too; `**` lists their files itself
            yield from _walk(Path(name), fault)


def _fixed_part(pattern: Path) -> Path:
    parts = list(pattern.parts)
    first = next(i for i, part in enumerate(parts) if any(sign in part for sign in MAGIC))
    return Path(*parts[:first])


def _walk(folder: Path, fault: Callable[[str, str], None], above: frozenset[int] = frozenset()) -> Iterator[Path]:
    """Files below a folder; links are followed unless they lead back up (`above`: the inodes on the way here)."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        here = folder.stat().st_ino
    except OSError as error:
        fault(str(folder), f"cannot open this folder ({error.strerror})")
        return
    if here in above:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(Path(entry.path), fault, above | {here})
        elif entry.is_file():
            yield Path(entry.path)
