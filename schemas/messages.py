"""What travels through Redis: the item's id and nothing a worker would have to believe.

Workers of two releases that follow one another share a queue while a fleet is upgraded. So a
version is read one release before it is written, and what it adds is left unread:

    release    writes    reads
    this one   1         1, 2
    the next   2         1, 2, 3
"""

from dataclasses import dataclass
from typing import Any, Self

from unmask.errors import UnmaskError

MESSAGE_VERSION = 1
#: The versions this worker understands. From 2 on a message may hold more than is read of it.
READ_VERSIONS = (1, 2)
#: A message holds at most so many fields: whoever writes more means something else.
MAX_FIELDS = 8
#: The ledger counts items in 64 bits.
MAX_ITEM = 2**63 - 1


class UnknownMessage(UnmaskError):
    """A message this worker can't read; it is refused visibly and its item is offered again."""


@dataclass(frozen=True, kw_only=True)
class ItemMessage:
    item: int
    version: int = MESSAGE_VERSION

    def to_json(self) -> dict[str, int]:
        return {"v": self.version, "item": self.item}

    @classmethod
    def from_json(cls, body: Any) -> Self:
        match body:
            case {"v": bool()} | {"item": bool()}:
                raise UnknownMessage(f"not a message: {body!r:.200}")
            case {"v": int(version), "item": int(item)} if _is_plain(body, version):
                if version not in READ_VERSIONS:
                    known = " and ".join(map(str, READ_VERSIONS))
                    raise UnknownMessage(f"message version {version}; this worker reads {known}")
                if not 0 < item <= MAX_ITEM:
                    raise UnknownMessage(f"there is no item {item}")
                return cls(item=item, version=version)
            case _:
                raise UnknownMessage(f"not a message: {body!r:.200}")


def _is_plain(body: dict[Any, Any], version: int) -> bool:
    return len(body) == 2 if version <= 1 else len(body) <= MAX_FIELDS
