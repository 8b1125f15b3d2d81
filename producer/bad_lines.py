"""Lines that name nothing to scan: the first are shown, all are kept in a file."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile

from producer.report.csv_file import guarded
from producer.sources import BadLine

#: A list of the wrong kind would fill the screen.
SHOWN_LINES = 20
FILE = "bad-lines.csv"


class BadLines:
    """Called with each; `save` puts them where the results are."""

    def __init__(self, show: Callable[[BadLine], None], say: Callable[[str], None]) -> None:
        self._show, self._say = show, say
        self._count = 0
        self._kept = TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115 - lives on
        self._table = csv.writer(self._kept, lineterminator="\r\n")
        self._table.writerow(["source", "line", "why", "text"])

    def __call__(self, line: BadLine) -> None:
        self._count += 1
        self._table.writerow([guarded(line.source), line.line, line.why, guarded(line.text)])
        if self._count <= SHOWN_LINES:
            self._show(line)
        elif self._count == SHOWN_LINES + 1:
            self._say(f"… more such lines; {FILE} beside the results will have them all")

    def close(self) -> None:
        self._kept.close()

    def save(self, folder: Path) -> Path | None:
        """None where every line was good; a file of an earlier run goes then."""
        path = folder / FILE
        if not self._count:
            path.unlink(missing_ok=True)
            return None
        self._kept.seek(0)
        part = path.with_name(f".{FILE}.part")
        with part.open("w", encoding="utf-8", newline="") as file:
            shutil.copyfileobj(self._kept, file)
        part.replace(path)
        return path
