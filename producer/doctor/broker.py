"""Redis: does it answer, to us alone, and does it keep what it is given?"""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from infra.addresses import is_loopback
from infra.doorbell import Refusals, read_refusals
from producer.doctor.finding import Finding, bad, note, well
from producer.local import redis_server
from tasks.broker import KEEPS_ALL

if TYPE_CHECKING:
    from settings import Settings

#: A Redis that takes longer is no use as a doorbell.
ANSWER_WITHIN_S = 3.0
#: ACLs, and what kombu needs of scripts and streams.
OLDEST_MAJOR = 6
#: Above this share of its memory a Redis soon refuses what is sent to it.
NEARLY_FULL = 0.9
MIB = 1 << 20
VARIABLE = "UNMASK_REDIS_URL"


def check(settings: "Settings") -> Iterator[Finding]:
    url = settings.redis_url.get_secret_value()
    if is_private(settings) and not answers(url):
        yield _own_server()
        return
    with connect(url) as client:
        yield from _served(client)


def connect(url: str) -> redis.Redis:
    """One try, which ends soon."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=ANSWER_WITHIN_S,
        socket_timeout=ANSWER_WITHIN_S,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def answers(url: str) -> bool:
    try:
        with connect(url) as client:
            return bool(client.ping())
    except (redis.RedisError, ValueError):
        return False


def is_private(settings: "Settings") -> bool:
    """Nobody named a Redis: on one machine `scan` brings its own."""
    return "redis_url" not in settings.model_fields_set


def _own_server() -> Finding:
    program = redis_server.server_program()
    told = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True, timeout=ANSWER_WITHIN_S
    )
    version = told.stdout.partition("v=")[2].partition(" ")[0]
    return well(
        "Redis", f"{VARIABLE} is not set: `scan` starts one of its own, {version} from {program}"
    )


def _served(client: redis.Redis) -> Iterator[Finding]:
    where = _where(client)
    try:
        facts: dict[str, Any] = client.info()
    except redis.AuthenticationError as error:
        yield bad("Redis", f"{where} refuses us: {error}", f"correct the password in {VARIABLE}")
    except redis.exceptions.NoPermissionError as error:
        yield bad("Redis", f"{where}: {error}", "allow INFO to this user; kombu needs all but ACL")
    except redis.RedisError as error:
        yield bad("Redis", f"{where} does not answer: {error}", f"start it, or correct {VARIABLE}")
    else:
        yield _access(client, where, str(facts.get("redis_version", "0")))
        yield _eviction(str(facts.get("maxmemory_policy", "unknown")))
        yield from _memory(int(facts.get("used_memory", 0)), int(facts.get("maxmemory", 0)))
        yield from _strangers(client)


def _access(client: redis.Redis, where: str, version: str) -> Finding:
    if int(version.partition(".")[0]) < OLDEST_MAJOR:
        return bad("Redis", f"{where} is {version}", f"use Redis {OLDEST_MAJOR} or newer")
    if not _takes_anyone(client):
        return well("Redis", f"{version} answers at {where} and wants a password")
    says = f"{version} answers at {where} without a password"
    mend = f"set `requirepass` there, and put the password into {VARIABLE}"
    return note("Redis", says, mend) if _is_local(client) else bad("Redis", says, mend)


def _eviction(policy: str) -> Finding:
    if policy == KEEPS_ALL:
        return well("Redis eviction", f"{policy}: what is queued stays queued")
    return bad(
        "Redis eviction",
        f"the policy is {policy}: Redis may throw away queued items when its memory is full",
        f"set `maxmemory-policy {KEEPS_ALL}` in its configuration",
    )


def _memory(used: int, most: int) -> Iterator[Finding]:
    """Only where it runs short; a limit of 0 is none."""
    if most and used > NEARLY_FULL * most:
        yield bad(
            "Redis memory",
            f"{used / MIB:,.1f} of {most / MIB:,.1f} MiB are in use: it soon takes no more items",
            "raise `maxmemory`, lower UNMASK_WINDOW_ITEMS, or give Unmask a Redis of its own",
        )


def _strangers(client: redis.Redis) -> Iterator[Finding]:
    """Only where somebody wrote to the queue who is not of us."""
    try:
        found = read_refusals(client)
    except redis.RedisError:  # no right to read them: then nobody counted here either
        return
    if found.total:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.counts.items()))
        yield note(
            "Redis messages",
            f"{found.total} were refused, since no worker of ours wrote them: {kinds}"
            + _last(found),
            "see the workers' logs; change the password of Redis if it is known to others; "
            "`DEL unmask:refused` begins to count anew",
        )


def _last(found: Refusals) -> str:
    """Where and when to look into the logs."""
    if not found.last:
        return ""
    at = datetime.fromtimestamp(found.last[0]["at"], UTC)
    return f"; the last on {found.last[0]['queue']}, {at:%Y-%m-%d %H:%M:%S} UTC"


def _is_local(client: redis.Redis) -> bool:
    return is_loopback(str(_settings_of(client)["host"]))


def _takes_anyone(client: redis.Redis) -> bool:
    pool = client.connection_pool
    nobody = {
        name: value
        for name, value in _settings_of(client).items()
        if name not in ("username", "password")
    }
    anonymous = redis.ConnectionPool(connection_class=pool.connection_class, **nobody)
    try:
        with redis.Redis(connection_pool=anonymous) as stranger:
            return bool(stranger.ping())
    except redis.RedisError:
        return False
    finally:
        anonymous.disconnect()


def _settings_of(client: redis.Redis) -> dict[str, Any]:
    found: dict[str, Any] = client.connection_pool.connection_kwargs
    return found


def _where(client: redis.Redis) -> str:
    return f"{_settings_of(client)['host']}:{_settings_of(client)['port']}"
