"""What every container is made of: parts with header, length and body, and how to break one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Order = Literal["big", "little"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A box, a chunk, an element, a segment."""

    name: str
    #: Its first byte, the first after its header, and the first after it.
    start: int
    body: int
    end: int
    #: Where its length stands: offset, bytes, order.
    length: tuple[int, int, Order] | None = None


Break = Callable[[bytes, Part], bytes]


def put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _fill(value: int) -> Break:
    return lambda data, part: put(data, part.body, bytes([value]) * (part.end - part.body))


def _head(value: int) -> Break:
    """The first fields of a body: versions, counts, sizes."""
    return lambda data, part: put(data, part.body, bytes([value]) * min(16, part.end - part.body))


def _length(choose: Callable[[int], int]) -> Break:
    def broken(data: bytes, part: Part) -> bytes:
        if part.length is None:
            return data[: part.body] + data[part.end :]
        at, width, order = part.length
        most = (1 << 8 * width) - 1
        known = int.from_bytes(data[at : at + width], order)
        return put(data, at, min(max(choose(known), 0), most).to_bytes(width, order))

    return broken


BREAKS: Mapping[str, Break] = {
    "gone": lambda data, part: data[: part.start] + data[part.end :],
    "twice": lambda data, part: data[: part.end] + data[part.start : part.end] + data[part.end :],
    "many": lambda data, part: (
        data[: part.end] + data[part.start : part.end][:4096] * 200 + data[part.end :]
    ),
    "first": lambda data, part: data[part.start : part.end] + data[: part.start] + data[part.end :],
    "in itself": lambda data, part: (
        data[: part.body] + data[part.start : part.end] + data[part.body :]
    ),
    "cut off": lambda data, part: data[: (part.body + part.end) // 2],
    "bodiless": lambda data, part: data[: part.body] + data[part.end :],
    "zeros": _fill(0),
    "ones": _fill(255),
    "zero head": _head(0),
    "huge head": _head(255),
    "negative head": _head(128),
    "renamed": lambda data, part: put(
        data, part.start, bytes(one ^ 0x55 for one in data[part.start : part.body])
    ),
    "length 0": _length(lambda _: 0),
    "length 1": _length(lambda _: 1),
    "length short": _length(lambda known: known // 2),
    "length long": _length(lambda known: known + 1000),
    "length huge": _length(lambda _: 1 << 64),
}


def broken(data: bytes, parts: Iterable[Part]) -> dict[str, bytes]:
    """Every way to break the first part of each name."""
    firsts: dict[str, Part] = {}
    for part in parts:
        firsts.setdefault(part.name, part)
    return {
        f"{part.name}: {how}": breaks(data, part)
        for part in firsts.values()
        for how, breaks in BREAKS.items()
    }
