"""One result row as a record of plain values: the columns of every export, in their order."""

import dataclasses
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from producer.plain import json_safe
from schemas.records import ResultRow

COLUMNS = tuple(field.name for field in dataclasses.fields(ResultRow))


def record(row: ResultRow) -> dict[str, Any]:
    """Moments are aware and in UTC; everything else is JSON."""
    return {name: _plain(getattr(row, name)) for name in COLUMNS}


def json_record(row: ResultRow) -> dict[str, Any]:
    """The same with moments as text."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in record(row).items()
    }


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        case Enum():
            return value.value
        case _:
            return json_safe(value)
