"""What is done to a worker of this suite before it starts: a wrong clock, a fault in Celery."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

#: Seconds by which this process's clock is wrong. The C library's own calls are not reached.
CLOCK = "CHAOS_CLOCK_S"
#: A file: the process that takes the next message dies before it records it, and leaves the file.
DIE_TAKING = "CHAOS_DIE_TAKING"
#: Set where nothing of the worker is a stand-in.
REAL = "CHAOS_REAL"
#: How often the sweep looks for what is past its term.
TIDY_S = "CHAOS_TIDY_S"
#: So long may the sweep delete what it took, and as long again nobody stores it anew.
TAKEN_S = "CHAOS_TAKEN_S"
#: So long do the items of one message keep a worker busy: on a busy machine nothing is quick.
MOMENT_S = "CHAOS_MOMENT_S"
#: Set for a worker of the version after this one: it writes messages that this one can't read.
NEXT_VERSION = "CHAOS_NEXT_VERSION"
#: Set for a worker of the version before this one, which knows no handfuls.
VERSION_BEFORE = "CHAOS_VERSION_BEFORE"
#: A file that such a worker leaves once it was sent a handful and took only its first item.
LEFT_UNREAD = "left-unread"


def set_clock() -> None:
    wrong_by = float(os.environ.get(CLOCK, "0"))
    if wrong_by:
        right = time.time
        time.time = lambda: right() + wrong_by


def die_taking() -> None:
    """Between Redis's BRPOP and the command that notes the message as unacknowledged."""
    mark = os.environ.get(DIE_TAKING)
    if not mark:
        return
    from kombu.transport.redis import QoS

    append = QoS.append

    def appended(self: Any, message: Any, tag: str) -> Any:
        if not Path(mark).exists():
            Path(mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return append(self, message, tag)

    vars(sys.modules[QoS.__module__])["QoS"].append = appended


def is_real() -> bool:
    return bool(os.environ.get(REAL))


def next_version() -> None:
    """Reads both versions of a message, writes the later one; knows tables that are newer."""
    if not os.environ.get(NEXT_VERSION):
        return
    from infra.ledger import migration
    from schemas import messages

    read, this = messages.ItemMessage.from_json, messages.HANDFUL_VERSION

    def from_either(body: Any) -> messages.ItemMessage:
        later = isinstance(body, dict) and body.get("v") == this + 1
        return read({**body, "v": this} if later else body)

    def to_later(self: messages.ItemMessage) -> dict[str, Any]:
        return {"v": this + 1, "item": self.item, "more": list(self.more), "since": "later"}

    patched: Any = messages.ItemMessage
    patched.from_json, patched.to_json = from_either, to_later
    vars(migration)["check"] = lambda _address: migration.Schema.CURRENT


def version_before() -> None:
    """Reads versions 1 and 2 of a message, but only an item of it; writes version 1."""
    if not os.environ.get(VERSION_BEFORE):
        return
    from schemas import messages
    from tasks import pace
    from tests.chaos import points

    read = messages.ItemMessage.from_json

    def from_item(body: Any) -> messages.ItemMessage:
        message = read(body)
        if message.more:
            (points.memory() / LEFT_UNREAD).touch()
        return messages.ItemMessage(item=message.item)

    def to_first(self: messages.ItemMessage) -> dict[str, Any]:
        return {"v": messages.MESSAGE_VERSION, "item": self.item}

    vars(messages)["READ_VERSIONS"] = (messages.MESSAGE_VERSION, messages.HANDFUL_VERSION)
    vars(pace)["MOST"] = 1
    patched: Any = messages.ItemMessage
    patched.from_json, patched.to_json = from_item, to_first


def hurry_deletions() -> None:
    if taken_s := float(os.environ.get(TAKEN_S, "0")):
        from infra.ledger import retention

        vars(retention).update(TAKEN_S=taken_s, QUIET_S=2 * taken_s)


def prepare() -> None:
    """Before Celery is imported, which takes `time.time` by name."""
    set_clock()
    die_taking()
    next_version()
    version_before()
    hurry_deletions()
