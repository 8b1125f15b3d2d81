"""The real media library in the room: the samples give the same there as outside."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from itertools import dropwhile, islice
from pathlib import Path

import pytest

from infra.sandbox import Room, landlock
from tests.fuzz import corpus
from unmask.errors import Refused
from unmask.media import extract
from unmask.media.values import Clip, Limits, Manifest
from unmask.spec import ScanSpec

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SAMPLES = sorted(
    file for file in (ROOT / "samples").iterdir() if file.suffix not in ("", ".py", ".md")
)
#: Small, so that the suite stays quick; every road through the decoder is taken all the same.
SPEC = ScanSpec(windows=2, frames=5, min_frames=2, detector_px=320)
LIMITS = Limits(deadline_s=60)


@pytest.fixture(scope="module", params=["all locks", "no Landlock"])
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    if request.param == "all locks":
        one = Room()
    else:
        one = Room(extractor="media_without_landlock", search_path=(str(HERE),))
    with one:
        yield one


@cache
def outside(file: Path) -> list[Clip | Manifest] | str:
    try:
        with file.open("rb") as opened:
            return list(extract(opened, SPEC, LIMITS))
    except Refused as refusal:
        return str(refusal.outcome)


def inside(room: Room, file: Path) -> list[Clip | Manifest] | str:
    try:
        with file.open("rb") as opened:
            return list(room.extract(opened, SPEC, LIMITS))
    except Refused as refusal:
        return str(refusal.outcome)


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.name)
def test_a_sample_gives_the_same_inside_and_outside(room: Room, file: Path) -> None:
    assert inside(room, file) == outside(file)


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 8


#: Five times what is asked for (`bench.sandbox.ASKED_MS`), as other tests run beside this one.
MOST_S = 0.15


def test_the_room_costs_little(room: Room) -> None:
    """Against gross errors only, as a start for each file is one; `bench sandbox` measures it."""
    file = ROOT / "samples" / "not-a-video.mp4"
    inside(room, file)
    started = time.perf_counter()
    for _ in range(10):
        inside(room, file)
    assert (time.perf_counter() - started) / 10 < MOST_S


TRACED = """
    import sys
    from infra.sandbox import Room
    from unmask.media.values import Limits
    from unmask.spec import ScanSpec
    with Room() as room:
        for name in sys.argv[1:]:
            with open(name, "rb") as file:
                try:
                    list(room.extract(file, ScanSpec(windows=1, frames=2), Limits()))
                except Exception:
                    pass
"""


def lines_of_guests(folder: Path) -> Iterator[str]:
    """Of traced processes that shut themselves in, what came from then on; all of their threads."""
    traces = {trace.suffix[1:]: trace.read_text().splitlines() for trace in folder.glob("trace.*")}
    waiting = [list(dropwhile(not_shut, lines)) for lines in traces.values()]
    while waiting:
        lines = waiting.pop()
        yield from lines
        waiting += [traces.get(number, []) for number in started_by(lines)]


def started_by(lines: list[str]) -> Iterator[str]:
    """`clone(child_stack=…, flags=…|CLONE_THREAD|…) = 1234` names the file of a thread."""
    for line in lines:
        _, _, number = line.rpartition(" = ")
        if line.startswith("clone") and number.isdecimal():
            yield number


def not_shut(line: str) -> bool:
    """Asking whether there are filters fails, as no filter is given."""
    return "PR_SET_SECCOMP" not in line or not line.endswith(" = 0")


CODE = landlock.code_paths()


def is_code(line: str) -> bool:
    """`openat(AT_FDCWD, "/usr/lib/x.so", O_RDONLY) = 5` names a file under one of ours."""
    _, _, rest = line.partition('"')
    path = Path(rest.partition('"')[0])
    return path.is_absolute() and any(path.resolve().is_relative_to(one) for one in CODE)


def malformed(folder: Path) -> list[str]:
    """What makes other players open another file, two formats in one, and some broken parts."""
    chosen = [*corpus.two_faced(), *islice(corpus.structured(), 0, None, 60)]
    for number, (_, data) in enumerate(chosen):
        (folder / f"malformed-{number}").write_bytes(data)
    return [str(file) for file in folder.glob("malformed-*")]


def test_what_threads_of_a_guest_do_is_judged(tmp_path: Path) -> None:
    (tmp_path / "trace.1").write_text("clone(flags=SIGCHLD) = 2\nsocket(AF_UNIX) = 3\n")
    (tmp_path / "trace.2").write_text(
        "clone(flags=CLONE_THREAD) = 9\nprctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER) = 0\n"
        "clone3({flags=CLONE_THREAD}, 88) = -1 ENOSYS\nclone(flags=CLONE_THREAD) = 3\n"
    )
    (tmp_path / "trace.3").write_text("clone3({flags=CLONE_THREAD}, 88) = 4\n")
    (tmp_path / "trace.4").write_text("socket(AF_INET) = -1 EPERM\n")
    (tmp_path / "trace.9").write_text("openat(before) = 5\n")
    seen = list(lines_of_guests(tmp_path))
    assert "socket(AF_INET) = -1 EPERM" in seen
    assert not [line for line in seen if "AF_UNIX" in line or "before" in line]


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not here")
def test_the_kernel_sees_no_other_file_and_no_socket(tmp_path: Path) -> None:
    names = [str(file) for file in SAMPLES if file.stat().st_size < 2 << 20]
    names += malformed(tmp_path)
    program = "\n".join(line[4:] for line in TRACED.splitlines())
    calls = (
        "trace=prctl,open,openat,creat,socket,connect,execve,fork,vfork,clone,clone3,unlink,rename"
    )
    done = subprocess.run(
        ["strace", "-ff", "-o", str(tmp_path / "trace"), "-e", calls,
         sys.executable, "-c", program, *names],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    lines = [line for line in lines_of_guests(tmp_path) if "(" in line]
    opened = [line for line in lines if "O_" in line and " = -1 " not in line]
    assert [line for line in opened if not is_code(line)] == []
    assert [line for line in lines if line.startswith(("socket", "connect", "execve"))] == []
    assert lines, "no guest was traced"
    assert list(started_by(lines)), "no thread of a guest was traced"
