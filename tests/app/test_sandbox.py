"""The room, with a made-up media library inside that does whatever the file says."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import psutil
import pytest

from infra.sandbox import Room, RoomClosed, RoomCrashed, RoomLimits, in_force
from infra.sandbox.guest import LEAST_MEMORY, PAGES_AHEAD
from infra.sandbox.keeper import held
from tests.app.made_up_media import BUSY_S
from tests.polling import until
from unmask.errors import Refused, Unusable
from unmask.media.values import Clip, Limits, Manifest
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

HERE = str(Path(__file__).parent)
SPEC = ScanSpec()
LIMITS = Limits(deadline_s=20)
MIB = 1 << 20


def open_room(**limits: Any) -> Room:
    room = RoomLimits(**limits)
    return Room(room, extractor="made_up_media", search_path=(HERE,))


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with open_room() as one:
        yield one


@contextmanager
def file_saying(text: str) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        yield file


def look(room: Room, text: str, limits: Limits = LIMITS) -> list[Clip | Manifest]:
    with file_saying(text) as file:
        return list(room.extract(file, SPEC, limits))


def refusal(room: Room, text: str, limits: Limits = LIMITS) -> Refused:
    with pytest.raises(Refused) as caught:
        look(room, text, limits)
    return caught.value


def newest_keeper() -> psutil.Process:
    """By its age: numbers of processes start anew some day, so the highest need not be it."""
    keepers = [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "infra.sandbox.keeper" in child.cmdline()
    ]
    return max(keepers, key=lambda keeper: float(keeper.create_time()))


def test_results_come_out_as_they_were_made(room: Room) -> None:
    *clips, manifest = look(room, "good 3")
    assert isinstance(manifest, Manifest)
    assert [clip.person for clip in clips if isinstance(clip, Clip)] == [0, 1, 2]
    for clip, person in zip(clips, manifest.persons, strict=True):
        assert isinstance(clip, Clip)
        assert hashlib.sha256(clip.data).hexdigest() == clip.sha256 == person.clip_sha256


def test_a_file_is_read_from_its_beginning_wherever_it_stands(room: Room) -> None:
    with file_saying("good 2") as file:
        file.seek(5)
        assert len(list(room.extract(file, SPEC, LIMITS))) == 3


def test_processor_time_of_each_file_is_told(room: Room) -> None:
    look(room, "good")
    assert 0 < room.cpu_seconds < 2
    refusal(room, "endless", Limits(deadline_s=1))
    assert room.cpu_seconds > 0.1


def test_processor_time_of_waiting_is_told_apart() -> None:
    with Room(extractor="made_up_slow_to_wait", search_path=(HERE,)) as room:
        look(room, "good")
        assert 0 < room.cpu_seconds < BUSY_S <= room.standby_cpu_seconds < BUSY_S + 1


def test_a_refusal_passes_through(room: Room) -> None:
    found = refusal(room, "refuse it is \x1b[31mhuge\nindeed")
    assert found.outcome is Outcome.TOO_LARGE
    assert found.reason == "it is  [31mhuge indeed"


def test_a_crash_is_tried_once_more_and_ends_undecodable(room: Room) -> None:
    found = refusal(room, "segfault")
    assert found.outcome is Outcome.UNDECODABLE
    assert "SIGSEGV" in found.reason


def test_a_crash_that_does_not_come_again_is_forgotten() -> None:
    with open_room() as room:
        assert look(room, "segfault-once")


HOG = ScanSpec(detector="hog")


def test_a_detector_is_warmed_up_once_when_it_is_first_asked_for() -> None:
    with open_room() as room, file_saying("warmed") as file:
        words = []
        for spec in (SPEC, HOG, SPEC, HOG):
            with pytest.raises(Refused) as caught:
                room.extract(file, spec, LIMITS)
            words.append(caught.value.reason)
    assert words == ["centerface", *["centerface hog"] * 3]


@pytest.mark.parametrize("deed", ["unusable", "missing-library"])
def test_what_our_own_installation_lacks_is_not_the_files_fault(room: Room, deed: str) -> None:
    with pytest.raises(Unusable, match=r"no weights|no_such_library"):
        look(room, deed)


def test_a_room_that_does_not_close_opens_no_file() -> None:
    with (
        Room(extractor="room_that_stays_open", search_path=(HERE,)) as room,
        pytest.raises(Unusable, match="can't be closed: no such lock"),
    ):
        look(room, "good")


def test_an_unexpected_error_ends_undecodable_in_its_own_words(room: Room) -> None:
    found = refusal(room, "bug")
    assert found.outcome is Outcome.UNDECODABLE
    assert "ValueError: an unexpected [31m value" in found.reason


@pytest.mark.parametrize("deed", ["endless", "sleep"])
def test_a_file_that_never_ends_is_timed_out_in_time(room: Room, deed: str) -> None:
    started = time.monotonic()
    found = refusal(room, deed, Limits(deadline_s=1))
    assert found.outcome is Outcome.TIMED_OUT
    assert 1 <= time.monotonic() - started < 5


def test_processor_time_runs_out() -> None:
    with open_room(cpu_s=1) as room:
        found = refusal(room, "endless")
        assert found.outcome is Outcome.OVER_BUDGET
        assert "processor time" in found.reason


def test_memory_that_is_hoarded_runs_out() -> None:
    with open_room(resident_bytes=300 * MIB) as room:
        found = refusal(room, "hoard")
        assert found.outcome is Outcome.OVER_BUDGET
        assert "300 MiB" in found.reason


@pytest.mark.parametrize("most", [8, 200])
def test_memory_met_while_waiting_is_not_given_on_top(most: int) -> None:
    limits = Limits(memory_bytes=most * MIB)
    with open_room() as room:
        look(room, "good")
        keeper = newest_keeper()
        guest, ahead = wait_for_child(keeper), PAGES_AHEAD * 2 * MIB
        until(lambda: guest.memory_info().rss > keeper.memory_info().rss + ahead // 2, 10)
        waited = int(refusal(room, "fill", limits).reason)
    with Room(extractor="made_up_without_waiting", search_path=(HERE,)) as room:
        at_once = int(refusal(room, "fill", limits).reason)
    assert waited == pytest.approx(at_once, abs=16)
    assert at_once == pytest.approx(max(most, LEAST_MEMORY // MIB), abs=16)


def test_memory_in_swap_is_held_too() -> None:
    status = "Name:\tVmRSS: 9 kB\nVmHWM:\t 900 kB\nVmRSS:\t  100 kB\nVmSwap:\t   28 kB\n"
    assert held(status) == 128 << 10
    assert held("Name:\tpython\nState:\tZ (zombie)\n") == 0
    assert held(Path("/proc/self/status").read_text()) > MIB


def test_one_huge_request_is_over_budget_too(room: Room) -> None:
    assert refusal(room, "one-huge-request").outcome is Outcome.OVER_BUDGET


def test_the_address_space_bounds_a_hoard_that_is_not_watched() -> None:
    with open_room(resident_bytes=1 << 40, address_bytes=600 * MIB) as room:
        assert refusal(room, "hoard").outcome is Outcome.OVER_BUDGET


SHUT_IN = """
    import os, sys
    from infra.sandbox.confine import Locks
    from infra.sandbox.kernel import prctl
    from infra.sandbox.limits import RoomLimits
    from infra.sandbox.wire import Request
    from unmask.media.values import Limits
    from unmask.spec import ScanSpec
    if os.geteuid() == 0:
        os.setgroups([]), os.setgid(65534), os.setuid(65534)
        prctl(4, 1)  # as after the start of a program by that user
    request = Request(spec=ScanSpec(), limits=Limits(), room=RoomLimits())
    Locks.made(None).close(request)
    print("shut in", flush=True)
    sys.stdin.read()
