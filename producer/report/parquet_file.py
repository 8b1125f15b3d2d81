"""results.parquet: typed columns, written in row groups."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from producer.report.flat import COLUMNS, record
from schemas.records import ResultRow

ROW_GROUP = 10_000

_MOMENT = pa.timestamp("us", tz="UTC")
_SEGMENT = pa.struct(
    [
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("raw", pa.float64()),
        ("probability", pa.float64()),
        ("telling_s", pa.float64()),
        ("evidence", pa.string()),
        ("heat", pa.string()),
        ("frame_scores", pa.list_(pa.float64())),
    ]
)
_PERSON = pa.struct(
    [
        ("person", pa.int32()),
        ("outcome", pa.string()),
        ("probability", pa.float64()),
        ("blurred", pa.bool_()),
        ("segments", pa.list_(_SEGMENT)),
    ]
)
_TYPES = {
    "item": pa.int64(),
    "duration_s": pa.float64(),
    "width": pa.int32(),
    "height": pa.int32(),
    "probability": pa.float64(),
    "threshold_real": pa.float64(),
    "threshold_fake": pa.float64(),
    "persons": pa.list_(_PERSON),
    "faces_seen": pa.int64(),
    "frames_analysed": pa.int64(),
    "coverage": pa.float64(),
    "left_out": pa.int64(),
    "partial": pa.bool_(),
    "notes": pa.list_(pa.string()),
    "evidence": pa.list_(pa.string()),
    "frames": pa.int32(),
    "stride": pa.int32(),
    "extract_only": pa.bool_(),
    "inherited_from": pa.int64(),
    "attempts": pa.int32(),
    "submitted_at": _MOMENT,
    "started_at": _MOMENT,
    "finished_at": _MOMENT,
    "cpu_seconds": pa.float64(),
    "gpu_seconds": pa.float64(),
    "bytes_fetched": pa.int64(),
    "clips_removed_at": _MOMENT,
    "evidence_removed_at": _MOMENT,
    "erased_at": _MOMENT,
    "superseded_by": pa.int64(),
}
#: JSON objects in a column of text: `extra`, since every input has its own, and what few rows have.
_OBJECTS = ("extra", "fetched_part")
#: Columns not named above are text.
SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in COLUMNS])


@contextmanager
def parquet_file(path: Path) -> Iterator[Callable[[ResultRow], None]]:
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        held: list[dict[str, Any]] = []

        def add(row: ResultRow) -> None:
            held.append(_row(row))
            if len(held) >= ROW_GROUP:
                flush()

        def flush() -> None:
            writer.write_table(pa.Table.from_pylist(held, schema=SCHEMA))
            held.clear()

        yield add
        if held:
            flush()


def _row(row: ResultRow) -> dict[str, Any]:
    values = record(row)
    return values | {
        name: json.dumps(values[name], ensure_ascii=False)
        for name in _OBJECTS
        if values[name] is not None
    }
