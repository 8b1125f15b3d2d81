"""The few kernel calls that Python has no name for."""

import ctypes
import os
import platform
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

MACHINE = platform.machine()

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522


def prctl(option: int, value: int, pointer: Any = 0) -> None:
    if libc.prctl(option, ctypes.c_ulong(value), pointer, 0, 0) != 0:
        raise _failed("prctl")


def syscall(number: int, *arguments: Any) -> int:
    result = int(libc.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise _failed(f"system call {number}")
    return result


def die_with_parent(signal: int) -> None:
    prctl(_PR_SET_PDEATHSIG, signal)


def no_new_privileges() -> None:
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def not_dumpable() -> None:
    prctl(_PR_SET_DUMPABLE, 0)


def drop_capabilities() -> None:
    """Root without its powers, where we are root at all."""
    if MACHINE in _CAPSET:
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        syscall(_CAPSET[MACHINE], header, (ctypes.c_uint32 * 6)())


def _failed(what: str) -> OSError:
    errno = ctypes.get_errno()
    return OSError(errno, f"{what}: {os.strerror(errno)}")
