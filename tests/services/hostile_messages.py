"""What a stranger with the queue's password may push, and what is to become of it."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from tasks import names

MIB = 1 << 20
DEEP = 100_000


def body(call: Any) -> str:
    return base64.b64encode(json.dumps(call).encode()).decode()


def call(*args: Any, **embedded: Any) -> list[Any]:
    return [list(args), {}, dict.fromkeys(("callbacks", "errbacks", "chain", "chord")) | embedded]


def message(**changes: Any) -> dict[str, Any]:
    """As Celery writes it; `headers__x=1` and `properties__x=1` change a part."""
    made: dict[str, Any] = {
        "body": body(call({"v": 1, "item": 1})),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"lang": "py", "task": names.EXTRACT, "id": "extract-1", "argsrepr": "one"},
        "properties": {
            "delivery_tag": "tag",
            "delivery_info": {"exchange": "cpu", "routing_key": "cpu"},
            "priority": 0,
            "body_encoding": "base64",
        },
    }
    for name, value in changes.items():
        part, _, field = name.partition("__")
        if field:
            made[part][field] = value
        else:
            made[part] = value
    return made


def without(part: str, field: str = "") -> dict[str, Any]:
    made = message()
    del (made[part] if field else made)[field or part]
    return made


def deep(levels: int = DEEP) -> str:
    return "[" * levels + "]" * levels


def deep_body() -> dict[str, Any]:
    raw = f"[[{deep()}], {{}}, {{}}]".encode()
    return message(body=base64.b64encode(raw).decode())


def deep_in_the_envelope() -> bytes:
    return json.dumps(message(headers__meth="HOLE")).replace('"HOLE"', deep()).encode()


def an_object(kind: str, value: Any) -> dict[str, Any]:
    """What kombu's JSON would turn into an object."""
    return {"__type__": kind, "__value__": value}


Made = Callable[[], bytes | dict[str, Any]]

#: Never seen by Celery: counted under the kind that stands beside it.
REFUSED: Mapping[str, tuple[str, Made]] = {
    "a word": ("not JSON", lambda: b"hello"),
    "nothing": ("not JSON", lambda: b" "),
    "no text": ("not JSON", lambda: bytes(range(256))),
    "half a message": ("not JSON", lambda: json.dumps(message()).encode()[:-20]),
    "a number without end": ("not JSON", lambda: b"1" * 10_000),
    "not a number": ("not JSON", lambda: json.dumps(message(headers__x=float("nan"))).encode()),
    "a string": ("no envelope", lambda: b'"hello"'),
    "a number": ("no envelope", lambda: b"17"),
    "null": ("no envelope", lambda: b"null"),
    "a list": ("no envelope", lambda: b"[]"),
    "an empty object": ("no envelope", lambda: b"{}"),
    "no headers": ("no envelope", lambda: without("headers")),
    "no properties": ("no envelope", lambda: without("properties")),
    "no body": ("no envelope", lambda: without("body")),
    "headers of a wrong kind": ("no envelope", lambda: message(headers=["task"])),
    "properties of a wrong kind": ("no envelope", lambda: message(properties="x")),
    "a body of a wrong kind": ("no envelope", lambda: message(body=17)),
    "an unknown body encoding": (
        "no envelope",
        lambda: message(properties__body_encoding="rot13"),
    ),
    "a body that is no base64": ("no envelope", lambda: message(body="\u2603")),
    "no task": ("not ours", lambda: without("headers", "task")),
    "no id": ("not ours", lambda: without("headers", "id")),
    "an id that is no name": ("not ours", lambda: message(headers__id="\x1b[2J\n")),
    "an id that is a list": ("not ours", lambda: message(headers__id=["x"])),
    "a task that is an object": ("not ours", lambda: message(headers__task={"a": 1})),
    "a compressed body": ("not ours", lambda: message(headers__compression="application/x-gzip")),
    "a far date": ("not ours", lambda: message(headers__eta="9999-12-31T23:59:59")),
    "a date that is none": ("not ours", lambda: message(headers__expires="whenever")),
    "time without end": ("not ours", lambda: message(headers__timelimit=[1e9, 1e9])),
    "another's name": ("not ours", lambda: message(headers__shadow="celery.backend_cleanup")),
    "many tries": ("not ours", lambda: message(headers__retries=10**9)),
    "a callback": (
        "not ours",
        lambda: message(body=body(call({"v": 1, "item": 1}, callbacks=[{"task": "x"}]))),
    ),
    "two arguments": ("not ours", lambda: message(body=body(call(1, 2)))),
    "named arguments": ("not ours", lambda: message(body=body([[1], {"a": 1}, {}]))),
    "a body that is no call": ("not ours", lambda: message(body=body({"v": 1, "item": 1}))),
    "an object": ("not ours", lambda: message(body=body(call(an_object("uuid", {"hex": "x"}))))),
    "an object in the envelope": (
        "not ours",
        lambda: message(headers__x=an_object("decimal", "no number")),
    ),
    "a deep body": ("too large", deep_body),
    "a deep envelope": ("too large", deep_in_the_envelope),
    "a body as deep as may be read": (
        "too deep",
        lambda: message(body=base64.b64encode(deep(500).encode()).decode()),
    ),
    "an envelope as deep as fits": ("too deep", lambda: deep(30_000).encode()),
    "64 MiB of body": ("too large", lambda: message(body="QUFB" * (16 * MIB))),
    "64 MiB of envelope": ("too large", lambda: message(headers__x="x" * (64 * MIB))),
    "64 MiB of nothing": ("too large", lambda: b" " * (64 * MIB)),
}

#: Good envelopes of what no worker does: they end as failed tasks, where Flower shows them.
FAILING: Mapping[str, dict[str, Any]] = {
    "newer": message(body=body(call({"v": 99, "item": 1}))),
    "odd": message(body=body(call(["no message"]))),
    "truth": message(body=body(call({"v": True, "item": True}))),
    "huge": message(body=body(call({"v": 1, "item": 10**30}))),
    "below-zero": message(body=body(call({"v": 1, "item": -1}))),
    "nothing-said": message(body=body(call())),
    "unknown-task": message(headers__task="os.system"),
}


def raw(made: bytes | dict[str, Any]) -> bytes:
    return made if isinstance(made, bytes) else json.dumps(made).encode()


def named(made: dict[str, Any], name: str) -> bytes:
    return raw(made | {"headers": made["headers"] | {"id": name}})
