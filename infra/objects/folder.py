"""Object storage in a folder, for one machine or a shared disk."""

import errno
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Never

from infra.closed import FILE_MODE, make_closed
from infra.objects.keys import check_key, check_prefix, is_key
from infra.objects.port import (
    Listed,
    Missing,
    NotDeleted,
    StoreUnusable,
    round_trip,
    stored,
    verified,
    whenever,
)
from infra.objects.seal import Plain, Seal
from schemas.records import StoredObject
from unmask.errors import OwnTrouble, TryAgain

#: Half-written objects lie here, on the same file system, where no key can point.
PARTS = ".parts"
#: As often a folder is made anew that `delete` took away while it was still empty.
_TRIES = 100

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
    """Objects' places are plain strings: `Path` enters every name that it meets in a table of the
    interpreter, which then grows with the objects."""

    def __init__(self, path: Path | str, seal: Seal | None = None) -> None:
        self.path = Path(path).absolute()
        #: With a slash behind it, also where it is the root of a disk.
        self._top = os.path.join(self.path, "")
        self._seal = seal or Plain()

    def __repr__(self) -> str:
        return f"FolderStore({str(self.path)!r})"

    def put(self, key: str, data: bytes) -> StoredObject:
        kept = stored(key, data)
        target = self._place(key)
        with _explained(target):
            if not _has(target, len(data) + self._seal.extra):
                self._write(target, self._seal.close(key, data))
        return kept

    def get(self, key: str, *, sha256: str) -> bytes:
        target = self._place(check_key(key))
        with _explained(target):
            try:
                with open(target, "rb") as file:
                    data = file.read()
            except FileNotFoundError:
                raise Missing(f"{key} is not in {self.path}") from None
        return verified(key, self._seal.open(key, data), sha256)

    def exists(self, key: str) -> bool:
        return os.path.isfile(self._place(check_key(key)))

    def delete(self, keys: Iterable[str], deadline: Callable[[], None] = whenever) -> None:
        refused, left = dict[str, str](), iter(keys)
        for key in left:
            target = self._place(check_key(key))
            try:
                deadline()
            except TryAgain as late:
                refused |= dict.fromkeys([key, *left], str(late))
                break
            try:
                _remove(target)
            except OSError as error:
                refused[key] = error.strerror or str(error)
            else:
                self._prune(os.path.dirname(target))
        if refused:
            raise NotDeleted(refused)

    def list(self, prefix: str = "") -> Iterator[Listed]:
        top = self.path / check_prefix(prefix).rpartition("/")[0]
        for folder, folders, names in os.walk(top):
            folders[:] = sorted(one for one in folders if one != PARTS)
            for name in sorted(names):
                found = self._listed(os.path.join(folder, name))
                if found and found.key.startswith(prefix) and is_key(found.key):
                    yield found

    def clean(self, *, older_than_s: float) -> int:
        parts = self._place(PARTS)
        if not os.path.isdir(parts):
            return 0
        horizon = time.time() - older_than_s
        return sum(
            _remove_if_older(os.path.join(parts, name), horizon) for name in os.listdir(parts)
        )

    def check(self) -> None:
        round_trip(self, f"checks/{secrets.token_hex(16)}")

    def _place(self, key: str) -> str:
        return f"{self._top}{key}"

    def _write(self, target: str, data: bytes) -> None:
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
            _remove(part)
            raise

    def _publish(self, part: str, target: str) -> None:
        folder, made = os.path.dirname(target), list[str]()
        for left in reversed(range(_TRIES)):
            try:
                made += make_closed(folder)
                os.replace(part, target)
                break
            except FileNotFoundError:
                if not left:
                    raise
        for changed in {folder, *map(os.path.dirname, made)}:
            _sync(changed)

    def _part(self) -> str:
        parts = self._place(PARTS)
        make_closed(parts)
        return f"{parts}/{secrets.token_hex(16)}"

    def _prune(self, folder: str) -> None:
        """Empty folders go too, up to the top one."""
        with suppress(OSError):
            while folder != str(self.path):
                os.rmdir(folder)
                folder = os.path.dirname(folder)

    def _listed(self, file: str) -> Listed | None:
        try:
            about = os.stat(file)
        except FileNotFoundError:
            return None
        modified_at = datetime.fromtimestamp(about.st_mtime, UTC)
        key = file.removeprefix(self._top)
        size = max(about.st_size - self._seal.extra, 0)
        return Listed(key=key, size=size, modified_at=modified_at)


def _has(target: str, size: int) -> bool:
    try:
        return os.stat(target).st_size == size
    except FileNotFoundError:
        return False


def _sync(folder: str) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:  # what lay in it was deleted meanwhile
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _remove_if_older(part: str, horizon: float) -> bool:
    try:
        if os.stat(part).st_mtime > horizon:
            return False
        os.unlink(part)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _explained(target: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _raise(error, target)


def _raise(error: OSError, target: str) -> Never:
    if error.errno in _PASSING:
        raise OwnTrouble(f"object storage: {error.strerror} at {target}") from error
    says = f"object storage: {error.strerror} at {target}"
    raise StoreUnusable(says, mend="check the folder's owner and path") from error
