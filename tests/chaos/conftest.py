"""A fleet on each database; `cut` marks what `make test` runs too, about three minutes of it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.ledger import migrate, open_ledger
from tests import servers
from tests.chaos.fleet import Fleet
from tests.chaos.redis_process import RedisProcess

CUT = {
    "test_killed_pool_children[sqlite-200-5]",
    "test_death_while_taking_a_message[postgresql]",
    "test_the_same_death_loses_a_message_of_plain_celery[sqlite]",
    "test_a_frozen_worker_wakes_up_too_late[sqlite]",
    "test_a_redis_that_forgets_is_filled_again[postgresql-short-flush]",
    "test_a_redis_that_throws_messages_away_is_refused[cpu-sqlite]",
    "test_connections_cut_every_second[postgresql-8]",
    "test_death_at_a_transition[sqlite-extracting>extracted:after]",
    "test_death_at_a_transition[postgresql-classifying>done:before]",
    "test_a_submit_that_breaks_off_is_run_again[sqlite]",
    "test_two_producers_submit_the_same_list_at_once[postgresql]",
}

FOLDER = Path(__file__).parent

#: What measures a pace runs with nothing beside it.
TIMED = "test_poison_slows_"

#: A fault of two minutes, and the patience that a fleet is ended with, on a busy machine.
FAULT_WITHIN_S = 900


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    faults = [item for item in items if FOLDER in item.path.parents]
    for item in faults:
        item.add_marker("fault")
        item.add_marker(pytest.mark.timeout(FAULT_WITHIN_S))
        if item.name.startswith(TIMED):
            item.add_marker("timed")
        if item.name in CUT:
            item.add_marker("cut")
    gone = CUT - {item.name for item in faults}
    if gone and "cut" in config.getoption("markexpr"):
        raise pytest.UsageError(
            f"the cut names tests that are not there: {', '.join(sorted(gone))}"
        )


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with servers.hasty_postgresql() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty ledger."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            address = f"sqlite:///{tmp_path / 'unmask.db'}"
        else:
            server = request.getfixturevalue("postgresql_server")
            address = stack.enter_context(servers.database(server))
        migrate(address)
        yield address


@pytest.fixture
def redis_process(tmp_path: Path) -> Iterator[RedisProcess]:
    process = RedisProcess(tmp_path)
    process.start()
    yield process
    process.kill()


MakeFleet = Callable[..., Fleet]


@pytest.fixture
def fleet(tmp_path: Path, database: str, redis_process: RedisProcess) -> Iterator[Fleet]:
    """No process of it runs yet."""
    ledger = open_ledger(database)
    made = Fleet(folder=tmp_path, ledger=ledger, database_url=database, redis=redis_process)
    yield made
    made.close()
    ledger.close()
