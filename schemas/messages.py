"""What travels through Redis: the item's id and nothing a worker would have to believe.

Workers of two releases that follow one another share a queue while a fleet is upgraded. So a
version is read one release before it is written, and what it adds is left unread:

    release          writes    reads
    the one before   1         1, 2
    this one         1, 2      1, 2, 3

Version 2 names more items that go with the first. Who leaves them unread loses none: they stay on
offer in the ledger, and are sent again when their offers end.
"""

from dataclasses import dataclass
from typing import Any, Self

from unmask.errors import UnmaskError

#: Of one item, and of several.
MESSAGE_VERSION = 1
HANDFUL_VERSION = 2
#: The versions this worker understands. From 2 on a message may hold more than is read of it.
READ_VERSIONS = (1, 2, 3)
#: A message holds at most so many fields: whoever writes more means something else.
MAX_FIELDS = 8
#: The ledger counts items in 64 bits.
MAX_ITEM = 2**63 - 1
#: So many may go with the first item of a message.
MAX_MORE = 63


class UnknownMessage(UnmaskError):
    """A message this worker can't read; it is refused visibly and its item is offered again."""


@dataclass(frozen=True, kw_only=True)
class ItemMessage:
    item: int
    #: Items that the same worker takes together with it.
    more: tuple[int, ...] = ()

    @property
    def items(self) -> tuple[int, ...]:
        return (self.item, *self.more)

    def to_json(self) -> dict[str, Any]:
        if not self.more:
            return {"v": MESSAGE_VERSION, "item": self.item}
        return {"v": HANDFUL_VERSION, "item": self.item, "more": list(self.more)}

    @classmethod
    def from_json(cls, body: Any) -> Self:
        match body:
            case {"v": bool()}:
                raise UnknownMessage(f"not a message: {body!r:.200}")
            case {"v": int(version), "item": item} if _is_plain(body, version):
                if version not in READ_VERSIONS:
                    known = ", ".join(map(str, READ_VERSIONS))
                    raise UnknownMessage(f"message version {version}; this worker reads {known}")
                return cls(item=_item(item), more=_more(body))
            case _:
                raise UnknownMessage(f"not a message: {body!r:.200}")


def _is_plain(body: dict[Any, Any], version: int) -> bool:
    return len(body) == 2 if version <= MESSAGE_VERSION else len(body) <= MAX_FIELDS


def _item(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_ITEM:
        raise UnknownMessage(f"there is no item {value!r:.200}")
    return value


def _more(body: dict[Any, Any]) -> tuple[int, ...]:
    match body.get("more", []):
        case list(more) if len(more) <= MAX_MORE:
            return tuple(map(_item, more))
        case other:
            raise UnknownMessage(f"no such handful of items: {other!r:.200}")
