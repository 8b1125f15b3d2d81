"""The process of one file: shut in, it looks at the file, writes what it found, and is gone."""

import faulthandler
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import BinaryIO, NoReturn, Protocol, cast

from infra.sandbox.confine import Locks
from infra.sandbox.frames import (
    CLIP,
    DONE,
    FAILED,
    MANIFEST,
    PERSON,
    REFUSED,
    UNUSABLE,
    write_frame,
)
from infra.sandbox.more import Asking
from infra.sandbox.wire import TAKEN, Request, receive
from unmask.errors import Refused, Unusable
from unmask.media.budget import peak_memory
from unmask.media.holes import Holed
from unmask.media.values import Clip, Limits, Manifest
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

#: Memory that a guest meets while it waits: ten frames of 720p need about as much. Under the
#: kernel's large pages each is met in one step.
_LARGE_PAGE = 2 << 20
PAGES_AHEAD = 32
#: No file is given less memory than this: a guest that had the time holds half of it already.
LEAST_MEMORY = 2 * PAGES_AHEAD * _LARGE_PAGE
#: Left for the worker in place of a traceback.
MAX_WORDS = 2000


class Extractor(Protocol):
    """`unmask.media`, or what a test puts in its place."""

    def warm(self, detectors: tuple[str, ...], /) -> None: ...

    def extract(
        self, file: BinaryIO, spec: ScanSpec, limits: Limits, /
    ) -> Iterator[Clip | Manifest]: ...


def wait(ruleset: int | None, extractor: Extractor, door: socket.socket, printed: int) -> NoReturn:
    """For the one file; the keeper closes the door where none comes. It never returns."""
    code = 1
    try:
        with door:
            taken = _ready(ruleset, door)
        if taken:
            request, locks, (file, results, *answers) = taken
            given = file, results, printed, next(iter(answers), None)
            run(request, given, locks, extractor)
        code = 0
    except Exception:  # the outermost edge of this process, which has touched no file
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


def _ready(ruleset: int | None, door: socket.socket) -> tuple[Request, Locks, list[int]] | None:
    """What fails before the word that a file was taken is our own fault."""
    before = peak_memory()
    locks = Locks.made(ruleset)
    _reach_for_memory(door)
    data, handles = receive(door, 3)
    if not data:
        return None
    request = counted_from(before, Request.from_bytes(data))
    door.send(TAKEN.pack(time.process_time()))
    return request, locks, handles


def counted_from(before: int, request: Request) -> Request:
    """The same limit for every file, however long its guest waited and whatever it met by then."""
    limits = request.limits
    most = max(limits.memory_bytes, LEAST_MEMORY)
    return replace(request, limits=replace(limits, memory_bytes=most, memory_before=before))


def _reach_for_memory(door: socket.socket) -> None:
    """Meet the pages that a film needs while none is here: the heap keeps what is freed."""
    asked, reached = select.poll(), list[bytearray]()
    asked.register(door, select.POLLIN)
    with suppress(MemoryError):  # a small file may need less
        while len(reached) < PAGES_AHEAD and not asked.poll(0):
            reached.append(bytearray(_LARGE_PAGE))


def run(
    request: Request,
    handles: tuple[int, int, int, int | None],
    locks: Locks,
    extractor: Extractor,
) -> NoReturn:
    """Never returns to the keeper, whose copy this process is."""
    file, results, printed, answers = handles
    code = 1
    try:
        _redirect(printed)
        with os.fdopen(results, "wb") as out:
            if _shut_in(request, locks, out):
                _report(request, (file, answers), out, extractor)
        code = 0
    finally:
        os._exit(code)


def _redirect(printed: int) -> None:
    """What decoders print is kept for the report, and a crash leaves its stack there."""
    for standard in (1, 2):
        os.dup2(printed, standard)
    faulthandler.enable(file=sys.__stderr__ or 2)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _shut_in(request: Request, locks: Locks, out: BinaryIO) -> bool:
    """No file is opened in a room that does not close."""
    try:
        locks.close(request)
    except (OSError, MemoryError) as error:
        write_frame(out, UNUSABLE, f"the sandbox can't be closed: {error}".encode())
        return False
    return True


def _report(
    request: Request, handles: tuple[int, int | None], out: BinaryIO, extractor: Extractor
) -> None:
    try:
        with _opened(request, *handles, out) as file:
            for piece in extractor.extract(file, request.spec, request.limits):
                _write(out, piece)
        write_frame(out, DONE)
    except Refused as refusal:
        _refuse(out, refusal.outcome, refusal.reason)
    except MemoryError:
        _refuse(
            out,
            Outcome.OVER_BUDGET,
            "decoding it needs more memory than one file is given",
        )
    except (Unusable, ImportError) as error:
        write_frame(out, UNUSABLE, str(error)[:MAX_WORDS].encode())
    except Exception as error:  # the outermost edge of this process
        write_frame(out, FAILED, f"{type(error).__name__}: {error}"[:MAX_WORDS].encode())
        traceback.print_exc()
        raise


def _opened(request: Request, handle: int, answers: int | None, out: BinaryIO) -> BinaryIO:
    if request.held is None or answers is None:
        return os.fdopen(handle, "rb")
    return cast("BinaryIO", Holed(handle, request.held, Asking(out, answers)))


def _write(out: BinaryIO, piece: Clip | Manifest) -> None:
    if isinstance(piece, Clip):
        write_frame(out, CLIP, PERSON.pack(piece.person), piece.data)
    else:
        write_frame(out, MANIFEST, piece.to_bytes())


def _refuse(out: BinaryIO, outcome: Outcome, reason: str) -> None:
    words = {"outcome": str(outcome), "reason": reason[:MAX_WORDS]}
    write_frame(out, REFUSED, json.dumps(words).encode())
