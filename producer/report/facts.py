"""The technical part of a card: every column that the card does not show otherwise."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.records import ResultRow
from unmask.wording import printable

MB = 1e6
#: A longer value takes a wider cell.
WIDE = 34


@dataclass(frozen=True, kw_only=True)
class Fact:
    name: str
    value: str

    @property
    def is_wide(self) -> bool:
        return len(self.value) > WIDE


def facts(row: ResultRow) -> Iterator[Fact]:
    """What is not known is left out."""
    for name, value in _all(row).items():
        if value not in (None, "", [], {}):
            yield Fact(name=name, value=text(value))


def _all(row: ResultRow) -> dict[str, Any]:
    return {
        "Address": row.uri,
        "Fetched from": None if row.final_uri == row.uri else row.final_uri,
        "SHA-256": row.sha256,
        "Source": row.source,
        "Item": row.item,
        "Same content as item": row.inherited_from,
        "Stage": row.stage.value,
        "Kind": row.media_kind,
        "Frame size": f"{row.width} × {row.height}" if row.width else None,
        "Seconds": row.duration_s,
        "Fetched": f"{row.bytes_fetched / MB:,.1f} MB" if row.bytes_fetched else None,
        "Faces seen": row.faces_seen,
        "Frames analysed": row.frames_analysed,
        "Share of face-time looked at": row.coverage and f"{row.coverage:.0%}",
        "People not judged": row.left_out or None,
        "Only its beginning": "yes" if row.partial else None,
        "Part that was fetched": row.fetched_part,
        "Band": row.band,
        "Real below": row.threshold_real,
        "Fake from": row.threshold_fake,
        "Model": row.model,
        "Model digest": row.model_digest,
        "Scan spec": row.scan_spec,
        "Frames in a window": row.frames,
        "Moments": row.moments,
        "Every how many frames": row.stride if row.moments == "stride" else None,
        "Priority": row.priority,
        "Only extracted": "yes" if row.extract_only else None,
        "Attempts": row.attempts or None,
        "CPU seconds": row.cpu_seconds or None,
        "GPU seconds": row.gpu_seconds or None,
        "Submitted": row.submitted_at,
        "Started": row.started_at,
        "Finished": row.finished_at,
        "Clips deleted": row.clips_removed_at,
        "Evidence deleted": row.evidence_removed_at,
        "Erased on request": row.erased_at,
        "Later version of the file is item": row.superseded_by,
        "Log of the failure": row.log,
    }


def text(value: Any) -> str:
    """A value as a person reads it, harmless and on one line."""
    match value:
        case str():
            return printable(value)
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        case float():
            return f"{value:,.3f}".rstrip("0").rstrip(".")
        case _:
            return printable(json.dumps(value, ensure_ascii=False))
