"""Who is on which side, for items that name the people in them.

Items that share somebody, in any chain, are a group and stay together: a group goes where the data
set says, else by a hash of its people. Two kinds of groups can't be placed whole: one so large that
a side would hold little else, and one that the data set itself puts on a side in part alone. (In
Celeb-DF both: each of its people lends a face to many others.) There each person goes to a side,
and whatever shows people of two sides is left out. One or two people, of whom the data set places
some files alone (two versions of it with different lists), go where those are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from unmask.train.crops import BadData
from unmask.train.sets.item import Item
from unmask.train.splits import Part, Shares, check_leaks, joined, part_of

PARTS: tuple[Part, ...] = ("train", "validation", "test")
#: More people than a fake and its original have.
_MANY = 3


@dataclass(frozen=True, kw_only=True)
class Sides:
    parts: dict[Part, list[Item]]
    #: Shows people of two sides, or somebody of another side than the data set's own.
    left_out: list[Item]


def sides(items: Sequence[Item], shares: Shares) -> Sides:
    found = Sides(parts={part: [] for part in PARTS}, left_out=[])
    for group in groups_of(items):
        for item, side in _placed(group, shares, most=shares.test * len(items)):
            (found.left_out if side is None else found.parts[side]).append(item)
    check_leaks({part: _people(some) for part, some in found.parts.items()})
    return found


def need_sides(parts: Mapping[Part, Sequence[Item]], wanted: Iterable[Part]) -> None:
    """Each of these parts must hold both classes."""
    for part in wanted:
        labels = {item.fake for item in parts[part]}
        for kind, fake in (("real", False), ("fake", True)):
            if fake not in labels:
                raise BadData(
                    f"the {part} part holds no {kind} item; where groups of people are too few for "
                    "chance to fill every side, the column `part` of a list says who goes where"
                )


def groups_of(items: Sequence[Item]) -> list[list[Item]]:
    names = joined([item.identities for item in items])
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(names[item.identities[0]], []).append(item)
    return list(found.values())


def _placed(
    group: Sequence[Item], shares: Shares, most: float
) -> Iterable[tuple[Item, Part | None]]:
    people, own = _people(group), {item.part for item in group}
    said = sorted({part for item in group if (part := _own_part(item)) is not None})
    partly = None in own and len(own) > 1
    if len(people) >= _MANY and (partly or (own == {None} and len(group) > most)):
        return [(item, _common_side(item, shares)) for item in group]
    # A name that follows from who is in it, not from the order in which they were met.
    whole = said[0] if said else part_of(min(people), shares)
    return [(item, _own_part(item) or whole) for item in group]


def _common_side(item: Item, shares: Shares) -> Part | None:
    found = {part_of(person, shares) for person in item.identities}
    side = found.pop() if len(found) == 1 else None
    return side if _own_part(item) in (None, side) else None


def _own_part(item: Item) -> Part | None:
    return next((part for part in PARTS if part == item.part), None)


def _people(items: Iterable[Item]) -> set[str]:
    return {person for item in items for person in item.identities}
