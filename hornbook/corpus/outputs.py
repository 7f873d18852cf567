"""What a task writes: the documents it keeps, some or all of those it drops with the reason, a scan, an account."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.core.files import new_file
from hornbook.corpus.document import Across, Document, Result
from hornbook.corpus.dropped import DROPPED
from hornbook.corpus.ledger import SAMPLES, Ledger
from hornbook.corpus.rows import SCHEMA, to_arrow
from hornbook.corpus.task import Place


class Outputs:
    """The files of a task while they are written; they take their names when all is well."""

    def __init__(self, place: Place, ledger: Ledger, scan: Across | None, *, all_dropped: bool) -> None:
        self.place, self.ledger, self.scan, self.all_dropped = place, ledger, scan, all_dropped
        self._files = ExitStack()

    def __enter__(self) -> "Outputs":
        self._kept = self._parquet(self.place.documents, SCHEMA)
        self._dropped = self._parquet(self.place.dropped, DROPPED)
        if self.scan is not None:
            sink = self._files.enter_context(new_file(self.place.scan))
            schema = self.scan.scan([]).schema
            self._scanned = self._files.enter_context(pa.ipc.new_file(sink, schema))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._files.__exit__(kind, error, at)

    def account(self, step: str, batch: list[Document], result: Result) -> list[Document]:
        """Write down what a step did to a batch; the documents it kept."""
        shown = [pair for pair in result.dropped if self.all_dropped or self._is_new(step, pair[1])]
        kept = self.ledger.account(step, batch, result)
        if shown:
            table = to_arrow([document for document, _ in shown])
            table = table.append_column("step", pa.array([step] * len(shown)))
            self._dropped.write_table(table.append_column("reason", pa.array([reason for _, reason in shown])))
        return kept

    def write(self, documents: list[Document]) -> None:
        """Keep some documents."""
        if documents:
            self._kept.write_table(to_arrow(documents))

    def note(self, documents: list[Document]) -> None:
        """Note what the step that follows has to know of them."""
        if documents and self.scan is not None:
            self._scanned.write_batch(self.scan.scan(documents))

    def _is_new(self, step: str, reason: str) -> bool:
        """Whether a reason has been given less often than examples are shown."""
        account = self.ledger.steps.get(step)
        given = account.dropped.get(reason) if account else None
        return given is None or given.documents < SAMPLES

    def _parquet(self, path: Path, schema: pa.Schema) -> pq.ParquetWriter:
        sink = self._files.enter_context(new_file(path))
        return self._files.enter_context(pq.ParquetWriter(sink, schema, compression="zstd"))
