"""The few pickle instructions that a table of tensors needs, and no others.

A pickle is a program for a machine with a stack. Python's own machine hashes whatever a file
names as a key, changes whatever it is told to, and takes the process along where values nest
deeply. This one only knows what `torch.save` writes: it calls the functions of this project that
are handed in as `names`, fills tables and lists that it made itself, and takes nothing but
strings for keys. It never hashes, compares or prints what it has built, so nothing in a file can
nest too deeply for it.
"""

import pickletools
import struct
from collections.abc import Callable, Mapping
from typing import IO, Any

from unmask.errors import Unusable
from unmask.wording import printable

#: The public files take 11,000; a program that is longer is there to eat time and memory.
MAX_STEPS = 500_000
#: Bytes of a name; the public files' longest has 42.
MAX_NAME = 1000
#: How much of a stranger's name is said.
_SAID = 80
#: What a call may trip over whose arguments were not written by `torch.save`.
_BROKEN = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)

Names = Mapping[tuple[str, str], object]
Storage = Callable[[tuple[Any, ...]], object]


class UnsafeFile(Unusable):
    """A checkpoint that wants to run code, or isn't what it claims to be."""


def unpickle(file: IO[bytes], names: Names, storage: Storage) -> object:
    """The next object in the file; it stands behind it afterwards."""
    try:
        return _Machine(file, names, storage).run()
    except _BROKEN as error:
        raise UnsafeFile(f"its table of tensors can't be read ({error})") from error


class _Machine:
    def __init__(self, file: IO[bytes], names: Names, storage: Storage) -> None:
        self._file = file
        self.names, self.storage = names, storage
        self.memo: dict[int, Any] = {}
        self._stack: list[Any] = []
        self._marks: list[int] = []

    def run(self) -> object:
        for _ in range(MAX_STEPS):
            code = self.take(1)
            if code == b".":
                return self.pop()
            if code not in _INSTRUCTIONS:
                raise UnsafeFile(f"it holds the pickle instruction {_called(code)}")
            _INSTRUCTIONS[code](self)
        raise UnsafeFile(f"its table of tensors takes more than {MAX_STEPS:,} instructions")

    def take(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) < count:
            raise UnsafeFile("it ends too early")
        return data

    def number(self, layout: str) -> int:
        """As the bytes that follow say it."""
        found: int = struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        return found

    def line(self) -> str:
        line = self._file.readline(MAX_NAME)
        if not line.endswith(b"\n"):
            raise UnsafeFile("a name in it has no end")
        return line[:-1].decode()

    def push(self, value: object) -> None:
        self._stack.append(value)

    def pop(self) -> Any:
        self._least(1)
        return self._stack.pop()

    def top(self) -> Any:
        self._least(1)
        return self._stack[-1]

    def last(self, count: int) -> list[Any]:
        self._least(count)
        return self._cut(len(self._stack) - count)

    def mark(self) -> None:
        self._marks.append(len(self._stack))

    def since_mark(self) -> list[Any]:
        if not self._marks:
            raise UnsafeFile("an instruction in it lacks its mark")
        return self._cut(self._marks.pop())

    def _least(self, count: int) -> None:
        if len(self._stack) - (self._marks[-1] if self._marks else 0) < count:
            raise UnsafeFile("an instruction in it lacks its values")

    def _cut(self, at: int) -> list[Any]:
        values = self._stack[at:]
        del self._stack[at:]
        return values


def _called(code: bytes) -> str:
    names = {each.code.encode("latin-1"): each.name for each in pickletools.opcodes}
    return names.get(code, f"{code[0]:#04x}, which there is not")


def _protocol(machine: _Machine) -> None:
    """Whatever it claims: an instruction that is not known here is refused when it comes."""
    machine.take(1)


def _name(machine: _Machine) -> None:
    module, name = machine.line(), machine.line()
    if (module, name) not in machine.names:
        raise UnsafeFile(f"it wants to run `{printable(f'{module}.{name}'):.{_SAID}}`")
    machine.push(machine.names[module, name])


def _call(machine: _Machine) -> None:
    function, values = machine.last(2)
    if not callable(function) or not isinstance(values, tuple):
        raise UnsafeFile("it calls what is no function")
    machine.push(function(*values))


def _describe(machine: _Machine) -> None:
    """What torch hangs on a table besides the tensors (versions of modules) is dropped.

    Python would let a file change the functions that it names.
    """
    machine.pop()
    if not isinstance(machine.top(), dict):
        raise UnsafeFile("it changes what is no table")


def _text(machine: _Machine) -> None:
    length = machine.number("<I")
    if length > MAX_NAME:
        raise UnsafeFile(f"a name in it has {length:,} bytes")
    machine.push(machine.take(length).decode())


def _long(machine: _Machine) -> None:
    machine.push(int.from_bytes(machine.take(machine.number("<B")), "little", signed=True))


def _float(machine: _Machine) -> None:
    machine.push(struct.unpack(">d", machine.take(8))[0])


def _reference(machine: _Machine) -> None:
    machine.push(machine.storage(machine.pop()))


def _append(machine: _Machine, values: list[Any]) -> None:
    if not isinstance(machine.top(), list):
        raise UnsafeFile("it appends to what is no list")
    machine.top().extend(values)


def _fill(machine: _Machine, values: list[Any]) -> None:
    table, names = machine.top(), values[::2]
    if not isinstance(table, dict) or len(values) % 2:
        raise UnsafeFile("it fills what is no table")
    if not all(isinstance(name, str) for name in names):
        raise UnsafeFile("a table in it has something else than names on its left")
    table.update(zip(names, values[1::2], strict=True))


def _recall(machine: _Machine, place: int) -> None:
    if place not in machine.memo:
        raise UnsafeFile("it recalls what it never kept")
    machine.push(machine.memo[place])


def _keep(machine: _Machine, place: int) -> None:
    machine.memo[place] = machine.top()


#: What `torch.save` writes for a state dict under pickle protocol 2.
_INSTRUCTIONS: Mapping[bytes, Callable[[_Machine], None]] = {
    b"\x80": _protocol,
    b"(": _Machine.mark,
    b"c": _name,
    b"R": _call,
    b"b": _describe,
    b"Q": _reference,
    b"N": lambda machine: machine.push(None),
    b"\x88": lambda machine: machine.push(True),
    b"\x89": lambda machine: machine.push(False),
    b"J": lambda machine: machine.push(machine.number("<i")),
    b"K": lambda machine: machine.push(machine.number("<B")),
    b"M": lambda machine: machine.push(machine.number("<H")),
    b"\x8a": _long,
    b"G": _float,
    b"X": _text,
    b")": lambda machine: machine.push(()),
    b"t": lambda machine: machine.push(tuple(machine.since_mark())),
    b"\x85": lambda machine: machine.push(tuple(machine.last(1))),
    b"\x86": lambda machine: machine.push(tuple(machine.last(2))),
    b"\x87": lambda machine: machine.push(tuple(machine.last(3))),
    b"]": lambda machine: machine.push([]),
    b"a": lambda machine: _append(machine, machine.last(1)),
    b"e": lambda machine: _append(machine, machine.since_mark()),
    b"}": lambda machine: machine.push({}),
    b"s": lambda machine: _fill(machine, machine.last(2)),
    b"u": lambda machine: _fill(machine, machine.since_mark()),
    b"q": lambda machine: _keep(machine, machine.number("<B")),
    b"r": lambda machine: _keep(machine, machine.number("<I")),
    b"h": lambda machine: _recall(machine, machine.number("<B")),
    b"j": lambda machine: _recall(machine, machine.number("<I")),
}