"""


def test_whoever_runs_it_the_memory_killer_takes_the_room_first() -> None:
    command = [sys.executable, "-c", textwrap.dedent(SHUT_IN)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(HERE).parents[1]
    ) as guest:
        assert guest.stdout is not None
        assert guest.stdout.readline() == b"shut in\n"
        score = Path(f"/proc/{guest.pid}/oom_score_adj").read_text()
        guest.kill()
    assert score.strip() == "1000"


def test_no_other_file_is_read(room: Room, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a password")
    for path in (
        str(secret),
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/tty",
        HERE + "/../../README.md",
    ):
        assert "Permission" in refusal(room, f"open {path}").reason


def test_no_file_is_written(room: Room, tmp_path: Path) -> None:
    target = tmp_path / "out"
    assert "Permission" in refusal(room, f"write {target}").reason
    assert "Permission" in refusal(room, f"write {HERE}/out.txt").reason
    assert not target.exists()


def test_no_connection_is_made(room: Room) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0.2)
        port = canary.getsockname()[1]
        assert "not permitted" in refusal(room, f"connect {port}").reason
        with pytest.raises(TimeoutError):
            canary.accept()


def test_no_program_is_run(room: Room, tmp_path: Path) -> None:
    assert "not permitted" in refusal(room, f"run {tmp_path}/touched").reason
    assert not (tmp_path / "touched").exists()


def test_no_process_is_started(room: Room) -> None:
    assert "not permitted" in refusal(room, "fork-bomb").reason


def test_threads_are_allowed(room: Room) -> None:
    assert refusal(room, "threads").reason == "4 threads ran"


def test_code_may_be_loaded_late(room: Room) -> None:
    assert refusal(room, "late-import").reason == "imported colorsys"


#: What the filter of system calls refuses by itself: kernels before 6.12 have no Landlock for it.
OUT_OF_REACH = (
    "kill-keeper",
    "kill-keeper-by-a-pipe",
    "slow-keeper",
    "bind-keeper",
    "outlive",
    "fork-bomb",
    "connect 9",
    "run /nowhere/touched",
    "hide-memory",
    "huge-pages",
    "memory-file",
    "large-pipe",
    "pages-in-a-pipe",
)


@pytest.fixture(scope="module", params=["made_up_media", "made_up_without_landlock"])
def either(request: pytest.FixtureRequest) -> Iterator[Room]:
    with Room(extractor=request.param, search_path=(HERE,)) as one:
        yield one


@pytest.mark.parametrize("deed", OUT_OF_REACH)
def test_what_is_outside_is_out_of_reach(either: Room, deed: str) -> None:
    assert "not permitted" in refusal(either, deed).reason


def test_no_rights_of_a_file_are_changed(either: Room, tmp_path: Path) -> None:
    before = tmp_path.stat().st_mode
    assert "not permitted" in refusal(either, f"chmod {tmp_path}").reason
    assert tmp_path.stat().st_mode == before


def test_without_landlock_no_file_is_opened_at_all() -> None:
    with Room(extractor="made_up_without_landlock", search_path=(HERE,)) as room:
        for path in (os.__file__, "/etc/passwd", f"{HERE}/made_up.py"):
            assert "Permission" in refusal(room, f"open {path}").reason


def test_handles_run_out(room: Room) -> None:
    assert "Too many open files" in refusal(room, "handles").reason


def test_noise_of_a_decoder_is_bounded(room: Room) -> None:
    assert refusal(room, "print").outcome is Outcome.UNDECODABLE


def test_no_secret_of_the_environment_comes_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("UNMASK_DATABASE_URL", "postgresql://u:hush@h/d")
    with open_room() as room:
        names = refusal(room, "environment").reason.split()
    assert not [name for name in names if name.startswith(("AWS", "UNMASK"))]


ALL_IS_WELL = b'{"outcome": "real", "reason": "all is well"}'

FORGED = [
    "no-manifest",
    "two-manifests",
    "other-clip",
    "unspoken-clip",
    "unfolding-clip",
    "no-picture",
    "other-spec",
    "crowd",
    "huge-clip",
    "endless-clips",
    "raw 00",
    "raw 5a00000000",
    "raw 43ffffffff",
    "raw 4d000000027b7d",
    "raw 4d00000001",
    "raw 4400000000",
    "raw 52000000027b7d",
    "raw 52000000055b5b5b5b5b",
    "raw 4300000001ff" + "4400000000",
    "raw " + "4c" * 5000,
    "raw "
    + (b"R" + (44).to_bytes(4, "big")).hex()
    + b'{"outcome": "real", "reason": "all is well"}'.hex(),
    "raw "
    + (b"R" + (44).to_bytes(4, "big") + b'{"outcome": "unreachable", "reason": "gone"}').hex(),
]


@pytest.mark.parametrize("deed", FORGED, ids=lambda deed: deed[:30])
def test_what_does_not_check_never_comes_out(room: Room, deed: str) -> None:
    found = refusal(room, deed)
    assert found.outcome is Outcome.UNDECODABLE
    assert look(room, "good")


def test_a_guest_leaves_no_process_and_no_handle_behind(room: Room) -> None:
    look(room, "good")
    keeper = newest_keeper()
    wait_for_child(keeper)
    before = psutil.Process().num_fds(), keeper.num_fds()
    for _ in range(5):
        look(room, "good 2")
        refusal(room, "refuse x")
        refusal(room, "sleep", Limits(deadline_s=0.1))
    wait_for_child(keeper)
    assert len(keeper.children()) == 1
    # A guest that is just being forked has a handle more in its keeper, maybe in `before`.
    assert psutil.Process().num_fds() <= before[0]
    assert keeper.num_fds() <= before[1]


def test_who_stands_by_is_given_the_next_file() -> None:
    with open_room() as room:
        look(room, "good")
        standing_by = wait_for_child(newest_keeper())
        assert refusal(room, "pid").reason == str(standing_by.pid)


def test_one_that_died_standing_by_is_replaced_without_a_word() -> None:
    with open_room() as room:
        look(room, "good")
        standing_by = wait_for_child(newest_keeper())
        standing_by.kill()
        until(lambda: standing_by.status() == psutil.STATUS_ZOMBIE, 10)
        assert look(room, "good")
        until_gone(standing_by.pid)


def test_who_stood_by_for_another_detector_is_sent_away() -> None:
    with open_room() as room, file_saying("pid") as file:
        look(room, "good")
        standing_by = wait_for_child(newest_keeper())
        with pytest.raises(Refused) as caught:
            room.extract(file, replace(SPEC, detector="hog"), LIMITS)
        assert caught.value.reason != str(standing_by.pid)
        until_gone(standing_by.pid)


def test_closing_from_another_thread_ends_the_file_at_once() -> None:
    with open_room() as room:
        look(room, "good")
        keeper = newest_keeper()
        closer = threading.Timer(0.3, room.close)
        closer.start()
        started = time.monotonic()
        with pytest.raises(RoomClosed):
            look(room, "sleep")
        assert time.monotonic() - started < 5
        closer.join()
        until_gone(keeper.pid)
        assert look(room, "good")


def until_gone(pid: int) -> None:
    until(lambda: not psutil.pid_exists(pid), 10)


def test_an_exception_of_the_worker_ends_the_file() -> None:
    """As Celery's soft time limit: raised by a signal while the worker waits."""

    def late(*_: object) -> None:
        raise KeyboardInterrupt

    with open_room() as room:
        look(room, "good")
        guest_keeper = newest_keeper().pid
        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            with pytest.raises(KeyboardInterrupt):
                look(room, "sleep")
        finally:
            signal.signal(signal.SIGALRM, before)
        until_gone(guest_keeper)
        assert look(room, "good")


