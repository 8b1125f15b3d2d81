"""Room on the disks: for the ledger, for clips, and for downloads on their way."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from infra.ledger.engine import parse, path_of
from producer.doctor.finding import Finding, bad, note, well

if TYPE_CHECKING:
    from settings import Settings

GIB = 1 << 30
#: With less than this a scan stops soon.
LEAST_BYTES = GIB


def check(settings: "Settings") -> Iterator[Finding]:
    for folder in _kept(settings):
        yield _room("disk, kept", folder, LEAST_BYTES, "free some, or choose another folder")
    yield _room(
        "disk, downloads",
        Path(tempfile.gettempdir()),
        settings.download_max_bytes,
        "free some, name another folder in TMPDIR, or lower UNMASK_DOWNLOAD_MAX_BYTES",
    )


def _kept(settings: "Settings") -> list[Path]:
    """Folders of the ledger and the objects, where they are folders; one for each disk."""
    ledger = path_of(parse(settings.database_url.get_secret_value()))
    folders = [ledger.parent] if ledger else []
    if "://" not in settings.store_url:
        folders.append(Path(settings.store_url).expanduser())
    return list({_existing(one).stat().st_dev: one for one in reversed(folders)}.values())


def _room(what: str, folder: Path, wanted: int, mend: str) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    says = f"{free / GIB:,.1f} GiB free in {folder}"
    if free < LEAST_BYTES:
        return bad(what, says, mend)
    if free < wanted:
        return note(what, f"{says}, but one file may take {wanted / GIB:,.1f} GiB", mend)
    return well(what, says)


def _existing(folder: Path) -> Path:
    """The folder, or the one in which it would be made."""
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
