"""Reads a manifest as if a stranger had written it."""

import dataclasses
import json
import math
import types
import typing
from typing import Any, Literal, TypeVar

from unmask.errors import UnmaskError
from unmask.media.values import (
    MANIFEST_VERSION,
    Box,
    FaceFrame,
    Manifest,
    MediaInfo,
    Person,
)
from unmask.outcomes import Outcome

#: What it is called as a file beside its clips.
MANIFEST_FILE = "manifest.json"
#: A manifest of four people with 150 frames each has about 150 kB.
MAX_BYTES = 16 << 20
MAX_PERSONS = 64
MAX_FRAMES = 100_000
MAX_TEXT = 2_000
MAX_NOTES = 100
_MAX_NUMBER = 1 << 40
#: What a column of the ledger holds.
_MAX_WHOLE = (1 << 31) - 1
_ANSWERS = {None, Outcome.NO_FACE, Outcome.TOO_SMALL, Outcome.TOO_SHORT}

_HINTS: dict[Any, dict[str, Any]] = {
    kind: typing.get_type_hints(kind) for kind in (Manifest, MediaInfo, Person, FaceFrame, Box)
}

T = TypeVar("T")


class BadManifest(UnmaskError):
    """It is no manifest that we would have written; the message says where it goes wrong."""


def read_manifest(data: bytes) -> Manifest:
    if len(data) > MAX_BYTES:
        raise BadManifest(f"{len(data):,} bytes are more than {MAX_BYTES:,}")
    manifest = _record(Manifest, _parsed(data), "manifest")
    _check(manifest)
    return manifest


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadManifest(f"not JSON: {error}") from error


def _record(kind: type[T], value: Any, where: str) -> T:
    if not isinstance(value, dict):
        raise BadManifest(f"{where}: expected an object, got {type(value).__name__}")
    hints = _HINTS[kind]
    if value.keys() != hints.keys():
        odd = ", ".join(sorted(value.keys() ^ hints.keys()))[:MAX_TEXT]
        raise BadManifest(f"{where}: missing or unknown fields: {odd}")
    fields = {name: _value(hint, value[name], f"{where}.{name}") for name, hint in hints.items()}
    return kind(**fields)


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _record(hint, value, where)
    origin = typing.get_origin(hint)
    if origin is tuple:
        return _items(typing.get_args(hint)[0], value, where)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _value(typing.get_args(hint)[0], value, where)
    if origin is Literal:
        return _one_of(typing.get_args(hint), value, where)
    return _PLAIN[hint](value, where)


def _items(hint: Any, value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > MAX_FRAMES:
        raise BadManifest(f"{where}: expected a list of at most {MAX_FRAMES}")
    return tuple(_value(hint, item, f"{where}[{index}]") for index, item in enumerate(value))


def _one_of(allowed: tuple[Any, ...], value: Any, where: str) -> Any:
    if not isinstance(value, str) or value not in allowed:
        raise BadManifest(f"{where}: expected one of {', '.join(allowed)}")
    return value


def _whole(value: Any, where: str) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_WHOLE:
        raise BadManifest(f"{where}: expected a whole number from 0 on")
    return value


def _number(value: Any, where: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > _MAX_NUMBER:
        raise BadManifest(f"{where}: expected a finite number")
    return float(value)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise BadManifest(f"{where}: expected text of at most {MAX_TEXT} characters")
    return value


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise BadManifest(f"{where}: expected true or false")
    return value


def _outcome(value: Any, where: str) -> Outcome:
    if not isinstance(value, str) or value not in set(Outcome):
        raise BadManifest(f"{where}: unknown outcome")
    return Outcome(value)


_PLAIN: dict[Any, Any] = {
    int: _whole,
    float: _number,
    str: _text,
    bool: _flag,
    Outcome: _outcome,
}


def _check(manifest: Manifest) -> None:
    if manifest.version != MANIFEST_VERSION:
        raise BadManifest(f"version {manifest.version}, we know {MANIFEST_VERSION}")
    if manifest.outcome not in _ANSWERS:
        raise BadManifest(f"a manifest can't end as {manifest.outcome}")
    if not 0 <= manifest.coverage <= 1:
        raise BadManifest(f"coverage {manifest.coverage} is no share")
    if (manifest.outcome is None) != bool(manifest.persons):
        raise BadManifest("it needs either people or an outcome that says why there are none")
    if len(manifest.notes) > MAX_NOTES:
        raise BadManifest(f"{len(manifest.notes):,} notes")
    numbers = [person.person for person in manifest.persons]
    if numbers != list(range(len(numbers))) or len(numbers) > MAX_PERSONS:
        raise BadManifest("people are not numbered from 0 on")
    for person in manifest.persons:
        _check_person(person)


def _check_person(person: Person) -> None:
    where = f"person {person.person}"
    if len(person.clip_sha256) != 64 or set(person.clip_sha256) - set("0123456789abcdef"):
        raise BadManifest(f"{where}: the hash is no SHA-256 in hex")
    if not person.frames:
        raise BadManifest(f"{where}: no frame")
    offset, before = 0, -math.inf
    for frame in person.frames:
        if frame.offset != offset or frame.length < 1:
            raise BadManifest(f"{where}: frames don't follow one another")
        if frame.time_s < before:
            raise BadManifest(f"{where}: frames are out of order")
        if frame.box.width <= 0 or frame.box.height <= 0:
            raise BadManifest(f"{where}: an empty box")
        offset, before = offset + frame.length, frame.time_s
    if offset != person.clip_bytes:
        raise BadManifest(f"{where}: frames add up to {offset} of {person.clip_bytes} bytes")
