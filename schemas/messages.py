"""What travels through Redis: the item's id and nothing a worker would have to believe."""

from dataclasses import dataclass
from typing import Any, Self

from unmask.errors import UnmaskError

MESSAGE_VERSION = 1
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
            case {"v": int(version), "item": int(item)} if len(body) == 2:
                if version != MESSAGE_VERSION:
                    raise UnknownMessage(
                        f"message version {version}; this worker reads {MESSAGE_VERSION}"
                    )
                if not 0 < item <= MAX_ITEM:
                    raise UnknownMessage(f"there is no item {item}")
                return cls(item=item)
            case _:
                raise UnknownMessage(f"not a message: {body!r:.200}")
