"""What the access list of Unmask's Redis lets its user do, on a real server."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests import servers


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator["redis.Redis"]:
    folder = tmp_path_factory.mktemp("redis")
    with servers.redis(folder) as url, redis.Redis.from_url(url) as one:
        yield one


DENIED: list[tuple[Any, ...]] = [
    ("CONFIG", "GET", "*"),
    ("CONFIG", "SET", "dir", "/tmp"),
    ("ACL", "LIST"),
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("MONITOR",),
    ("SHUTDOWN", "NOSAVE"),
    ("DEBUG", "SLEEP", "0"),
    ("SAVE",),
    ("BGSAVE",),
    ("REPLICAOF", "127.0.0.1", "1"),
    ("MODULE", "LIST"),
    ("CLIENT", "LIST"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("SLOWLOG", "GET"),
    ("CLUSTER", "INFO"),
    ("MIGRATE", "127.0.0.1", "1", "cpu", "0", "1"),
    ("RESTORE", "cpu", "0", "x"),
    ("EVAL", "return 1", "0"),
    ("SCRIPT", "FLUSH"),
    ("SWAPDB", "0", "1"),
    ("OBJECT", "FREQ", "cpu"),
    ("GET", "somebody-elses-key"),
    ("SET", "somebody-elses-key", "1"),
]


@pytest.mark.parametrize("command", DENIED, ids=" ".join)
def test_what_the_queue_does_not_need_is_denied(
    client: "redis.Redis", command: tuple[Any, ...]
) -> None:
    ask: Any = client
    with pytest.raises(redis.exceptions.NoPermissionError):
        ask.execute_command(*command)


GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "operate.md"
PRINTED = re.compile(r"REDISCLI_AUTH=\$REDIS_PASSWORD redis-cli ([^'`]+)'")


def test_every_redis_cli_of_the_guide_names_the_password_and_may_be_typed(
    client: "redis.Redis",
) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    printed = PRINTED.findall(text)
    assert len(printed) > 2
    assert text.count("redis-cli ") == len(printed)
    ask: Any = client
    for words in printed:
        ask.execute_command(*words.split())


def test_the_eviction_policy_is_read_from_info(client: "redis.Redis") -> None:
    facts: Any = client.info("memory")
    assert facts["maxmemory_policy"] == "noeviction"


def test_the_password_stands_in_no_file_as_it_is() -> None:
    text = (Path(__file__).resolve().parents[2] / "infra" / "redis" / "users.acl").read_text()
    assert text.count("PASSWORD_SHA256") == 1
    assert ">" not in text
    assert all(line.startswith("user ") for line in text.splitlines())
