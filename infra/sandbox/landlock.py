"""Landlock: which files the room can open. Only code, which a decoder may load late."""

import ctypes
import os
import site
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from infra.sandbox.kernel import syscall

#: The same numbers on every processor.
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
#: How many kinds of access to files each version of Landlock knows (linux/landlock.h).
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_FILE_RIGHTS = 16
_TCP = 0b11
_SIGNALS_AND_SOCKETS = 0b11


def version() -> int:
    """0 where the kernel has none."""
    try:
        return syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))
    except OSError:
        return 0


def code_paths(extra: Iterable[str] = ()) -> list[Path]:
    """Where Python, its packages, our library and the system's shared libraries lie."""
    here = Path(__file__).resolve().parents[2]
    paths = {Path(path) for path in sysconfig.get_paths().values()}
    paths |= {Path(path) for path in site.getsitepackages()}
    paths |= {
        Path(sys.base_prefix) / "lib",
        here / "unmask",
        here / "infra" / "sandbox",
    }
    paths |= {Path("/lib"), Path("/lib64"), Path("/usr/lib"), Path("/usr/local/lib")}
    return sorted({path.resolve() for path in (*paths, *map(Path, extra)) if path.exists()})


def ruleset(readable: Iterable[Path]) -> int:
    """A handle that `restrict` puts in force; made once, before the first file."""
    known = version()
    rights = (1 << _FILE_RIGHTS.get(known, _NEWEST_FILE_RIGHTS)) - 1
    fields = struct.pack("=QQQ", rights, _TCP * (known >= 4), _SIGNALS_AND_SOCKETS * (known >= 6))
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    handle = syscall(_CREATE, fields[:size], ctypes.c_size_t(size), ctypes.c_uint32(0))
    for path in readable:
        _allow(handle, path)
    return handle


def restrict(handle: int) -> None:
    syscall(_RESTRICT, ctypes.c_int(handle), ctypes.c_uint32(0))


def _allow(handle: int, path: Path) -> None:
    rights = _READ_FILE | _READ_DIR if path.is_dir() else _READ_FILE
    beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, beneath)
        syscall(
            _ADD,
            ctypes.c_int(handle),
            ctypes.c_int(_PATH_BENEATH),
            rule,
            ctypes.c_uint32(0),
        )
    finally:
        os.close(beneath)
