"""Time limits of tasks that have ended are forgotten; those of the others come in turn."""

import heapq

from kombu.asynchronous.hub import Hub
from kombu.asynchronous.timer import Timer

from workers.cpu import app
from workers.spent_timers import SpentTimers, drop_spent


def test_what_was_cancelled_is_dropped_while_the_loop_goes_on() -> None:
    timer, came = Timer(), list[int]()
    for number in range(100):
        entry = timer.call_after(-1 + number / 1000, came.append, (number,))
        if number % 10:
            entry.cancel()
    loop = iter(timer)
    for _ in range(3):
        _, due = next(loop)
        assert due is not None
        due()
        drop_spent(timer)
    assert len(timer) == 7
    for _, due in loop:
        if due is None:
            break
        due()
    assert came == list(range(0, 100, 10))


def test_every_cpu_worker_does_so_again_and_again() -> None:
    assert SpentTimers in app.steps["worker"]
    hub = Hub(timer=Timer())
    SpentTimers(None).register_with_event_loop(None, hub)
    hub.timer.call_after(600, print).cancel()
    assert len(hub.timer) == 2
    own = heapq.heappop(hub.timer._queue).entry
    own()
    assert [one.entry for one in hub.timer._queue] == [own], "its next turn alone"
