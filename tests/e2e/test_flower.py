"""Operators live in Flower: every item can be followed there, by its own name."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import settings
from infra.download import stamp_of
from infra.ledger import Ledger, migrate, open_ledger
from producer.campaigns import Wanted, choose
from producer.local import Machine
from schemas.records import NewItem, Trust
from tasks import names
from tests.e2e.conftest import ROOT, Bench
from workers.app import make_app

ITEMS = 1000
WITHIN_S = 180


@pytest.fixture
def fleet(local: Bench) -> Iterator[tuple[Machine, Ledger, httpx.Client]]:
    """One machine's processes, a ledger, and a client that may read Flower."""
    local.state.mkdir()
    given = settings.load(
        database_url=f"sqlite:///{local.state / 'unmask.db'}",
        store_url=str(local.state / "objects"),
    )
    address = given.database_url.get_secret_value()
    migrate(address)
    ledger = open_ledger(address)
    child = settings.environment(given) | {"TEST_MARKER": local.marker, "PYTHONPATH": str(ROOT)}
    with (
        Machine(local.state, child) as machine,
        httpx.Client(base_url=machine.flower_url) as client,
    ):
        machine.start()
        wait_for_flower(machine, client)
        yield machine, ledger, client
    ledger.close()


def wait_for_flower(machine: Machine, client: httpx.Client) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        machine.check()
        try:
            workers = client.get("/api/workers", params={"refresh": "true"}).json()
            if any(name.startswith("cpu@") for name in workers):
                return
        except (httpx.TransportError, ValueError):
            pass
        time.sleep(0.2)
    raise AssertionError("Flower never saw the CPU worker")


def tasks(client: httpx.Client) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = client.get("/api/tasks", params={"limit": 10_000}).json()
    return found


def until_all(
    client: httpx.Client, machine: Machine, wanted: set[str]
) -> dict[str, dict[str, Any]]:
    end = time.monotonic() + WITHIN_S
    while True:
        machine.check()
        found = tasks(client)
        done = {name for name in wanted if found.get(name, {}).get("state") == "SUCCESS"}
        if done == wanted:
            return found
        missing = sorted(wanted - done)
        assert time.monotonic() < end, f"{len(missing)} not done, such as {missing[:3]}"
        time.sleep(0.5)


def test_a_thousand_items_are_followed_from_submitted_to_done(
    fleet: tuple[Machine, Ledger, httpx.Client],
) -> None:
    machine, ledger, client = fleet
    shelf = Path(ROOT / "models")
    campaign = ledger.open_campaign(
        choose(Wanted(), name="followed", media="-", shelf=shelf, device="cpu")
    )
    refused = [f"http://127.0.0.1/{number}.mp4?token=hush" for number in range(ITEMS)]
    sample = ROOT / "samples" / "talking-head.mp4"
    stamp = stamp_of(sample.stat())
    ledger.submit(
        campaign,
        [
            *(NewItem(uri=uri, trust=Trust.REMOTE) for uri in refused),
            NewItem(uri=str(sample), trust=Trust.LOCAL, stamp=stamp),
        ],
    )
    rows = {row.item: row for row in results_when_ended(ledger, machine)}
    wanted = {f"extract-{item}" for item in rows}
    (judged,) = [item for item, row in rows.items() if row.uri.endswith("talking-head.mp4")]
    found = until_all(client, machine, wanted | {f"classify-{judged}"})
    assert len(wanted) == ITEMS + 1

    for item, row in rows.items():
        task = found[f"extract-{item}"]
        assert task["name"] == "unmask.extract"
        assert row.uri.rpartition("/")[2].partition("?")[0] in task["args"]
        assert "hush" not in str(task)
        if item != judged:
            # A rejection is a task that succeeded, with the outcome as its text.
            assert "blocked" in task["result"]
    assert "unsure" in found[f"classify-{judged}"]["result"] or row_is_judged(rows[judged])


def row_is_judged(row: Any) -> bool:
    return row.outcome in {"fake", "real"}


def results_when_ended(ledger: Ledger, machine: Machine) -> list[Any]:
    end = time.monotonic() + WITHIN_S
    while True:
        machine.check()
        status = ledger.status("followed")
        if status.stages and sum(status.outcomes.values()) == ITEMS + 1:
            return list(ledger.results("followed"))
        assert time.monotonic() < end, status
        time.sleep(0.5)


def test_a_message_of_another_version_is_refused_where_it_can_be_seen(
    fleet: tuple[Machine, Ledger, httpx.Client],
) -> None:
    machine, ledger, client = fleet
    app = make_app(settings=settings.load(redis_url=machine.redis_url))
    for name, body in {"newer": {"v": 99, "item": 1}, "odd": ["no message"]}.items():
        app.send_task(names.EXTRACT, args=[body], task_id=name, queue=names.CPU_QUEUE)
    end = time.monotonic() + WITHIN_S
    while {tasks(client).get(name, {}).get("state") for name in ("newer", "odd")} != {"FAILURE"}:
        machine.check()
        assert time.monotonic() < end, tasks(client)
        time.sleep(0.5)
    found = tasks(client)
    assert "message version 99" in found["newer"]["exception"]
    assert "not a message" in found["odd"]["exception"]

    # The worker lives: the next item is served.
    campaign = ledger.open_campaign(
        choose(Wanted(), name="after", media="-", shelf=ROOT / "models", device="cpu")
    )
    ledger.submit(campaign, [NewItem(uri="http://127.0.0.1/x.mp4", trust=Trust.REMOTE)])
    while not ledger.status("after").outcomes:
        machine.check()
        assert time.monotonic() < end, ledger.status("after")
        time.sleep(0.2)
