"""A fleet for a bench: the processes of the fault suite, under the settings as they are shipped."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.backlog.databases import addresses, ledger_at
from tests.chaos.fleet import Fleet
from tests.chaos.redis_process import RedisProcess


@contextmanager
def fleet(kind: str, **extra: str) -> Iterator[Fleet]:
    given: Mapping[str, str] = {"UNMASK_CPU_PROCESSES": "2", "UNMASK_LOG_LEVEL": "WARNING"}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (address,) = stack.enter_context(addresses(kind, "fleet"))
        redis = RedisProcess(folder)
        redis.start()
        stack.callback(redis.kill)
        made = Fleet(
            folder=folder,
            ledger=stack.enter_context(ledger_at(address)),
            database_url=address,
            redis=redis,
            limits={**given, **extra},
        )
        stack.callback(made.close)
        yield made
