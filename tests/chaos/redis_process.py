"""A Redis that can be killed, and started again where it was."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import redis

from producer.local import redis_server
from tests import servers


@dataclass
class RedisProcess:
    """Nothing on disk: what it held is gone when it is killed."""

    folder: Path
    options: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=redis_server.free_port)
    password: str = field(default_factory=redis_server.make_password)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.url_at(self.port)

    def url_at(self, port: int) -> str:
        return f"redis://:{self.password}@127.0.0.1:{port}/0"

    def client(self) -> redis.Redis:
        """For a user who may do all, as a test of faults must."""
        return redis.Redis.from_url(servers.redis_admin(self.url), decode_responses=True)

    def start(self) -> None:
        admin = f"user {servers.ADMIN} on >{self.password} ~* &* +@all\n"
        extra = admin + "".join(f"{name} {value}\n" for name, value in self.options.items())
        given = redis_server.config(self.port, self.password, self.folder) + extra.encode()
        self._process = subprocess.Popen(
            [redis_server.server_program(), "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None
        with self._process.stdin as pipe:
            pipe.write(given)
        redis_server.wait_until_up(self.url)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
