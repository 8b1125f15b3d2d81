"""Stands in for the media library inside the room: the file says what shall happen."""

import ctypes
import fcntl
import hashlib
import importlib
import mmap
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from infra.sandbox import syscalls
from infra.sandbox.kernel import MACHINE, die_with_parent, syscall
from unmask.errors import Refused, Unusable
from unmask.media.budget import Budget
from unmask.media.values import Box, Clip, FaceFrame, Limits, Manifest, MediaInfo, Person
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

MIB = 1 << 20
#: On every processor (linux/mman.h).
MAP_HUGETLB = 0x40000
#: On every processor.
FCHMODAT2 = 452
SIDE = ScanSpec().size
#: Processor time of a guest that is slow to be ready.
BUSY_S = 0.3
#: The one thing that the guests of a keeper share.
COUNT = mmap.mmap(-1, 1)
WARMED: list[str] = []


def warm(detectors: tuple[str, ...]) -> None:
    WARMED.extend(detectors)
    if os.environ.get("AWS_SECRET_ACCESS_KEY") or os.environ.get("UNMASK_DATABASE_URL"):
        raise AssertionError("the room inherited a secret")


def extract(file: BinaryIO, spec: ScanSpec, limits: Limits) -> Iterator[Clip | Manifest]:
    word, _, rest = file.read().decode().partition(" ")
    if word == "good":
        yield from good(spec, persons=int(rest or 1))
    elif word in YIELDS:
        yield from YIELDS[word](spec)
    elif word == "fill":
        fill(limits)
    else:
        DEEDS[word](rest)
        yield from good(spec, persons=0)


def good(spec: ScanSpec, *, persons: int) -> Iterator[Clip | Manifest]:
    clips = [a_clip(number) for number in range(persons)]
    yield from clips
    yield manifest(spec, clips)


def a_clip(person: int) -> Clip:
    data = picture(SIDE) + f"the face of {person}".encode() * 50
    return Clip(person=person, sha256=hashlib.sha256(data).hexdigest(), data=data)


def picture(side: int) -> bytes:
    """As far as its header says."""
    return b"qoif" + struct.pack(">II", side, side)


def manifest(spec: ScanSpec, clips: list[Clip]) -> Manifest:
    return Manifest(
        media=MediaInfo(kind="video", container="made up", codec="none", width=64, height=64),
        spec_digest=spec.digest,
        size=spec.size,
        persons=tuple(a_person(clip) for clip in clips),
        outcome=None if clips else Outcome.NO_FACE,
    )


def a_person(clip: Clip) -> Person:
    frame = FaceFrame(
        window=0,
        time_s=0.0,
        box=Box(x=0, y=0, width=32, height=32),
        face_px=32,
        sharpness=1.0,
        detected=True,
        offset=0,
        length=len(clip.data),
    )
    return Person(
        person=clip.person, clip_sha256=clip.sha256, clip_bytes=len(clip.data), frames=(frame,)
    )


# --- what the room must not let out ---


