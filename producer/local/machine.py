"""One machine's fleet: started together, watched, restarted, stopped in order."""

import fcntl
import logging
import os
import shutil
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Self
from urllib.parse import urlsplit

from infra.closed import FOLDER_MODE, make_closed
from producer.local import redis_server
from producer.local.child import Child
from unmask.errors import Unusable

log = logging.getLogger(__name__)

#: Ctrl-C leaves nothing behind within ten seconds: this much for the workers, the rest for Redis.
STOP_WITHIN_S = 5.0
#: A process that ends more often than this within the time below can't be helped by a restart.
RESTARTS = 3
RESTART_WITHIN_S = 120.0
#: With less than this free, writes begin to fail.
LITTLE_DISK = 64 << 20
FLOWER = "flower"
FLOWER_PORT = 5555
#: A port of this machine that is open answers at once.
ANSWER_S = 0.2
CELERY = (sys.executable, "-m", "celery")
#: One machine's workers know each other already; looking for neighbours costs a second.
ALONE = ("--without-mingle", "--without-gossip")
#: The CPU worker's head start.
FIRST_ALONE_S = 2.0


class KeepsEnding(Unusable):
    """A supervised process ends again and again."""


class Machine:
    """Everything that works on this machine's state folder; one at a time."""

    def __init__(
        self,
        state: Path,
        environment: Mapping[str, str],
        on_empty_redis: Callable[[], None] = lambda: None,
    ) -> None:
        self._state, self._on_empty_redis = state, on_empty_redis
        self._disk_was_full = False
        self._flower_told = False
        self._run = state / "run"
        self._environment = os.environ | environment
        self._children: list[Child] = []
        self._redis: Child | None = None
        self._lock: IO[str] | None = None
        self._password = redis_server.make_password()
        self._later: list[tuple[str, list[str]]] = []
        self._later_at = 0.0
        self.redis_url = ""
        self.flower_url = ""

    def __enter__(self) -> Self:
        make_closed(self._run)
        self._run.chmod(FOLDER_MODE)
        self._lock = _locked(self._run / "lock")
        try:
            self._start_redis()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *, classify: bool = True) -> None:
        """What the first item needs comes first; the rest would only fight it for the cores."""
        self._add("sweep", [sys.executable, "-m", "workers.sweep"])
        self._add("cpu", [*CELERY, "-A", "workers.cpu", "worker", *ALONE, "-n", "cpu@%h"])
        self._later = [(FLOWER, [*CELERY, "-A", "workers.cpu", "flower"])]
        if classify:
            gpu = [*CELERY, "-A", "workers.gpu", "worker", *ALONE, "-n", "gpu@%h"]
            self._later.insert(0, ("gpu", gpu))
        self._later_at = time.monotonic() + FIRST_ALONE_S

    def check(self) -> list[str]:
        """Restart what ended; what can't be restarted stops the scan with its last words."""
        if self._later and time.monotonic() >= self._later_at:
            for name, command in self._later:
                self._add(name, command)
            self._later = []
        notes = []
        for child in [*self._children, *([self._redis] if self._redis else [])]:
            status = child.ended
            if status is None:
                continue
            if child.name == FLOWER:
                notes.append(self._flower_again(child))
                continue
            if _too_often(child):
                raise KeepsEnding(
                    f"the brake stopped the scan: the {child.name} process keeps ending "
                    f"(status {status}). {_last_words(child)}"
                )
            notes.append(f"{child.name} ended with status {status}; started again")
            child.start()
            if child is self._redis:
                self._on_empty_redis()
        return [*notes, *self._flower_answers(), *self._full_disk()]

    def _flower_answers(self) -> list[str]:
        """Its address is of use from the moment on when ours, not another scan's, answers."""
        if self._flower_told or not any(child.name == FLOWER for child in self._children):
            return []
        if not _lets_in(self.flower_url):
            return []
        self._flower_told = True
        return [f"Flower: {self.flower_url}"]

    def _full_disk(self) -> list[str]:
        """Said once when it fills up: a worker that can't write its log can't say it."""
        free = shutil.disk_usage(self._state).free
        was_full, self._disk_was_full = self._disk_was_full, free < LITTLE_DISK
        if not self._disk_was_full or was_full:
            return []
        return [
            f"only {free >> 20} MB are free below {self._state}: make room, or stop with Ctrl-C"
        ]

    def stop(self) -> None:
        for child in self._children:
            child.ask_to_stop()
        until = time.monotonic() + STOP_WITHIN_S
        for child in self._children:
            child.wait(until)
        if self._redis is not None:
            self._redis.ask_to_stop()
            self._redis.wait(time.monotonic() + 1.0)
        self._children.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _start_redis(self) -> None:
        port = redis_server.free_port()
        self.redis_url = f"redis://:{self._password}@127.0.0.1:{port}/0"
        self._redis = Child(
            "redis",
            [redis_server.server_program(), "-"],
            environment=self._environment,
            logs=self._run,
            stdin=redis_server.config(port, self._password, self._run.resolve()),
        )
        self._redis.start()
        redis_server.wait_until_up(self.redis_url)
        self._environment = dict(self._environment) | {"UNMASK_REDIS_URL": self.redis_url}
        wanted = int(self._environment.get("UNMASK_FLOWER_PORT") or FLOWER_PORT)
        self._choose_flower(redis_server.free_port(wanted))

    def _flower_again(self, child: Child) -> str:
        """Nothing is lost without Flower: it may move to another port, or be done without."""
        self._children.remove(child)
        if _too_often(child):
            return f"Flower does not start (see {child.log}); the scan goes on without it"
        self._flower_told = False
        self._choose_flower(redis_server.free_port())
        child.restart(self._environment)
        self._children.append(child)
        return f"Flower ended; it starts again at {self.flower_url}"

    def _choose_flower(self, port: int) -> None:
        password = redis_server.make_password()
        self.flower_url = f"http://unmask:{password}@127.0.0.1:{port}"
        self._environment = dict(self._environment) | {
            "UNMASK_FLOWER_PORT": str(port),
            "UNMASK_FLOWER_ADDRESS": "127.0.0.1",
            "UNMASK_FLOWER_USER": "unmask",
            "UNMASK_FLOWER_PASSWORD": password,
        }

    def _add(self, name: str, command: list[str]) -> None:
        child = Child(name, command, environment=self._environment, logs=self._run)
        child.start()
        self._children.append(child)


def _lets_in(address: str) -> bool:
    """Whether the Flower at this address knows the address's own password."""
    parts = urlsplit(address)
    pair = b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/api/workers", headers={"Authorization": f"Basic {pair}"})
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _last_words(child: Child) -> str:
    tail = child.tail()
    return f"Its last lines, from {child.log}:\n{tail}" if tail else f"{child.log} is empty"


def _too_often(child: Child) -> bool:
    since = time.monotonic() - RESTART_WITHIN_S
    return len([start for start in child.starts if start > since]) > RESTARTS


def _locked(path: Path) -> IO[str]:
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise Unusable(
            f"another scan is using {path.parent.parent}; wait for it, "
            "or give --state another folder"
        ) from None
    return file
