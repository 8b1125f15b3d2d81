"""Leases are renewed while an item is held, by one thread however many items come and go."""

import subprocess
import sys
import threading
from collections.abc import Sequence

import pytest

from schemas.records import Claim
from tasks.drain import Drain
from tasks.heartbeat import Heartbeat
from tasks.ticker import Ticker
from tests.making.claims import a_claim
from tests.polling import until

FORKING = """
import os, threading, time
from tasks.ticker import Ticker
ticker, seen = Ticker(), threading.Event()
ticker.add(lambda: None)
child = os.fork()
if child == 0:
    ticker.add(seen.set)
    os._exit(0 if seen.wait(10) else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class Ledger:
    """Counts renewals and answers that the first `held` items are still ours."""

    def __init__(self, held: set[int]) -> None:
        self.held, self.renewed = held, list[int]()

    def renew(self, claims: Sequence[Claim], *, lease_s: float) -> set[int]:
        self.renewed += [claim.item for claim in claims]
        return self.held


def heartbeat(
    ledger: Ledger, by: Ticker, ended: list[bool], drain: Drain | None = None
) -> Heartbeat:
    return Heartbeat(
        ledger,
        every_s=0.0,
        lease_s=60.0,
        drain=drain or Drain(),
        on_end=lambda: ended.append(True),
        by=by,
    )


def test_what_is_held_is_renewed_until_it_is_let_go() -> None:
    ledger, ended, ticker = Ledger({7}), list[bool](), Ticker()
    beat = heartbeat(ledger, ticker, ended)
    beat.hold([a_claim(7)])
    with beat:
        until(lambda: len(ledger.renewed) >= 2)
    after = len(ledger.renewed)
    other = Ledger({8})
    again = heartbeat(other, ticker, ended)
    again.hold([a_claim(8)])
    with again:
        until(lambda: len(other.renewed) >= 2)
    assert len(ledger.renewed) == after
    assert not ended


def test_a_lost_lease_ends_the_work_whenever_it_looks() -> None:
    ledger, ended = Ledger(set()), list[bool]()
    beat = heartbeat(ledger, Ticker(), ended)
    beat.hold([a_claim(7)])
    with beat:
        until(lambda: len(ended) >= 3)
    assert beat.lost == {7}


def test_what_ends_while_the_ledger_is_asked_is_not_lost() -> None:
    ended, told = list[bool](), list[int]()

    class Meanwhile(Ledger):
        """The item ends in another thread, and this answer comes before that one's."""

        def renew(self, claims: Sequence[Claim], *, lease_s: float) -> set[int]:
            told.extend(claim.item for claim in claims)
            beat.drop([claim.item for claim in claims if claim.item == 7])
            return super().renew(claims, lease_s=lease_s)

    beat = heartbeat(Meanwhile({8}), Ticker(), ended)
    beat.hold([a_claim(7), a_claim(8)])
    with beat:
        until(lambda: told.count(8) >= 2)
    assert told.count(7) == 1
    assert beat.lost == set()
    assert not ended


def test_a_worker_whose_time_is_over_ends_the_work_whenever_it_looks_and_renews_nothing() -> None:
    ledger, ended, drain = Ledger({7}), list[bool](), Drain()
    drain.start(0.0)
    beat = heartbeat(ledger, Ticker(), ended, drain)
    beat.hold([a_claim(7)])
    with beat:
        until(lambda: len(ended) >= 2)
    assert ledger.renewed == []


def test_many_items_in_turn_need_one_thread() -> None:
    ticker, ended = Ticker(), list[bool]()
    before = threading.active_count()
    for number in range(200):
        beat = heartbeat(Ledger({number}), ticker, ended)
        beat.hold([a_claim(number)])
        with beat:
            assert threading.active_count() <= before + 1


def test_a_look_that_fails_does_not_end_the_others(caplog: pytest.LogCaptureFixture) -> None:
    ticker, seen = Ticker(), list[bool]()

    def failing() -> None:
        raise RuntimeError("of this one")

    failed = ticker.add(failing)
    ticker.add(lambda: seen.append(True))
    until(lambda: len(seen) >= 2)
    ticker.remove(failed)
    assert "of this one" in caplog.text


def test_a_forked_child_gets_a_thread_of_its_own() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING], check=True, timeout=60)