def no_manifest(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    yield a_clip(0)


def two_manifests(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    yield manifest(spec, [])
    yield manifest(spec, [])


def other_clip(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    yield a_clip(1)
    yield manifest(spec, [a_clip(0)])


def unspoken_clip(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    yield a_clip(0)
    yield manifest(spec, [])


def unfolding_clip(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    yield from forged(spec, picture(60_000))


def no_picture(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    yield from forged(spec, b"BM" + bytes(100))


def forged(spec: ScanSpec, data: bytes) -> Iterator[Clip | Manifest]:
    clip = Clip(person=0, sha256=hashlib.sha256(data).hexdigest(), data=data)
    yield clip
    yield manifest(spec, [clip])


def other_spec(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    yield manifest(ScanSpec(frames=spec.frames + 1), [])


def crowd(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    yield from good(spec, persons=spec.persons + 1)


def huge_clip(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    yield Clip(person=0, sha256="0" * 64, data=bytes(64 * MIB))


def endless_clips(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    while True:
        yield Clip(person=0, sha256="0" * 64, data=bytes(MIB))


def slow_then_good(spec: ScanSpec) -> Iterator[Clip | Manifest]:
    time.sleep(0.2)
    yield from good(spec, persons=1)


YIELDS: dict[str, Callable[[ScanSpec], Iterator[Clip | Manifest]]] = {
    "no-manifest": no_manifest,
    "two-manifests": two_manifests,
    "other-clip": other_clip,
    "unspoken-clip": unspoken_clip,
    "unfolding-clip": unfolding_clip,
    "no-picture": no_picture,
    "other-spec": other_spec,
    "crowd": crowd,
    "huge-clip": huge_clip,
    "endless-clips": endless_clips,
    "slow": slow_then_good,
}


# --- what the file makes the decoder do ---


def result_pipe() -> int:
    """The pipe that results leave by, as a hijacked decoder would find it."""
    return max(handle for handle in range(3, 64) if is_pipe(handle))


def is_pipe(handle: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(handle).st_mode)
    except OSError:
        return False


def raw(frame: bytes) -> None:
    os.write(result_pipe(), frame)
    os._exit(0)


def segfault(_: str) -> None:
    ctypes.string_at(0)


def segfault_once(_: str) -> None:
    COUNT[0] += 1
    if COUNT[0] == 1:
        segfault("")


def endless(_: str) -> None:
    while True:
        pass


def sleep(_: str) -> None:
    signal.pause()


def hoard(_: str) -> None:
    kept = []
    while True:
        kept.append(bytearray(os.urandom(MIB)) * 16)


def fill(limits: Limits) -> None:
    """Holds as many megabytes as decoding's own budget allows, and tells how many that were."""
    budget, kept = Budget(limits), list[bytearray]()
    with suppress(Refused):
        while True:
            budget.check()
            kept.append(bytearray(MIB))
    raise Refused(Outcome.NOT_MEDIA, str(len(kept)))


def hide_memory(_: str) -> None:
    """Shared pages stay allocated when they are no longer this process's own."""
    kept = []
    for _number in range(12):
        one = mmap.mmap(-1, 64 * MIB)
        for page in range(0, len(one), mmap.PAGESIZE):
            one[page] = 1
        one.madvise(mmap.MADV_DONTNEED)
        kept.append(one)


def huge_pages(_: str) -> None:
    """From a pool of their own, which no limit of a process counts."""
    mmap.mmap(-1, 2 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB)


def memory_file(_: str) -> None:
    os.memfd_create("hidden")


def large_pipe(_: str) -> None:
    fcntl.fcntl(result_pipe(), fcntl.F_SETPIPE_SZ, MIB)


def pages_in_a_pipe(_: str) -> None:
    """A pipe holds the pages that it is given, also when they are unmapped."""
    page = ctypes.create_string_buffer(mmap.PAGESIZE)
    given = struct.pack("@PN", ctypes.addressof(page), mmap.PAGESIZE)
    number = syscalls.TABLES[MACHINE][1]["vmsplice"]
    syscall(number, ctypes.c_int(result_pipe()), given, ctypes.c_ulong(1), ctypes.c_uint(0))


def one_huge_request(_: str) -> None:
    bytearray(1 << 40)


def fork_bomb(_: str) -> None:
    while True:
        os.fork()


def threads(_: str) -> None:
    ran: list[int] = []
    some = [threading.Thread(target=ran.append, args=(number,)) for number in range(4)]
    for one in some:
        one.start()
    for one in some:
        one.join()
    raise Refused(Outcome.NOT_MEDIA, f"{len(ran)} threads ran")


def open_file(path: str) -> None:
    raise Refused(Outcome.NOT_MEDIA, f"read {len(Path(path).read_bytes())} bytes")


def write_file(path: str) -> None:
    Path(path).write_text("out")


def connect(port: str) -> None:
    """Without a look at its name, which needs files."""
    with socket.socket() as one:
        one.connect(("127.0.0.1", int(port)))


def run_program(path: str) -> None:
    subprocess.run(["/bin/touch", path], check=True)


def kill_keeper(_: str) -> None:
    os.kill(os.getppid(), signal.SIGKILL)


def kill_keeper_by_a_pipe(_: str) -> None:
    """Make the keeper the owner of the results' news, and a kill the way to tell them."""
    pipe = result_pipe()
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getppid())
    fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, os.O_WRONLY | os.O_ASYNC)
    os.write(pipe, b"N" + bytes(4))
    signal.pause()


def slow_keeper(_: str) -> None:
    os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)


def bind_keeper(_: str) -> None:
    os.sched_setaffinity(os.getppid(), {0})


def chmod(path: str) -> None:
    """By the newest of the calls for it."""
    syscall(FCHMODAT2, ctypes.c_int(-100), path.encode(), ctypes.c_uint(0), ctypes.c_uint(0))


def outlive(_: str) -> None:
    die_with_parent(0)


def print_much(_: str) -> None:
    for _number in range(1000):
        sys.stderr.write("decoder noise " * 100)
    segfault("")


def handles(_: str) -> None:
    held = []
    while True:
        held.append(os.dup(0))


def late_import(_: str) -> None:
    import colorsys

    raise Refused(Outcome.NOT_MEDIA, f"imported {colorsys.__name__}")


def refuse(reason: str) -> None:
    raise Refused(Outcome.TOO_LARGE, reason)


def bug(_: str) -> None:
    raise ValueError("an unexpected\x1b[31m value")


def environment(_: str) -> None:
    raise Refused(Outcome.NOT_MEDIA, " ".join(sorted(os.environ)))


def own_number(_: str) -> None:
    raise Refused(Outcome.NOT_MEDIA, str(os.getpid()))


def warmed(_: str) -> None:
    raise Refused(Outcome.NOT_MEDIA, " ".join(WARMED))


def unusable(_: str) -> None:
    raise Unusable("no weights: install them")


def missing_library(_: str) -> None:
    importlib.import_module("no_such_library")


DEEDS: dict[str, Callable[[str], None]] = {
    "segfault": segfault,
    "segfault-once": segfault_once,
    "endless": endless,
    "sleep": sleep,
    "hoard": hoard,
    "hide-memory": hide_memory,
    "huge-pages": huge_pages,
    "memory-file": memory_file,
    "large-pipe": large_pipe,
    "pages-in-a-pipe": pages_in_a_pipe,
    "one-huge-request": one_huge_request,
    "fork-bomb": fork_bomb,
    "threads": threads,
    "open": open_file,
    "write": write_file,
    "connect": connect,
    "run": run_program,
    "kill-keeper": kill_keeper,
    "kill-keeper-by-a-pipe": kill_keeper_by_a_pipe,
    "slow-keeper": slow_keeper,
    "bind-keeper": bind_keeper,
    "outlive": outlive,
    "chmod": chmod,
    "print": print_much,
    "handles": handles,
    "late-import": late_import,
    "refuse": refuse,
    "bug": bug,
    "environment": environment,
    "warmed": warmed,
    "pid": own_number,
    "unusable": unusable,
    "missing-library": missing_library,
    "raw": lambda text: raw(bytes.fromhex(text)),
}
