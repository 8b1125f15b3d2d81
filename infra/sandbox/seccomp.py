"""A filter of system calls: no network, no process, no file written, nothing exotic.

It refuses what is known to reach outside instead of allowing what decoders are known to need,
since that differs between C libraries; calls newer than our tables do not exist in the room.
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from infra.sandbox import syscalls
from infra.sandbox.kernel import libc, prctl

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL = 0x80000000
_EPERM, _EACCES, _ENOSYS = 1, 13, 38

# Classic BPF: load a word, compare, return (linux/bpf_common.h).
_LOAD, _EQUAL, _ABOVE, _BITS, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NR, _ARCH, _ARGS = 0, 4, 16

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CLONE_THREAD = 0x00010000
#: What `fcntl` and `ioctl` may not do: have news of a file told to another process, by any signal;
#: hold up others who write to it; type into a terminal (linux/fcntl.h, asm/ioctls.h).
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY = 8, 10, 15, 1024, 1026
_FIOSETOWN, _SIOCSPGRP, _TIOCSTI, _TIOCLINUX = 0x8901, 0x8902, 0x5412, 0x541C
#: Pages that leave the process by which memory is counted, and stay allocated (linux/mman.h); and
#: more of them in each pipe.
_MAP_SHARED, _MAP_HUGETLB = 0x01, 0x40000
_F_SETPIPE_SZ = 1031
#: What `prctl` may not: outlive the keeper, be looked into (linux/prctl.h).
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_FILE_COMMANDS = (_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY, _F_SETPIPE_SZ)
_DEVICE_COMMANDS = (_FIOSETOWN, _SIOCSPGRP, _TIOCSTI, _TIOCLINUX)
_OWN_OPTIONS = (_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE)
#: Newer numbers are in neither table: such a call answers as an older kernel would.
_NEWEST = 462


@dataclass(frozen=True)
class Step:
    code: int
    value: int
    yes: int = 0
    no: int = 0

    def pack(self) -> bytes:
        return struct.pack("=HBBI", self.code, self.yes, self.no, self.value & 0xFFFFFFFF)


def program(machine: str, pid: int, *, may_open: bool) -> list[Step] | None:
    """The filter for this processor, or None where its numbers are not known."""
    if machine not in syscalls.TABLES:
        return None
    audit, table = syscalls.TABLES[machine]
    refused = [table[name] for name in syscalls.REFUSED if name in table]
    opens = _opens(table, may_open)
    return [
        Step(_LOAD, _ARCH),
        Step(_EQUAL, audit, 1, 0),
        Step(_RETURN, _KILL),
        Step(_LOAD, _NR),
        *_if_above(_NEWEST, _ENOSYS),
        *(step for number in refused for step in _if_equal(number, [_fail(_EPERM)])),
        *_if_equal(table["clone3"], [_fail(_ENOSYS)]),
        *_if_equal(table["openat2"], [_fail(_ENOSYS)]),
        *_if_equal(table["clone"], _unless_bits(0, _CLONE_THREAD, _EPERM)),
        *_if_equal(table["kill"], _unless_equal(0, pid, _EPERM)),
        *_if_equal(table["tgkill"], _unless_equal(0, pid, _EPERM)),
        *_if_equal(table["prlimit64"], _unless_null(2, _EPERM)),
        *_if_equal(table["fcntl"], _unless_one_of(1, _FILE_COMMANDS, _EPERM)),
        *_if_equal(table["ioctl"], _unless_one_of(1, _DEVICE_COMMANDS, _EPERM)),
        *_if_equal(table["prctl"], _unless_one_of(0, _OWN_OPTIONS, _EPERM)),
        *_if_equal(table["mmap"], _if_bits(3, _MAP_SHARED | _MAP_HUGETLB, _EPERM)),
        *opens,
        Step(_RETURN, _ALLOW),
    ]


def packed(steps: Iterable[Step]) -> bytes:
    return b"".join(step.pack() for step in steps)


def install(program: bytes) -> None:
    """From here on, for this thread and all it starts; there is no way back."""
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    prctl(
        _PR_SET_SECCOMP,
        _SECCOMP_MODE_FILTER,
        ctypes.create_string_buffer(header, len(header)),
    )


def available() -> bool:
    """The kernel knows filters: asking to install none fails with EFAULT, not EINVAL."""
    ctypes.set_errno(0)
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, None, 0, 0)
    return ctypes.get_errno() == 14


def _opens(table: dict[str, int], may_open: bool) -> list[Step]:
    """Opening to write is refused; all opening is, where nothing else limits what can be read."""
    steps: list[Step] = []
    for name, flags in (("open", 1), ("openat", 2)):
        if name in table:
            judge = _if_bits(flags, _WRITES, _EACCES) if may_open else [_fail(_EACCES)]
            steps += _if_equal(table[name], judge)
    return steps


def _fail(errno: int) -> Step:
    return Step(_RETURN, _ERRNO | errno)


def _if_equal(number: int, then: list[Step]) -> list[Step]:
    return [Step(_EQUAL, number, 0, len(then)), *then]


def _if_above(number: int, errno: int) -> list[Step]:
    return [Step(_ABOVE, number, 0, 1), _fail(errno)]


def _word(argument: int, *, high: bool = False) -> Step:
    """Half of an argument, on a little-endian processor."""
    return Step(_LOAD, _ARGS + 8 * argument + 4 * high)


def _unless_equal(argument: int, value: int, errno: int) -> list[Step]:
    return [
        _word(argument),
        Step(_EQUAL, value, 1, 0),
        _fail(errno),
        Step(_RETURN, _ALLOW),
    ]


def _unless_one_of(argument: int, values: Iterable[int], errno: int) -> list[Step]:
    refused = [step for value in values for step in _if_equal(value, [_fail(errno)])]
    return [_word(argument), *refused, Step(_RETURN, _ALLOW)]


def _unless_bits(argument: int, bits: int, errno: int) -> list[Step]:
    return [
        _word(argument),
        Step(_BITS, bits, 1, 0),
        _fail(errno),
        Step(_RETURN, _ALLOW),
    ]


def _if_bits(argument: int, bits: int, errno: int) -> list[Step]:
    return [
        _word(argument),
        Step(_BITS, bits, 0, 1),
        _fail(errno),
        Step(_RETURN, _ALLOW),
    ]


def _unless_null(argument: int, errno: int) -> list[Step]:
    return [
        _word(argument),
        Step(_EQUAL, 0, 0, 2),
        _word(argument, high=True),
        Step(_EQUAL, 0, 1, 0),
        _fail(errno),
        Step(_RETURN, _ALLOW),
    ]
