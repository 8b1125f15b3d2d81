"""Object storage in a folder, for one machine or a shared disk."""

import errno
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Never

from infra.closed import FILE_MODE, make_closed
from infra.objects.keys import check_key, check_prefix, is_key
from infra.objects.port import Listed, Missing, StoreUnusable, round_trip, stored, verified
from infra.objects.seal import Plain, Seal
from schemas.records import StoredObject
from unmask.errors import OwnTrouble

#: Half-written objects lie here, on the same file system, where no key can point.
PARTS = ".parts"

#: The disk is full, failing or slow: the item is given back. Anything else is our set-up.
_PASSING = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.ESTALE,
    errno.EMFILE,
    errno.ENFILE,
}


class FolderStore:
    def __init__(self, path: Path | str, seal: Seal | None = None) -> None:
        self.path = Path(path).absolute()
        self._seal = seal or Plain()

    def __repr__(self) -> str:
        return f"FolderStore({str(self.path)!r})"

    def put(self, key: str, data: bytes) -> StoredObject:
        kept = stored(key, data)
        target = self.path / key
        with _explained(target):
            if not _has(target, len(data) + self._seal.extra):
                self._write(target, self._seal.close(key, data))
        return kept

    def get(self, key: str, *, sha256: str) -> bytes:
        target = self.path / check_key(key)
        with _explained(target):
            try:
                data = target.read_bytes()
            except FileNotFoundError:
                raise Missing(f"{key} is not in {self.path}") from None
        return verified(key, self._seal.open(key, data), sha256)

    def exists(self, key: str) -> bool:
        return (self.path / check_key(key)).is_file()

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            target = self.path / check_key(key)
            with _explained(target):
                target.unlink(missing_ok=True)
                self._prune(target.parent)

    def list(self, prefix: str = "") -> Iterator[Listed]:
        top = self.path / check_prefix(prefix).rpartition("/")[0]
        for folder, folders, names in os.walk(top):
            folders[:] = sorted(one for one in folders if one != PARTS)
            for name in sorted(names):
                found = self._listed(Path(folder) / name)
                if found and found.key.startswith(prefix) and is_key(found.key):
                    yield found

    def clean(self, *, older_than_s: float) -> int:
        parts = self.path / PARTS
        if not parts.is_dir():
            return 0
        horizon = time.time() - older_than_s
        return sum(_remove_if_older(part, horizon) for part in parts.iterdir())

    def check(self) -> None:
        round_trip(self, f"checks/{secrets.token_hex(16)}")

    def _write(self, target: Path, data: bytes) -> None:
        part = self._part()
        try:
            with os.fdopen(
                os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE), "wb"
            ) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._publish(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _publish(self, part: Path, target: Path) -> None:
        make_closed(target.parent)
        try:
            part.replace(target)
        except FileNotFoundError:  # `delete` pruned the folder between the two
            make_closed(target.parent)
            part.replace(target)
        _sync(target.parent)

    def _part(self) -> Path:
        parts = self.path / PARTS
        make_closed(parts)
        return parts / secrets.token_hex(16)

    def _prune(self, folder: Path) -> None:
        """Empty folders go too, up to the top one."""
        with suppress(OSError):
            while folder != self.path:
                folder.rmdir()
                folder = folder.parent

    def _listed(self, file: Path) -> Listed | None:
        try:
            about = file.stat()
        except FileNotFoundError:
            return None
        modified_at = datetime.fromtimestamp(about.st_mtime, UTC)
        key = file.relative_to(self.path).as_posix()
        size = max(about.st_size - self._seal.extra, 0)
        return Listed(key=key, size=size, modified_at=modified_at)


def _has(target: Path, size: int) -> bool:
    try:
        return target.stat().st_size == size
    except FileNotFoundError:
        return False


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_if_older(part: Path, horizon: float) -> bool:
    try:
        if part.stat().st_mtime > horizon:
            return False
        part.unlink()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _raise(error, target)


def _raise(error: OSError, target: Path) -> Never:
    if error.errno in _PASSING:
        raise OwnTrouble(f"object storage: {error.strerror} at {target}") from error
    says = f"object storage: {error.strerror} at {target}"
    raise StoreUnusable(says, mend="check the folder's owner and path") from error
