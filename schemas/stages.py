"""The states of an item and its table of legal moves: the only place that knows them."""

from enum import StrEnum


class Stage(StrEnum):
    """Where an item is. Every move is also a row in the append-only history."""

    #: Accepted; somebody has to fetch it and cut its clips.
    WAITING = "waiting"
    #: A CPU worker holds it.
    EXTRACTING = "extracting"
    #: Its clips are stored; somebody has to classify them.
    EXTRACTED = "extracted"
    #: A GPU worker holds it.
    CLASSIFYING = "classifying"
    #: It has an answer.
    DONE = "done"
    #: It was refused, for a reason in the item.
    REJECTED = "rejected"
    #: We failed on it at the last allowed attempt.
    DEAD = "dead"
    #: A person took it back.
    CANCELLED = "cancelled"


ENDS = frozenset({Stage.DONE, Stage.REJECTED, Stage.DEAD, Stage.CANCELLED})

#: Ends without an answer that nobody asked for.
FAILURES = frozenset({Stage.DEAD, Stage.REJECTED})

#: Who may work on what: a claim moves from the key to the value.
CLAIMS = {Stage.WAITING: Stage.EXTRACTING, Stage.EXTRACTED: Stage.CLASSIFYING}

#: Where a held item goes back to when its lease is released or lost.
RETURNS = {held: open_ for open_, held in CLAIMS.items()}

MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.WAITING: frozenset({Stage.EXTRACTING, Stage.CANCELLED, Stage.REJECTED}),
    Stage.EXTRACTING: frozenset(
        {Stage.EXTRACTED, Stage.DONE, Stage.REJECTED, Stage.WAITING, Stage.DEAD, Stage.CANCELLED}
    ),
    Stage.EXTRACTED: frozenset({Stage.CLASSIFYING, Stage.CANCELLED}),
    Stage.CLASSIFYING: frozenset(
        {Stage.DONE, Stage.REJECTED, Stage.EXTRACTED, Stage.WAITING, Stage.DEAD, Stage.CANCELLED}
    ),
    # Cancelled after its end: a person had it erased.
    Stage.DONE: frozenset({Stage.WAITING, Stage.EXTRACTED, Stage.CANCELLED}),
    Stage.REJECTED: frozenset({Stage.WAITING, Stage.CANCELLED}),
    Stage.DEAD: frozenset({Stage.WAITING, Stage.EXTRACTED, Stage.CANCELLED}),
    Stage.CANCELLED: frozenset(),
}


def may_move(old: Stage, new: Stage) -> bool:
    return new in MOVES[old]
