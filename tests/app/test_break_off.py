"""A wait is ended from another thread, but only a wait, and only when the time is over."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tasks.break_off import SIGNAL, BreakOff, LeaseLost
from tasks.drain import Drain, Stopping


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    before = signal.getsignal(SIGNAL)
    yield
    signal.signal(SIGNAL, before)


@pytest.fixture
def silence() -> Iterator[socket.socket]:
    """Nothing is ever sent to it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(60)
        yield ours


@contextmanager
def ended_from_elsewhere(break_off: BreakOff, end: Callable[[], None]) -> Iterator[threading.Event]:
    """By another thread, which goes on looking as a ticker does."""
    begun, over = threading.Event(), threading.Event()

    def tick() -> None:
        begun.wait()
        end()
        while not over.wait(0.05):
            break_off()

    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        yield begun
    finally:
        begun.set()
        over.set()
        ticker.join()


def silent(break_off: BreakOff, silence: socket.socket, begun: threading.Event) -> None:
    with break_off.waiting():
        begun.set()
        silence.recv(1)


def test_a_wait_ends_when_the_time_is_over(silence: socket.socket) -> None:
    drain = Drain()
    break_off = BreakOff(drain)
    with (
        ended_from_elsewhere(break_off, lambda: drain.start(0.0)) as begun,
        pytest.raises(Stopping),
    ):
        silent(break_off, silence, begun)


def test_nobody_who_tries_again_by_itself_takes_it_for_a_fault() -> None:
    drain, done = Drain(), list[str]()
    break_off = BreakOff(drain)

    def ask() -> None:
        try:
            drain.start(0.0)
            break_off()
        except Exception:  # noqa: BLE001 - as botocore does
            done.append("asked again")

    with pytest.raises(Stopping), break_off.waiting():
        ask()
    assert not done


def test_a_wait_goes_on_while_there_is_time() -> None:
    done, break_off = list[str](), BreakOff(Drain())
    with break_off.waiting():
        break_off()
        done.append("all of it")
    assert done


def test_a_wait_ends_when_the_lease_is_lost(silence: socket.socket) -> None:
    """Another worker visits the same host by then: this one would be a connection too many."""
    break_off = BreakOff(Drain())
    with ended_from_elsewhere(break_off, break_off.lose) as begun, pytest.raises(LeaseLost):
        silent(break_off, silence, begun)


def test_no_wait_begins_for_what_is_lost_until_something_else_is_worked_on() -> None:
    done, break_off = list[str](), BreakOff(Drain())
    break_off.lose()
    with pytest.raises(LeaseLost), break_off.waiting():
        pytest.fail("it began")
    break_off.begin()
    with break_off.waiting():
        done.append("all of it")
    assert done


def test_what_must_not_be_cut_off_ends_first() -> None:
    drain, done = Drain(), list[str]()
    break_off = BreakOff(drain)

    def told_to_stop() -> None:
        with break_off.undisturbed():
            drain.start(0.0)
            break_off()
            done.append("all of it")
        done.append("and more")

    with pytest.raises(Stopping), break_off.waiting():
        told_to_stop()
    assert done == ["all of it"]


def test_nothing_begins_once_the_time_is_over() -> None:
    drain = Drain()
    drain.start(0.0)
    with pytest.raises(Stopping), BreakOff(drain).waiting():
        pytest.fail("it began")


def test_where_nobody_waits_nobody_is_disturbed() -> None:
    """Unheard, that signal would end the process."""
    signal.signal(SIGNAL, signal.SIG_DFL)
    drain = Drain()
    break_off = BreakOff(drain)
    drain.start(0.0)
    break_off()
    with pytest.raises(Stopping), break_off.waiting():
        pytest.fail("it began")
    break_off()
