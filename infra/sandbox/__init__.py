"""The room in which strangers' bytes are decoded: it reaches no network and no other file."""

from infra.sandbox.limits import RoomLimits
from infra.sandbox.probe import in_force
from infra.sandbox.room import Room, RoomClosed
from infra.sandbox.verdict import RoomCrashed

__all__ = ["Room", "RoomClosed", "RoomCrashed", "RoomLimits", "in_force"]
