"""Where a benchmark's rows are: in a folder of the user's, laid out as the public repositories are, or on the hub.

Nothing is fetched unless `--fetch` asks for it. A pattern such as `mmlu/{split}/{subject}_{split}.csv` says which files
are read; what `{subject}` stands for is found by looking.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hornbook.core.errors import UserError
from hornbook.data import rows
from hornbook.data.rows import Row

SUBJECT = "{subject}"


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A dataset on the hub, in Parquet."""

    name: str
    """`owner/name`."""
    files: str
    """Pattern of its Parquet files, with {split} and {subject} where they vary."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """The rows of a benchmark."""

    files: tuple[str, ...]
    """Patterns of files below the data folder, the first that is there is read; with {split} and {subject}."""
    split: str = "test"
    """The rows that are asked."""
    shots: str | None = None
    """The split whose rows may be shown as examples."""
    header: tuple[str, ...] = ()
    """Names of the columns, where a CSV has no header."""
    hub: Hub | None = None

    def subjects(self, folder: Path) -> list[str]:
        """What {subject} stands for, in order; [""] where the rows have none."""
        pattern, found = self._found(folder, self.split)
        if SUBJECT not in pattern:
            return [""]
        exact = re.compile(_regex(pattern.format(split=self.split, subject=SUBJECT)))
        names = [exact.fullmatch(path.relative_to(folder).as_posix()) for path in found]
        return sorted({match["subject"] for match in names if match})

    def rows(self, folder: Path, split: str, subject: str = "") -> Iterator[Row]:
        """The rows of a split, of one subject; each has an `id` and a `subject`."""
        pattern, _ = self._found(folder, split)
        for path in sorted(folder.glob(pattern.format(split=split, subject=subject))):
            for row in rows.read(path, header=self.header or None):
                yield {"subject": subject.replace("_", " "), **row}

    def _found(self, folder: Path, split: str) -> tuple[str, list[Path]]:
        for pattern in self.files:
            if found := sorted(folder.glob(pattern.format(split=split, subject="*"))):
                return pattern, found
        wanted = " or ".join(pattern.format(split=split, subject="SUBJECT") for pattern in self.files)
        where = f"; `--fetch` takes it from the hub ({self.hub.name})" if self.hub else ""
        raise UserError(f"{folder}: holds no {wanted}; put the benchmark's own files there{where}")

    def fetch(self, folder: Path) -> None:
        """Take the files from the hub, where they are not there yet."""
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        if self.hub is None:
            return
        try:
            self._found(folder, self.split)
        except UserError:
            splits: Sequence[str] = [self.split, *([self.shots] if self.shots else [])]
            wanted = [self.hub.files.format(split=split, subject="*") for split in splits]
            try:
                target = folder / self.hub.name.partition("/")[2]
                snapshot_download(self.hub.name, repo_type="dataset", allow_patterns=wanted, local_dir=target)
            except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
                why = str(error).strip().splitlines()[0]
                raise UserError(f"{self.hub.name}: is not to be had from the hub ({why}); give --data DIR") from None


def _regex(pattern: str) -> str:
    """A pattern with `*` and {subject} as a regular expression."""
    escaped = re.escape(pattern).replace(re.escape(SUBJECT), "(?P<subject>.+?)", 1)
    return escaped.replace(re.escape(SUBJECT), "(?P=subject)").replace(r"\*", ".*")
