"""Clip objects: the pictures of one person, one after another, found by offset and length."""

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unmask.errors import Refused
from unmask.media.coding import decode
from unmask.media.sides import sides
from unmask.media.values import Clip, FaceFrame, Person
from unmask.outcomes import Outcome

#: Pixels; no model takes larger faces.
LONGEST_SIDE = 1024


def make_clip(person: int, frames: Sequence[tuple[FaceFrame, bytes]]) -> tuple[Clip, Person]:
    """The object and its page in the manifest, from coded frames in order."""
    placed: list[FaceFrame] = []
    offset = 0
    for frame, coded in frames:
        placed.append(_placed(frame, offset, len(coded)))
        offset += len(coded)
    data = b"".join(coded for _, coded in frames)
    digest = hashlib.sha256(data).hexdigest()
    page = Person(person=person, clip_sha256=digest, clip_bytes=len(data), frames=tuple(placed))
    return Clip(person=person, sha256=digest, data=data), page


def _placed(frame: FaceFrame, offset: int, length: int) -> FaceFrame:
    return dataclasses.replace(frame, offset=offset, length=length)


def decode_frames(data: bytes, person: Person, size: int | None = None) -> NDArray[np.uint8]:
    """Every picture of the clip object as RGB: frames × side × side × 3."""
    if len(data) != person.clip_bytes:
        raise _broken(person, f"{len(data)} bytes instead of {person.clip_bytes}")
    if not person.frames:
        raise _broken(person, "it has no frame")
    view = memoryview(data)
    coded = [view[one.offset : one.offset + one.length] for one in person.frames]
    side = size or max(sides(coded[0]) or (0, 0))
    if side > LONGEST_SIDE:
        raise _broken(person, f"a face picture of {side} pixels a side is none of ours")
    return np.stack([_one(one, person, index, side) for index, one in enumerate(coded)])


def _one(coded: memoryview, person: Person, index: int, side: int) -> NDArray[np.uint8]:
    """Of the size that was promised, by its own header, before it is decoded."""
    said = sides(coded)
    if said is not None and said != (side, side):
        raise _broken(person, f"its pictures are not all {side}×{side}")
    picture = None if said is None else decode(coded)
    if picture is None or picture.shape != (side, side, 3):
        raise _broken(person, f"frame {index} is no picture")
    return picture


def _broken(person: Person, what: str) -> Refused:
    return Refused(Outcome.UNDECODABLE, f"the clip of person {person.person + 1} is broken: {what}")
