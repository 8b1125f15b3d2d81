"""A campaign's stored clips as files: `unmask train` and `unmask evaluate` take them as they are.

    FOLDER/clips.csv                    path,label,identities,method,part
    FOLDER/<sha256>/manifest.json       and beside it the clip objects, as they are stored

Label, identities, method and part are columns of the table that was submitted; what it lacked can
be written in. Who is in a file is not known here, so each content is somebody of its own.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

from infra.closed import make_closed
from infra.ledger import Ledger
from infra.objects import Store
from producer.report.csv_file import guarded
from schemas.records import Extraction, ResultRow
from unmask.media.manifest import MANIFEST_FILE

LIST = "clips.csv"
COLUMNS = ("path", "label", "identities", "method", "part")


@dataclass(frozen=True, kw_only=True)
class Exported:
    items: int
    #: Nobody was found in them, they are on their way, or their clips are gone.
    without: int


def export_clips(ledger: Ledger, store: Store, campaign: str, folder: Path) -> Exported:
    make_closed(folder)
    rows = list[tuple[str, ...]]()
    without = 0
    for row in ledger.results(campaign):
        stored = _stored(ledger, row)
        if stored is None:
            without += 1
            continue
        _write(stored, store, folder / stored.sha256)
        rows.append(_line(row, stored))
    with (folder / LIST).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return Exported(items=len(rows), without=without)


def _stored(ledger: Ledger, row: ResultRow) -> Extraction | None:
    if row.sha256 is None or row.scan_spec is None:
        return None
    found = ledger.known(row.sha256, row.scan_spec, row.model_digest or "").extraction
    return found if found is not None and found.clips else None


def _write(stored: Extraction, store: Store, place: Path) -> None:
    make_closed(place)
    for clip in stored.clips:
        (place / clip.sha256).write_bytes(store.get(clip.key, sha256=clip.sha256))
    manifest = store.get(stored.manifest.key, sha256=stored.manifest.sha256)
    (place / MANIFEST_FILE).write_bytes(manifest)


def _line(row: ResultRow, stored: Extraction) -> tuple[str, ...]:
    said = {name: guarded(str(row.extra.get(name) or "")) for name in COLUMNS}
    said["path"] = f"{stored.sha256}/{MANIFEST_FILE}"
    said["identities"] = said["identities"] or stored.sha256
    return tuple(said.values())
