"""How the places of a window are shared out, as plain arithmetic."""

from collections.abc import Mapping

from schemas.records import Priority

#: One place in eight is kept: for each higher priority, should something come, and for each lower
#: one that has work. So a live item finds a place, and bulk is never starved.
KEPT_SHARE = 8

LANES = tuple(Priority)


def quotas(
    window: int, outstanding: Mapping[Priority, int], due: frozenset[Priority]
) -> dict[Priority, int]:
    """The most that each priority may add now.

    An empty window of 16, live and bulk waiting: live may take 14, bulk as many as are left of 12.
    """
    return {level: _quota(level, window, outstanding, due) for level in sorted(due)}


def _quota(
    level: Priority, window: int, outstanding: Mapping[Priority, int], due: frozenset[Priority]
) -> int:
    kept = window // KEPT_SHARE
    free = window - sum(outstanding.values())
    unused = {other: max(0, kept - outstanding.get(other, 0)) for other in LANES}
    above = sum(unused[other] for other in LANES if other < level)
    below = sum(unused[other] for other in due if other > level)
    # Items that went on from extraction by themselves may have filled the window to the brim.
    own = unused[level] if level is Priority.LIVE else min(free, unused[level])
    return max(0, free - above - below, own)


def crowded(window: int, extracted: Mapping[Priority, int]) -> frozenset[Priority]:
    """Priorities whose extraction rests because classification lags behind.

    Only what is as urgent counts: bulk that piles up does not hold back a live item.
    """
    ahead = {
        level: sum(count for other, count in extracted.items() if other <= level) for level in LANES
    }
    return frozenset(level for level, count in ahead.items() if count >= window)


def shares(wanted: int, room: Mapping[int, int]) -> dict[int, int]:
    """Hosts take turns: one visit each, then another, while there is room and something wanted.

    >>> shares(7, {1: 1, 2: 9, 3: 2})
    {1: 1, 2: 4, 3: 2}
    """
    given = dict.fromkeys(room, 0)
    open_ = [host for host, most in room.items() if most > 0]
    left = wanted
    while left > 0 and open_:
        each = max(1, left // len(open_))
        for host in open_:
            more = min(each, room[host] - given[host], left)
            given[host] += more
            left -= more
        open_ = [host for host in open_ if given[host] < room[host]]
    return {host: count for host, count in given.items() if count}


def lane(priority: Priority, offers: int, saturated: Priority | None) -> Priority:
    """The Redis list an item goes to.

    One that was offered in vain climbs a step each time; so does one that was let in although a
    higher priority alone would keep all workers busy: it would lie in its own list for ever.
    """
    climbed = LANES[max(0, LANES.index(priority) - offers)]
    return climbed if saturated is None else min(climbed, saturated)
