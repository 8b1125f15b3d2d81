"""The few pickle instructions that a table of tensors needs, and no others.

A pickle is a program. Before any of it runs, its instructions are read as data: one that is
not on the list below, or a name other than those of tensors, and the file is refused. What
then runs can only call the functions of this project that are handed in as `names`.
"""

import pickle
import pickletools
from collections.abc import Callable, Mapping
from typing import IO, Any

from unmask.errors import Unusable

#: What `torch.save` writes for a state dict under pickle protocol 2.
_INSTRUCTIONS = frozenset(
    {
        "PROTO",
        "STOP",
        "MARK",
        "GLOBAL",
        "REDUCE",
        "BUILD",
        "BINPERSID",
        "NONE",
        "NEWTRUE",
        "NEWFALSE",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "BINFLOAT",
        "BINUNICODE",
        "EMPTY_TUPLE",
        "TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
        "EMPTY_LIST",
        "APPEND",
        "APPENDS",
        "EMPTY_DICT",
        "SETITEM",
        "SETITEMS",
        "BINPUT",
        "LONG_BINPUT",
        "BINGET",
        "LONG_BINGET",
    }
)
#: Far above what a state dict remembers; a larger index is there to eat memory.
_MAX_MEMO = 1_000_000
#: What a program that was not written by `torch.save` may trip over.
_BROKEN = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)

Names = Mapping[tuple[str, str], object]


class UnsafeFile(Unusable):
    """A checkpoint that wants to run code, or isn't what it claims to be."""


class _Reader(pickle.Unpickler):
    def __init__(
        self, file: IO[bytes], names: Names, storage: Callable[[tuple[Any, ...]], object]
    ) -> None:
        super().__init__(file)
        self._names, self._storage = names, storage

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._names[module, name]
        except KeyError:
            raise UnsafeFile(f"it wants to run `{module}.{name}`") from None

    def persistent_load(self, pid: Any) -> object:
        return self._storage(pid)


def unpickle(file: IO[bytes], names: Names, storage: Callable[[tuple[Any, ...]], object]) -> object:
    """The next object in the file; it stands behind it afterwards."""
    start = file.tell()
    try:
        _inspect(file, names)
        file.seek(start)
        return _Reader(file, names, storage).load()
    except _BROKEN as error:
        raise UnsafeFile(f"its table of tensors can't be read ({error})") from error


def _inspect(file: IO[bytes], names: Names) -> None:
    for instruction, argument, _ in pickletools.genops(file):
        if instruction.name not in _INSTRUCTIONS:
            raise UnsafeFile(f"it holds the pickle instruction {instruction.name}")
        if instruction.name == "GLOBAL" and tuple(str(argument).split(" ", 1)) not in names:
            raise UnsafeFile(f"it wants to run `{str(argument).replace(' ', '.')}`")
        if instruction.name == "LONG_BINPUT" and int(argument or 0) > _MAX_MEMO:
            raise UnsafeFile("it asks for more memory than a table of tensors needs")
