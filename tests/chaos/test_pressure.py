"""Back-pressure and politeness of a whole fleet: who is slow slows those before it, no others."""

from collections import defaultdict

import pytest

from schemas.stages import Stage
from tests.chaos import oracle
from tests.chaos.deeds import PATIENCE_S, Deed, uri
from tests.chaos.fleet import CAMPAIGN, Fleet
from tests.chaos.stand_in import SLOW_MODEL_S, VISIT_S, VISITS

WINDOW = 10
ITEMS = 120
#: Connections to a host at the same time, and visits in a second, that the fleet allows itself.
CONNECTIONS, PER_S = 2, 4.0
#: What a visit lasts; a host that is to be visited too often could be.
LASTS_S = 0.2
OWN = "one.made.up"


def test_a_classifier_that_lags_behind(fleet: Fleet) -> None:
    """Extraction rests meanwhile: what waits for a verdict never exceeds two windows."""
    fleet.extra |= {"UNMASK_WINDOW_ITEMS": str(WINDOW), "UNMASK_GPU_ITEMS": "4"}
    accepted = fleet.submit(map(uri, range(ITEMS)))
    fleet.start("sweep", "cpu")
    fleet.start("gpu", **{SLOW_MODEL_S: "1.0"})
    waiting, offered, messages = [0], [0], [0]

    def ended() -> bool:
        waiting.append(fleet.ledger.status(CAMPAIGN).stages.get(Stage.EXTRACTED, 0))
        messages.append(max(0, 0, *oracle.messages(fleet).values()))
        offered.append(fleet.ledger.offered()[Stage.EXTRACTED])
        return not fleet.left()

    fleet.until(ended, 300, fleet.report)
    processes = int(fleet.limits["UNMASK_CPU_PROCESSES"])
    print(f"at most {max(waiting)} items and {max(messages)} messages waited")
    assert WINDOW // 2 < max(waiting) <= 2 * WINDOW + processes
    assert max(offered) >= WINDOW, "the alert UnmaskGpuBehind would say nothing"
    # On a busy machine an offer may end, and be made once more, while its message still waits.
    assert max(messages) <= 3 * WINDOW
    oracle.check(fleet, accepted=accepted)
    assert {row.attempts for row in fleet.ledger.results(CAMPAIGN)} == {1}


def test_a_host_gets_its_connections_and_its_rate_from_the_whole_fleet(fleet: Fleet) -> None:
    """Two workers of two processes each; others are visited while one host has no room."""
    fleet.extra |= {"UNMASK_HOST_CONNECTIONS": str(CONNECTIONS), "UNMASK_HOST_PER_S": str(PER_S)}
    mine = [f"https://{OWN}/{number}" for number in range(40)]
    accepted = fleet.submit([*mine, *map(uri, range(20))])
    fleet.start("sweep", "gpu")
    fleet.start("cpu", "cpu-2", **{VISIT_S: str(LASTS_S)})
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    visits = seen(fleet)
    assert len(visits[OWN]) == len(mine)
    assert most_at_once(visits[OWN]) == CONNECTIONS, "no more, and no fewer than it may"
    # A burst of what a second allows, and of the one before.
    lasted_s = visits[OWN][-1][0] - visits[OWN][0][0]
    assert len(mine) <= PER_S * (lasted_s + 2)
    others = max(begun for host, own in visits.items() if host != OWN for begun, _ in own)
    assert others < visits[OWN][-1][0], "the other hosts waited for one"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_host_that_asks_for_patience_is_left_alone(fleet: Fleet) -> None:
    """By everybody: dozens of visits are on offer by then, and only those in hand take place."""
    fleet.extra |= {"UNMASK_HOST_CONNECTIONS": str(WINDOW * 4)}
    asks = f"https://{OWN}/asks?deed={Deed.PATIENCE_ONCE}"
    mine = [asks, *(f"https://{OWN}/{number}" for number in range(WINDOW * 4))]
    accepted = fleet.submit([*mine, *map(uri, range(10))])
    fleet.start("sweep", "gpu")
    fleet.start("cpu", "cpu-2", **{VISIT_S: str(LASTS_S)})
    fleet.until_ended()
    oracle.check(fleet, accepted=accepted)
    visits = seen(fleet)[OWN]
    assert len(visits) == len(mine) + 1
    begun = [at for at, _ in visits]
    asked = begun[0]
    in_hand = 2 * int(fleet.limits["UNMASK_CPU_PROCESSES"])
    meanwhile = [at for at in begun if at < asked + PATIENCE_S - 1.0]
    print(f"{len(meanwhile)} visits, then none for {begun[len(meanwhile)] - meanwhile[-1]:.1f} s")
    assert len(meanwhile) <= in_hand, "visits went on after the host had asked for patience"
    assert {row.stage for row in fleet.ledger.results(CAMPAIGN)} == {Stage.DONE}


Visits = list[tuple[float, float]]


def seen(fleet: Fleet) -> dict[str, Visits]:
    """When each host was visited, in the order in which the visits began."""
    found: dict[str, Visits] = defaultdict(list)
    for line in (fleet.memory / VISITS).read_text().splitlines():
        host, begun, ended = line.split()
        found[host].append((float(begun), float(ended)))
    return {host: sorted(visits) for host, visits in found.items()}


def most_at_once(visits: Visits) -> int:
    changes = [(begun, 1) for begun, _ in visits] + [(ended, -1) for _, ended in visits]
    most = now = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most
