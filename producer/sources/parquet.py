"""Parquet → records, a batch of rows at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from producer.plain import json_safe
from producer.sources.columns import choose_column, listed
from producer.sources.values import Fault, Record, SourceError

BATCH = 2048


def read_parquet(path: Path, *, column: str | None = None) -> Iterator[Record | Fault]:
    try:
        with pq.ParquetFile(path) as table:
            yield from _rows(table, path.name, column)
    except (pa.ArrowException, EOFError) as error:
        raise SourceError(f"{path.name} can't be read as Parquet: {error}") from error


def _rows(table: Any, where: str, column: str | None) -> Iterator[Record | Fault]:
    names = _readable(table.schema_arrow)
    address = _address_column(table.schema_arrow, names, where, column)
    number = 0
    for batch in table.iter_batches(batch_size=BATCH, columns=names):
        for row in batch.to_pylist():
            number += 1
            yield _record(number, row, address)


def _readable(schema: Any) -> list[str]:
    """Columns that hold bytes (pictures, say) are neither read nor carried along."""
    return [field.name for field in schema if "binary" not in str(field.type)]


def _address_column(schema: Any, names: list[str], where: str, column: str | None) -> str:
    texts = [name for name in names if _is_text(schema.field(name).type)]
    if not texts:
        raise SourceError(f"{where} has no column of text; it has: {listed(schema.names)}")
    if column is not None and column in schema.names and column not in texts:
        kind = schema.field(column).type
        raise SourceError(f"{where}: column {column!r} holds {kind}, not text")
    return texts[choose_column(texts, [], column, where)]


def _is_text(kind: Any) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _record(number: int, row: dict[str, Any], column: str) -> Record | Fault:
    address = row.pop(column)
    if address is None:
        return Fault(line=number, text="", why=f"no address in column {column!r}")
    try:
        return Record(line=number, address=address, extra=json_safe(row))
    except ValueError as error:
        return Fault(line=number, text=address, why=str(error))
