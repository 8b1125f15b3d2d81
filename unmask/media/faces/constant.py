"""Weights that are told to be constant, so that onnxruntime lays them out for the processor.

Graphs of earlier exporters list each weight among their inputs too. A weight that a caller might
replace is left as it lies, and every convolution is then computed at half the speed.
"""

from collections.abc import Iterator

from unmask.errors import Unusable

#: Where they lie in a model (onnx.proto): its graph, and the graph's inputs.
_GRAPH, _INPUT = 7, 11
#: The first version in which a weight need be no input.
_VERSION, _SINCE = 1, 4
_NUMBER, _EIGHT_BYTES, _PIECE, _FOUR_BYTES = 0, 1, 2, 5


def with_constant_weights(model: bytes) -> bytes:
    """The same model, whose only input is the first one: the picture."""
    try:
        return b"".join(_kept(number, raw, value) for number, raw, value in _fields(model))
    except (IndexError, ValueError) as error:
        raise Unusable("this is no whole model in ONNX's format") from error


def _kept(number: int, raw: bytes, value: bytes) -> bytes:
    if number == _VERSION:
        return bytes([_VERSION << 3 | _NUMBER]) + _packed(max(_SINCE, _unpacked(value, 0)[0]))
    if number == _GRAPH:
        return _piece(_GRAPH, _with_one_input(value))
    return raw


def _with_one_input(graph: bytes) -> bytes:
    fields = list(_fields(graph))
    inputs = [raw for number, raw, _ in fields if number == _INPUT]
    others = [raw for number, raw, _ in fields if number != _INPUT]
    return b"".join([*inputs[:1], *others])


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each field's number, all its bytes, and its value's."""
    at = 0
    while at < len(message):
        key, start = _unpacked(message, at)
        end = _end(key & 7, message, start)
        if end > len(message):
            raise ValueError(f"field {key >> 3} ends behind the file")
        value = message[start:end]
        if key & 7 == _PIECE:
            value = value[_unpacked(value, 0)[1] :]
        yield key >> 3, message[at:end], value
        at = end


def _end(kind: int, message: bytes, start: int) -> int:
    if kind == _NUMBER:
        return _unpacked(message, start)[1]
    if kind == _PIECE:
        length, begin = _unpacked(message, start)
        return begin + length
    if kind in {_EIGHT_BYTES, _FOUR_BYTES}:
        return start + (8 if kind == _EIGHT_BYTES else 4)
    raise ValueError(f"no part of a model: kind {kind} at byte {start}")


def _piece(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | _PIECE]) + _packed(len(value)) + value


def _unpacked(message: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def _packed(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