def test_a_keeper_that_is_killed_is_our_own_fault_and_replaced() -> None:
    with open_room() as room:
        look(room, "good")
        os.kill(newest_keeper().pid, signal.SIGKILL)
        with pytest.raises(RoomCrashed) as caught:
            look(room, "good")
        assert not caught.value.by_the_file
        assert look(room, "good")


def test_guests_that_die_before_they_have_the_file_are_our_own_fault() -> None:
    with Room(extractor="made_up_without_memory", search_path=(HERE,)) as room:
        for _ in range(2):
            with pytest.raises(RoomCrashed, match="taking the file") as caught:
                look(room, "good")
            assert not caught.value.by_the_file


def test_a_guest_that_can_meet_no_memory_ahead_takes_the_file_all_the_same() -> None:
    with Room(extractor="made_up_with_little_memory", search_path=(HERE,)) as room:
        look(room, "good")
        guest = wait_for_child(newest_keeper())
        until(lambda: guest.status() in (psutil.STATUS_SLEEPING, psutil.STATUS_ZOMBIE), 10)
        assert refusal(room, "pid").reason == str(guest.pid)


def test_a_library_that_does_not_load_is_our_own_fault() -> None:
    with Room(extractor="no_such_module") as room, pytest.raises(RoomCrashed, match="warmed up"):
        look(room, "good")


