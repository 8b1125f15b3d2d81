"""Reads tensors out of a `.pt` file without running anything that stands in it.

Both of torch's layouts: the zip of today, and the stream that was written before 1.6.
"""

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from unmask.model.unpickle import Names, UnsafeFile, unpickle

#: The public files have 226 MB.
MAX_BYTES = 2 << 30
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


class _Table(dict[str, Any]):
    """Stands in for `OrderedDict`; what torch hangs on it besides the tensors is dropped."""

    def __setstate__(self, state: object) -> None:
        """Versions of modules: not needed."""


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The state dict in a `.pt` file; refused when it holds anything but tensors under names."""
    try:
        return _named_tensors(_read(path))
    except UnsafeFile as error:
        raise UnsafeFile(f"{path} is refused: {error}") from error
    except OSError as error:
        raise UnsafeFile(f"{path} can't be read: {error.strerror or error}") from error


def _read(path: Path) -> object:
    if path.stat().st_size > MAX_BYTES:
        raise UnsafeFile(f"larger than {MAX_BYTES} bytes")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _read_zip(archive)
    except _BROKEN_ZIP as error:
        raise UnsafeFile(f"its zip is broken ({error})") from error
    with path.open("rb") as file:
        return _read_stream(file)


def _named_tensors(table: object) -> dict[str, Tensor]:
    if not isinstance(table, dict) or not table:
        raise UnsafeFile("it holds no table of tensors")
    for name, tensor in table.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise UnsafeFile(f"`{name!r:.80}` in it is no tensor under a name")
    return dict(table)


def _read_zip(archive: zipfile.ZipFile) -> object:
    entries = {entry.filename: entry for entry in archive.infolist()}
    tables = [name for name in entries if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(tables) != 1:
        raise UnsafeFile("it is a zip, but not one that torch wrote")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
        raise UnsafeFile("its parts are compressed, which torch never does")
    folder = tables[0].removesuffix("data.pkl")

    def fetch(dtype: torch.dtype, key: str, count: int) -> Tensor:
        name = f"{folder}data/{key}"
        if name not in entries:
            raise UnsafeFile(f"it lacks the numbers of `{key}`")
        return _flat(archive.read(name), dtype, count)

    return unpickle(io.BytesIO(archive.read(tables[0])), _names(), _storages(fetch))


def _read_stream(file: IO[bytes]) -> object:
    head = [unpickle(file, {}, _no_storage) for _ in range(_BEFORE_TABLE)]
    if head[0] != _MAGIC:
        raise UnsafeFile("it is no checkpoint that torch wrote")
    table_at = file.tell()
    # The numbers stand behind the table, so it is read once to know what they are…
    kinds: dict[str, tuple[torch.dtype, int]] = {}

    def note(dtype: torch.dtype, key: str, count: int) -> Tensor:
        kinds[key] = (dtype, count)
        return torch.empty(0, dtype=dtype).expand(0)

    unpickle(file, _names(_unbuilt), _storages(note))
    keys = unpickle(file, {}, _no_storage)
    numbers = {key: _next_numbers(file, *kinds[key]) for key in _known(keys, kinds)}
    # …and once more with the numbers at hand.
    file.seek(table_at)
    return unpickle(file, _names(), _storages(lambda _dtype, key, _count: numbers[key]))


def _known(keys: object, kinds: dict[str, Any]) -> list[str]:
    if not isinstance(keys, list) or set(map(str, keys)) != kinds.keys():
        raise UnsafeFile("its list of numbers doesn't fit its table")
    return list(map(str, keys))


def _next_numbers(file: IO[bytes], dtype: torch.dtype, count: int) -> Tensor:
    header = file.read(_LENGTH.size)
    if len(header) < _LENGTH.size or _LENGTH.unpack(header)[0] != count:
        raise UnsafeFile("it ends too early, or its lengths disagree")
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
                raise UnsafeFile(f"a reference in it is odd: {reference!r:.80}")

    return storage


def _no_storage(reference: tuple[Any, ...]) -> object:
    raise UnsafeFile(f"a reference stands where none belongs: {reference!r:.80}")


def _names(build: Callable[..., Tensor] | None = None) -> Names:
    return {
        ("collections", "OrderedDict"): _Table,
        ("torch._utils", "_rebuild_tensor_v2"): build or _built,
        ("torch._utils", "_rebuild_parameter"): _parameter,
        **{("torch", name): dtype for name, dtype in _DTYPES.items()},
    }


def _built(
    numbers: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Tensor:
    if torch.Size(size).numel() > len(numbers):
        raise UnsafeFile(f"a tensor of {size} out of {len(numbers)} numbers")
    return numbers.as_strided(size, stride, offset)


def _unbuilt(numbers: Tensor, *_: object) -> Tensor:
    return numbers


def _parameter(tensor: Tensor, *_: object) -> Tensor:
    return tensor
