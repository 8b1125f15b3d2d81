"""Who is on which side where items name the people in them."""

from pathlib import Path

import pytest

from unmask.train.crops import BadData
from unmask.train.sets.item import Item
from unmask.train.sides import PARTS, Sides, sides
from unmask.train.splits import Shares


def item(name: str, *identities: str, fake: bool, part: str | None = None) -> Item:
    method = "made" if fake else "real"
    return Item(path=Path(name), fake=fake, identities=identities, method=method, part=part)


def test_whoever_shares_an_identity_shares_a_side() -> None:
    items = [item(f"{i}.mp4", f"p{i}", fake=False) for i in range(60)]
    items += [item(f"{i}_{i + 1}.mp4", f"p{i}", f"p{i + 1}", fake=True) for i in range(0, 60, 2)]
    found = sides(items, Shares(validation=0.2, test=0.2)).parts
    people = {part: {p for i in some for p in i.identities} for part, some in found.items()}
    assert sum(len(some) for some in found.values()) == 90
    assert not people["train"] & people["test"]
    assert not people["train"] & people["validation"]


def test_parts_that_share_somebody_are_a_leak() -> None:
    items = [
        item("a.mp4", "ann", fake=False, part="train"),
        item("b.mp4", "ann", "bea", fake=True, part="test"),
        item("c.mp4", "bea", fake=False, part="test"),
    ]
    with pytest.raises(BadData, match="split leak"):
        sides(items, Shares())


@pytest.mark.parametrize("who", [f"youtube-{number}" for number in range(9)])
def test_somebody_of_whom_one_file_is_placed_goes_there_with_the_others(who: str) -> None:
    items = [
        item("v1/a.mp4", who, fake=False, part="test"),
        item("v2/a.mp4", who, fake=False),
    ]
    assert sides(items, Shares()).parts["test"] == items


def people(found: Sides) -> list[set[str]]:
    return [{one for item in found.parts[part] for one in item.identities} for part in PARTS]


def celebrities(*tested: str) -> list[Item]:
    """Forty people, each with videos of their own and a face lent to every other."""
    names = [f"id{number}" for number in range(40)]
    reals = [item(f"{one}_{number}", one, fake=False) for one in names for number in range(3)]
    fakes = [item(f"{a}_{b}", a, b, fake=True) for a in names for b in names if a != b]
    return [
        item(each.path.name, *each.identities, fake=each.fake, part="test")
        if each.path.name in tested
        else each
        for each in reals + fakes
    ]


@pytest.mark.parametrize("tested", [(), ("id3_0", "id4_id5")])
def test_where_everybody_is_tied_to_everybody_people_go_to_sides(tested: tuple[str, ...]) -> None:
    found = sides(celebrities(*tested), Shares())
    train, validation, test = people(found)
    assert not train & validation
    assert not train & test
    assert not validation & test
    for part in PARTS:
        assert {each.fake for each in found.parts[part]} == {True, False}
    assert sum(map(len, found.parts.values())) + len(found.left_out) == 40 * 3 + 40 * 39
    assert all(each.fake or each.part for each in found.left_out)
    own = {each.path.name for each in found.parts["train"] + found.parts["validation"]}
    assert not own & set(tested)


def test_a_group_goes_where_it_went_though_its_items_come_otherwise() -> None:
    pairs = [(f"{n:03d}", f"{n + 500:03d}") for n in range(60)]
    items = [item(f"{a}.mp4", a, fake=False) for a, _ in pairs]
    items += [item(f"{b}_{a}.mp4", b, a, fake=True) for a, b in pairs]
    before, after = (
        {each.path.name: part for part, some in sides(own, Shares()).parts.items() for each in some}
        for own in (items, items[:0:-1])
    )
    assert after.items() <= before.items()