WORKER = """
    import sys, tempfile
    from infra.sandbox import Room
    from unmask.media.values import Limits
    from unmask.spec import ScanSpec
    room = Room(extractor="made_up_media", search_path=(sys.argv[1],))
    room.start()
    file = tempfile.TemporaryFile()
    file.write(b"slow"); file.flush()
    list(room.extract(file, ScanSpec(), Limits()))
    print("warm", flush=True)
    file.seek(0); file.truncate(); file.write(b"sleep"); file.flush()
    room.extract(file, ScanSpec(), Limits())
"""


def test_the_room_dies_with_its_worker() -> None:
    command = [sys.executable, "-c", textwrap.dedent(WORKER), HERE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(HERE).parents[1]) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"warm\n"
        (keeper,) = psutil.Process(worker.pid).children()
        guest = wait_for_child(keeper)
        worker.kill()
    until_gone(keeper.pid)
    until_gone(guest.pid)


@pytest.mark.parametrize("time_", range(3))
def test_the_guest_dies_with_its_keeper(time_: int) -> None:
    """Also where the keeper is killed before the guest has said that it wants to."""
    with open_room() as room:
        look(room, "good")
        keeper = newest_keeper()
        looking = threading.Thread(target=_crash, args=(room,))
        looking.start()
        guest = wait_for_child(keeper)
        keeper.kill()
        looking.join(10)
        until_gone(guest.pid)


def _crash(room: Room) -> None:
    with pytest.raises(RoomCrashed):
        look(room, "sleep")


def wait_for_child(process: psutil.Process) -> psutil.Process:
    """As soon as it is there: what is done to it next should find it at its beginning."""
    until(lambda: bool(process.children()), 10, every_s=0.01)
    child: psutil.Process = process.children()[0]
    return child


def test_every_lock_is_in_force_here() -> None:
    found = in_force()
    assert len(found) == 14
    assert all(found.values()), found
