"""All files of a report in one pass over the rows; each appears whole or not at all."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from infra.closed import make_closed
from infra.objects import Store
from producer.report.csv_file import csv_file
from producer.report.json_lines import json_lines
from producer.report.pictures import Gallery
from schemas.records import CampaignStatus, ResultRow
from unmask.model.bundle import Bundle


class RowSource(Protocol):
    """What a report needs of the ledger."""

    def status(self, name: str) -> CampaignStatus: ...

    def results(self, name: str) -> Iterator[ResultRow]: ...


#: Takes one row; what it has taken is on disk when its context ends.
AddRow = Callable[[ResultRow], None]
Export = Callable[[Path], AbstractContextManager[AddRow]]


def write_reports(
    ledger: RowSource, store: Store, campaign: str, folder: Path, bundle: Bundle | None = None
) -> list[Path]:
    """Write `results.csv`, `results.jsonl`, `results.parquet` and `report.html` into the folder.

    With the `bundle` that judged, the page says more of it.
    """
    status = ledger.status(campaign)
    written_at = datetime.now(UTC)
    from producer.report.page import page
    from producer.report.parquet_file import parquet_file

    exports: dict[str, Export] = {
        "results.csv": csv_file,
        "results.jsonl": json_lines,
        "results.parquet": parquet_file,
        "report.html": lambda path: page(path, status, Gallery(store), written_at, bundle),
    }
    make_closed(folder)
    with ExitStack() as open_files:
        adders = [
            open_files.enter_context(_appearing(folder / name, export))
            for name, export in exports.items()
        ]
        for row in ledger.results(campaign):
            for add in adders:
                add(row)
    return [folder / name for name in exports]


@contextmanager
def _appearing(path: Path, export: Export) -> Iterator[AddRow]:
    """Write beside the place, then take it; a report that broke off leaves the last one as it was.

    The name of the part is always the same, so what a kill left behind is overwritten.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with export(part) as add:
            yield add
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
