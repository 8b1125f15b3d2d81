import itertools

import pytest

from schemas.stages import CLAIMS, ENDS, MOVES, RETURNS, Stage, may_move

#: The ways of an item that people know, from the first stage to the last.
WAYS = {
    "judged": "waiting extracting extracted classifying done",
    "no face, or the verdict of another": "waiting extracting done",
    "refused": "waiting extracting rejected",
    "given back": "waiting extracting waiting extracting",
    "given back by the classifier": "extracted classifying extracted classifying",
    "clips that are damaged": "classifying waiting",
    "buried": "extracting dead",
    "buried by the classifier": "classifying dead",
    "taken back": "waiting cancelled",
    "erased": "done cancelled",
    "its host is down for good": "waiting rejected",
    "tried again": "rejected waiting",
    "judged again": "done extracted classifying done",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_known_ways_are_legal(way: str) -> None:
    stages = [Stage(word) for word in way.split()]
    assert all(may_move(old, new) for old, new in itertools.pairwise(stages))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (Stage.WAITING, Stage.DONE),
        (Stage.WAITING, Stage.CLASSIFYING),
        (Stage.EXTRACTED, Stage.DONE),
        (Stage.DONE, Stage.REJECTED),
        (Stage.REJECTED, Stage.DONE),
        (Stage.CANCELLED, Stage.EXTRACTING),
    ],
)
def test_short_cuts_are_not(old: Stage, new: Stage) -> None:
    assert not may_move(old, new)


def test_no_stage_moves_to_itself() -> None:
    assert not any(may_move(stage, stage) for stage in Stage)


def test_every_stage_is_in_the_table_and_can_be_reached() -> None:
    assert MOVES.keys() == set(Stage)
    assert set().union(*MOVES.values()) == set(Stage)


def test_ends_are_left_only_by_a_person() -> None:
    assert all(MOVES[end] <= {*CLAIMS, Stage.CANCELLED} for end in ENDS)


def test_every_stage_but_an_end_can_be_cancelled() -> None:
    assert all(may_move(stage, Stage.CANCELLED) for stage in set(Stage) - ENDS)


def test_a_held_stage_goes_back_to_where_it_was_claimed() -> None:
    assert all(may_move(open_, held) and may_move(held, open_) for open_, held in CLAIMS.items())
    assert {held: open_ for open_, held in CLAIMS.items()} == RETURNS
