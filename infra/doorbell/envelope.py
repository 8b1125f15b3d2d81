"""What comes off Redis: our own small message, written anew, or a reason to refuse it.

Celery's main process parses the envelope outside of any task, so what it can't parse ends it, and
what it can may still ask for more than our own code ever does: a compressed body, an other time
limit, a callback. Of an item's message only the task, its id, its words for people and its one
argument are taken over; the rest is as we would have written it.
"""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Never

from unmask.errors import UnmaskError
from unmask.wording import printable

#: Ours take about 1.2 kB.
MAX_ITEM_BYTES = 64 << 10
#: A worker's answer to Flower lists all that it knows and does.
MAX_CONTROL_BYTES = 4 << 20
MAX_DEPTH = 32
#: Words for people at Flower.
MAX_WORDS = 400

_NAME = re.compile(r"[A-Za-z0-9_.:@-]{1,120}", re.ASCII)
#: What kombu's JSON turns into objects, by a class that the sender names.
_OBJECT = "__type__"
#: Celery would act on these; we never send them.
_NOT_OURS = ("eta", "expires", "group", "shadow", "retries", "compression", "stamped_headers")


class BadEnvelope(UnmaskError):
    """Nothing that Celery may see. `kind` is what is counted."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


def item_message(data: bytes) -> bytes:
    """An item's message as our own code writes it."""
    match _read(data, MAX_ITEM_BYTES):
        case {"headers": dict(headers), "body": str(body), "properties": dict(properties)}:
            _check_coding(properties)
            _check_extras(headers)
            return _written(headers, _arguments(body), properties)
        case _:
            raise BadEnvelope("no envelope", "headers, properties or body are missing")


def control_message(data: bytes) -> bytes:
    """Anything else between workers and Flower: left as it is where it can do no harm."""
    _check_shape(_read(data, MAX_CONTROL_BYTES))
    return data


def kept_message(data: bytes) -> bytes:
    """A message that waits for its acknowledgement, with the way back to its queue."""
    match _read(data, MAX_CONTROL_BYTES):
        case [dict(raw), str(), str()]:
            _check_shape(raw)
            return data
        case _:
            raise BadEnvelope("no envelope", "not a message and the way back to its queue")


def _read(data: bytes, most: int) -> Any:
    if len(data) > most:
        raise BadEnvelope("too large", f"{len(data):,} bytes; {most:,} are allowed")
    try:
        found = json.loads(data, parse_constant=_no_number)
    except RecursionError as error:
        raise BadEnvelope("too deep", f"nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:
        raise BadEnvelope("not JSON", str(error)) from error
    _check_tree(found, MAX_DEPTH)
    return found


def _no_number(name: str) -> Never:
    raise ValueError(f"{name} is no JSON")


def _check_tree(value: Any, left: int) -> None:
    if left < 0:
        raise BadEnvelope("too deep", f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        if _OBJECT in value:
            raise BadEnvelope("not ours", "it names a class to make an object of")
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            _check_tree(one, left - 1)


def _check_shape(found: Any) -> None:
    match found:
        case {"properties": {"delivery_tag": str()} as properties}:
            _check_coding(properties)
            _check_parts(found, properties)
        case _:
            raise BadEnvelope("no envelope", "it has no delivery tag")


def _check_parts(found: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    headers, body = found.get("headers") or {}, found.get("body")
    if not isinstance(headers, dict) or not isinstance(body, str):
        raise BadEnvelope("no envelope", "its headers or body are of another kind")
    if not isinstance(properties.get("delivery_info") or {}, dict):
        raise BadEnvelope("no envelope", "the way it came is of another kind")
    if headers.get("compression"):
        raise BadEnvelope("not ours", "its body is compressed")
    _decoded(body)


def _check_coding(properties: Mapping[str, Any]) -> None:
    if properties.get("body_encoding") != "base64":
        raise BadEnvelope("no envelope", "its body is not in base64")


def _check_extras(headers: Mapping[str, Any]) -> None:
    extra = [name for name in _NOT_OURS if headers.get(name)]
    extra += ["timelimit"] if any(headers.get("timelimit") or ()) else []
    if extra:
        raise BadEnvelope("not ours", f"it sets {', '.join(extra)}")


def _arguments(body: str) -> list[Any]:
    match _read(_decoded(body), MAX_ITEM_BYTES):
        case [list(args), {**kwargs}, {**embedded}] if len(args) <= 1 and not kwargs:
            if any(embedded.values()):
                raise BadEnvelope("not ours", "it asks for other tasks to be called")
            return args
        case _:
            raise BadEnvelope("not ours", "its body is no call with one argument")


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEnvelope("no envelope", f"its body is no base64: {error}") from error


def _written(headers: Mapping[str, Any], args: list[Any], properties: Mapping[str, Any]) -> bytes:
    call = json.dumps([args, {}, dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))])
    task, name = _name(headers, "task"), _name(headers, "id")
    message = {
        "body": base64.b64encode(call.encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": _headers(headers, task, name),
        "properties": {
            "correlation_id": name,
            "reply_to": "",
            "delivery_mode": 2,
            "delivery_info": _way(properties),
            "priority": _priority(properties),
            "body_encoding": "base64",
            # A tag of our own: two messages of the same tag would be acknowledged as one.
            "delivery_tag": str(uuid.uuid4()),
        },
    }
    return json.dumps(message).encode()


def _headers(given: Mapping[str, Any], task: str, name: str) -> dict[str, Any]:
    nothing = ("shadow", "eta", "expires", "group", "group_index", "parent_id", "stamped_headers")
    return dict.fromkeys(nothing) | {
        "lang": "py",
        "task": task,
        "id": name,
        "root_id": name,
        "retries": 0,
        "timelimit": [None, None],
        "argsrepr": _words(given.get("argsrepr")),
        "kwargsrepr": "",
        "origin": _words(given.get("origin")),
        "ignore_result": True,
        "replaced_task_nesting": 0,
        "stamps": {},
    }


def _name(headers: Mapping[str, Any], field: str) -> str:
    match headers.get(field):
        case str(name) if _NAME.fullmatch(name):
            return name
        case other:
            raise BadEnvelope("not ours", f"its {field} is {other!r:.80}")


def _words(value: Any) -> str:
    return printable(value[:MAX_WORDS]) if isinstance(value, str) else ""


def _way(properties: Mapping[str, Any]) -> dict[str, str]:
    match properties.get("delivery_info"):
        case {"exchange": str(exchange), "routing_key": str(key)}:
            return {"exchange": _words(exchange), "routing_key": _words(key)}
        case _:
            return {"exchange": "", "routing_key": ""}


def _priority(properties: Mapping[str, Any]) -> int:
    match properties.get("priority"):
        case int(priority) if 0 <= priority <= 9:
            return int(priority)
        case _:
            return 0
