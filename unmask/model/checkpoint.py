"""Reads tensors out of a `.pt` file without running anything that stands in it.

Both of torch's layouts: the zip of today, and the stream that was written before 1.6.
"""

import io
import math
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from unmask.model.unpickle import Names, UnsafeFile, unpickle
from unmask.wording import printable

#: The public files have 226 MB.
MAX_BYTES = 2 << 30
#: Of the table of tensors; theirs has 40 kB.
MAX_TABLE_BYTES = 16 << 20
#: Of a zip's list of parts; theirs has 20 kB, and each part costs ten times its line in memory.
MAX_CONTENTS_BYTES = 4 << 20
#: Of a tensor; more only cost memory.
MAX_DIMENSIONS = 8
#: What the stream layout begins with.
_MAGIC = 0x1950A86A20F9469CFC6C
_LENGTH = struct.Struct("<q")
#: Stream layout: magic, protocol, system facts, then the table, then the storages' keys.
_BEFORE_TABLE = 3

_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
}
#: What the standard library's reader says of damaged zips.
_BROKEN_ZIP = (zipfile.BadZipFile, EOFError, RuntimeError, ValueError, struct.error)
#: (dtype, key, how many elements) → a flat tensor
_Fetch = Callable[[torch.dtype, str, int], Tensor]


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The state dict in a `.pt` file; refused when it holds anything but tensors under names."""
    try:
        return _named_tensors(_read(path))
    except UnsafeFile as error:
        raise UnsafeFile(f"{path} is refused: {error}") from error
    except OSError as error:
        raise UnsafeFile(f"{path} can't be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise UnsafeFile(f"{path} can't be read: it takes more memory than is free") from error


def _read(path: Path) -> object:
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UnsafeFile(f"larger than {MAX_BYTES} bytes")
    try:
        if zipfile.is_zipfile(path):
            with _Parts(path.open("rb", buffering=0)) as parts, zipfile.ZipFile(parts) as archive:
                parts.most = size
                return _read_zip(archive, size)
    except _BROKEN_ZIP as error:
        raise UnsafeFile(f"its zip is broken ({error})") from error
    with path.open("rb") as file:
        return _read_stream(file, size)


class _Parts(io.BufferedReader):
    """A zip whose list of parts, which is read at once while it is opened, is bounded."""

    most = MAX_CONTENTS_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self.most:
            raise UnsafeFile(f"its list of parts is larger than {self.most} bytes")
        return super().read(size)


def _named_tensors(table: object) -> dict[str, Tensor]:
    if not isinstance(table, dict) or not table:
        raise UnsafeFile("it holds no table of tensors")
    for name, tensor in table.items():
        if not isinstance(tensor, Tensor):
            raise UnsafeFile(f"`{printable(name):.80}` in it is no tensor")
    return dict(table)


def _read_zip(archive: zipfile.ZipFile, size: int) -> object:
    entries = {entry.filename: entry for entry in archive.infolist()}
    tables = [name for name in entries if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(tables) != 1:
        raise UnsafeFile("it is a zip, but not one that torch wrote")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
        raise UnsafeFile("its parts are compressed, which torch never does")
    if sum(entry.file_size for entry in archive.infolist()) > size:
        raise UnsafeFile("its parts overlap, which torch never lets them")
    if entries[tables[0]].file_size > MAX_TABLE_BYTES:
        raise UnsafeFile(f"its table of tensors is larger than {MAX_TABLE_BYTES} bytes")
    folder, read = tables[0].removesuffix("data.pkl"), dict[str, Tensor]()

    def fetch(dtype: torch.dtype, key: str, count: int) -> Tensor:
        """Tensors that name the same numbers share them, as they did when they were saved."""
        name = f"{folder}data/{key}"
        if name not in entries:
            raise UnsafeFile(f"it lacks the numbers of `{printable(key):.80}`")
        if key not in read:
            read[key] = _flat(archive.read(name), dtype, count)
        _agree(key, (read[key].dtype, len(read[key])), (dtype, count))
        return read[key]

    return unpickle(io.BytesIO(archive.read(tables[0])), _names(), _storages(fetch))


def _agree(key: str, first: tuple[torch.dtype, int], other: tuple[torch.dtype, int]) -> None:
    if first != other:
        raise UnsafeFile(f"its references to the numbers of `{printable(key):.80}` disagree")


def _read_stream(file: IO[bytes], size: int) -> object:
    head = [unpickle(file, {}, _no_storage) for _ in range(_BEFORE_TABLE)]
    if head[0] != _MAGIC:
        raise UnsafeFile("it is no checkpoint that torch wrote")
    table_at = file.tell()
    # The numbers stand behind the table, so it is read once to know what they are…
    kinds: dict[str, tuple[torch.dtype, int]] = {}

    def note(dtype: torch.dtype, key: str, count: int) -> Tensor:
        _agree(key, kinds.setdefault(key, (dtype, count)), (dtype, count))
        return torch.empty(0, dtype=dtype)

    unpickle(file, _names(_unbuilt), _storages(note))
    keys = unpickle(file, {}, _no_storage)
    numbers = {key: _next_numbers(file, size, *kinds[key]) for key in _known(keys, kinds)}
    # …and once more with the numbers at hand.
    file.seek(table_at)
    return unpickle(file, _names(), _storages(lambda _dtype, key, _count: numbers[key]))


def _known(keys: object, kinds: dict[str, Any]) -> list[str]:
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise UnsafeFile("its list of numbers is none")
    if sorted(keys) != sorted(kinds):
        raise UnsafeFile("its list of numbers doesn't fit its table")
    return keys


def _next_numbers(file: IO[bytes], size: int, dtype: torch.dtype, count: int) -> Tensor:
    header = file.read(_LENGTH.size)
    if len(header) < _LENGTH.size or _LENGTH.unpack(header)[0] != count:
        raise UnsafeFile("it ends too early, or its lengths disagree")
    if count * dtype.itemsize > size - file.tell():
        raise UnsafeFile("it ends too early")
    return _flat(file.read(count * dtype.itemsize), dtype, count)


def _flat(raw: bytes, dtype: torch.dtype, count: int) -> Tensor:
    if count < 1 or len(raw) != count * dtype.itemsize:
        raise UnsafeFile(f"{len(raw)} bytes where {count} numbers of {dtype} should be")
    return torch.frombuffer(bytearray(raw), dtype=dtype)


def _storages(fetch: _Fetch) -> Callable[[tuple[Any, ...]], object]:
    def storage(reference: tuple[Any, ...]) -> object:
        match reference:
            case ("storage", torch.dtype() as dtype, str(key), str(), int(count), *_):
                return fetch(dtype, key, count)
            case _:
                raise UnsafeFile("a reference in it is odd")

    return storage


def _no_storage(_reference: tuple[Any, ...]) -> object:
    raise UnsafeFile("a reference stands where none belongs")


def _names(build: Callable[..., Tensor] | None = None) -> Names:
    return {
        ("collections", "OrderedDict"): _table,
        ("torch._utils", "_rebuild_tensor_v2"): build or _built,
        ("torch._utils", "_rebuild_parameter"): _parameter,
        **{("torch", name): dtype for name, dtype in _DTYPES.items()},
    }


def _table() -> dict[str, Any]:
    """An `OrderedDict`, which is always made empty and filled afterwards."""
    return {}


def _built(numbers: object, offset: object, size: object, stride: object, *_: object) -> Tensor:
    shape, [start] = _whole(size), _whole((offset,))
    if not isinstance(numbers, Tensor) or math.prod(shape) > len(numbers):
        raise UnsafeFile(f"a tensor of {shape} has too few numbers in it")
    return numbers.as_strided(shape, _whole(stride), start)


def _whole(found: object) -> tuple[int, ...]:
    if not isinstance(found, tuple) or len(found) > MAX_DIMENSIONS:
        raise UnsafeFile("a tensor in it has an odd shape")
    if not all(isinstance(each, int) for each in found):
        raise UnsafeFile("a tensor in it has an odd shape")
    return found


def _unbuilt(numbers: Tensor, *_: object) -> Tensor:
    return numbers


def _parameter(tensor: Tensor, *_: object) -> Tensor:
    return tensor
