"""results.jsonl: one object a row. Pure ASCII, so no row can break a line or steer a terminal."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from producer.report.flat import json_record
from schemas.records import ResultRow


@contextmanager
def json_lines(path: Path) -> Iterator[Callable[[ResultRow], None]]:
    with path.open("w", encoding="ascii", newline="\n") as file:
        yield lambda row: print(json.dumps(json_record(row), allow_nan=False), file=file)
