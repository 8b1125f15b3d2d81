"""What every object store promises."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from infra.objects.keys import check_key
from schemas.records import StoredObject
from unmask.errors import TryAgain, UnmaskError, Unusable

#: Who encrypts what S3 holds: nobody, S3 itself, or its service of keys.
Encryption = Literal["none", "AES256", "aws:kms"]

#: What `check` writes, reads back and deletes.
PROBE = b"unmask store check\n"


class Corrupt(UnmaskError):
    """The stored bytes are not those the ledger knows; nothing may be judged by them."""


class Missing(Corrupt):
    """The ledger names an object that the store does not have."""


class StoreUnusable(Unusable):
    """The store is set up wrongly: what it says, and what a person does about it."""

    def __init__(self, says: str, *, mend: str) -> None:
        super().__init__(f"{says}; {mend}")
        self.says, self.mend = says, mend


class NotDeleted(TryAgain):
    """The store kept these objects; the others that were to go are gone."""

    def __init__(self, refused: Mapping[str, str]) -> None:
        (first, says), *others = refused.items()
        more = f"; nor {len(others)} others" if others else ""
        super().__init__(f"object storage did not delete {first}: {says}{more}")
        self.keys = refused.keys()


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An object as the store lists it."""

    key: str
    size: int
    modified_at: datetime


def whenever() -> None:
    """It is never too late."""


class Store(Protocol):
    """`TryAgain` where the store is away or full, `Unusable` where it is set up wrongly."""

    def put(self, key: str, data: bytes) -> StoredObject:
        """Write once: a key that is there with the same length is left as it is."""
        ...

    def get(self, key: str, *, sha256: str) -> bytes:
        """The bytes, which are those of `sha256`; else `Corrupt`, or `Missing`."""
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, keys: Iterable[str], deadline: Callable[[], None] = whenever) -> None:
        """Keys that are not there are no error; what can't go holds up no other: `NotDeleted`.

        `deadline` is called before each step and raises `TryAgain` once it is too late to take
        another one: then what was not reached is among the keys that stay.
        """
        ...

    def list(self, prefix: str = "") -> Iterator[Listed]: ...

    def clean(self, *, older_than_s: float) -> int:
        """Remove what killed writers left behind; how many there were."""
        ...

    def check(self) -> None:
        """Write, read and delete a small object; `Unusable` or `TryAgain` says what is wrong."""
        ...


def stored(key: str, data: bytes) -> StoredObject:
    return StoredObject(key=check_key(key), sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def verified(key: str, data: bytes, sha256: str) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise Corrupt(f"{key}: {len(data)} bytes with hash {found}, the ledger knows {sha256}")
    return data


def round_trip(store: Store, key: str) -> None:
    """The common part of `check`."""
    kept = store.put(key, PROBE)
    try:
        store.get(key, sha256=kept.sha256)
    except Corrupt as error:
        raise Unusable(f"the store does not give back what it was given: {error}") from error
    finally:
        store.delete([key])
    if store.exists(key):
        raise Unusable(f"the store says it deleted {key}, and still has it")
