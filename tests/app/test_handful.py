"""Items behind one message: one after the other, their refusals together, nobody waits for long."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from infra.hosts import host_number
from schemas.records import Claim, Rejected
from tasks.drain import Drain
from tasks.handful import PATIENCE_S, Handful
from tasks.ticker import Look, Ticker
from tests.making.claims import a_claim
from tests.polling import until
from unmask.errors import TryAgain
from unmask.outcomes import Outcome


@dataclass
class Ledger:
    """Remembers what it is told, transaction by transaction."""

    away: bool = False
    #: Items that others hold by now.
    lost: set[int] = field(default_factory=set)
    rejected: list[list[int]] = field(default_factory=list)
    released: list[tuple[int, str]] = field(default_factory=list)
    #: A row that the database does not take.
    bad: int = 0

    def reject(self, done: Sequence[Rejected]) -> set[int]:
        if self.away:
            raise TryAgain("the database is away")
        if self.bad in {one.claim.item for one in done}:
            raise ValueError("no such row")
        self.rejected.append([one.claim.item for one in done])
        return {one.claim.item for one in done} - self.lost

    def release_many(self, held: Sequence[Claim], reason: str) -> set[int]:
        self.released += [(claim.item, reason) for claim in held]
        return {claim.item for claim in held}


class ByHand(Ticker):
    """Looks when the test says so."""

    look: Look

    def add(self, look: Look) -> int:
        self.look = look
        return 1


@dataclass
class Stand:
    ledger: Ledger = field(default_factory=Ledger)
    ticker: ByHand = field(default_factory=ByHand)
    drain: Drain = field(default_factory=Drain)
    now: float = 0.0

    def handful(self, *items: int) -> Handful:
        """Even numbers lie at another host than odd ones."""
        hosts = ("https://even.example", "https://odd.example")
        claims = [
            dataclasses.replace(a_claim(item), uri=f"{hosts[item % 2]}/{item}") for item in items
        ]
        return Handful(
            self.ledger, claims, drain=self.drain, by=self.ticker, clock=lambda: self.now
        )


def refused(claim: Claim) -> Rejected:
    return Rejected(claim=claim, outcome=Outcome.BLOCKED, reason="a private address")


def test_refusals_are_written_together() -> None:
    stand = Stand()
    with stand.handful(1, 2, 3) as handful:
        for claim in handful:
            assert handful.reject(refused(claim))
        assert stand.ledger.rejected == []
        handful.write()
    assert stand.ledger.rejected == [[1, 2, 3]]
    assert stand.ledger.released == []


def test_a_refusal_waits_for_no_more_than_the_next_look() -> None:
    stand = Stand()
    with stand.handful(1, 2) as handful:
        handful.reject(refused(next(iter(handful))))
        stand.ticker.look()
        assert stand.ledger.rejected == [[1]]
        handful.write()
    assert stand.ledger.rejected == [[1]], "it was written twice"


def test_who_has_not_begun_in_time_goes_back() -> None:
    stand = Stand()
    with stand.handful(1, 2, 3) as handful:
        turns = iter(handful)
        assert next(turns).item == 1
        stand.now = PATIENCE_S / 2
        stand.ticker.look()
        assert stand.ledger.released == []
        stand.now = PATIENCE_S
        stand.ticker.look()
        assert [item for item, _ in stand.ledger.released] == [2, 3]
        assert list(turns) == []


def test_a_worker_that_stops_begins_nothing_more() -> None:
    stand = Stand()
    with stand.handful(1, 2) as handful:
        turns = iter(handful)
        next(turns)
        stand.drain.start(60.0)
        assert list(turns) == []
    assert stand.ledger.released == [(2, "the worker is stopping")]


def test_what_the_database_does_not_take_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    stand = Stand()
    with stand.handful(1, 2) as handful:
        for claim in handful:
            handful.reject(refused(claim))
        stand.ledger.away = True
        stand.ticker.look()
        assert "the database is away" in caplog.text
        with pytest.raises(TryAgain):
            handful.write()
        stand.ledger.away = False
        handful.write()
    assert stand.ledger.rejected == [[1, 2]]


def test_whatever_ends_it_nothing_of_it_is_kept() -> None:
    stand = Stand()

    def broken_off() -> None:
        with stand.handful(1, 2, 3) as handful:
            handful.reject(refused(next(iter(handful))))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert stand.ledger.rejected == [[1]]
    assert [item for item, _ in stand.ledger.released] == [2, 3]
    stand.ticker.look()
    assert len(stand.ledger.released) == 2


def test_a_host_in_trouble_is_not_visited_for_the_next_of_them() -> None:
    stand = Stand()
    with stand.handful(1, 2, 3, 4) as handful:
        turns = iter(handful)
        first = next(turns)
        handful.give_back("come again in an hour", host_number(first.uri))
        assert [claim.item for claim in turns] == [2, 4]
    assert stand.ledger.released == [(3, "come again in an hour")]
    assert handful.back == {3: "come again in an hour"}


def test_a_row_that_is_not_taken_takes_no_other_with_it(caplog: pytest.LogCaptureFixture) -> None:
    stand = Stand(ledger=Ledger(bad=2))
    with stand.handful(1, 2, 3) as handful:
        for claim in handful:
            handful.reject(refused(claim))
        handful.write()
    assert stand.ledger.rejected == [[1], [3]]
    assert "how item 2 ended can't be written" in caplog.text


def test_the_ticker_looks_by_itself() -> None:
    ledger = Ledger()
    with Handful(ledger, [a_claim(1)], drain=Drain()) as handful:
        handful.reject(refused(next(iter(handful))))
        until(lambda: ledger.rejected == [[1]])


def test_what_came_too_late_is_told() -> None:
    stand = Stand(ledger=Ledger(lost={2}))
    with stand.handful(1, 2) as handful:
        for claim in handful:
            handful.reject(refused(claim))
        handful.write()
    assert handful.stale == {2}
