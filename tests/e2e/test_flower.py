"""Operators live in Flower: every item can be followed there, by its own name."""

import http.server
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

import settings
from bench.made.faces import ADMIRAL_FACE, ASTRONAUT_FACE, admiral, astronaut, head
from infra.download import stamp_of
from infra.ledger import Ledger, migrate, open_ledger
from producer.campaigns import Wanted, choose
from producer.local import Machine
from schemas.records import NewItem, Trust
from tasks import names
from tests.e2e.conftest import ROOT, STORES, bench_on, fleet_of
from tests.polling import until
from workers.app import make_app

ITEMS = 1000
#: As many of them show a face, and go on to the classifier.
PICTURES = 24
PICTURE_PX = 192
WITHIN_S = 180


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A fleet at work, its ledger, and a client that may read its Flower."""

    machine: Machine
    ledger: Ledger
    flower: httpx.Client
    #: Addresses below it are never answered with a file: one says 404, one asks for patience.
    gone: str
    busy: str

    def task(self, item: int, stage: str = "extract") -> dict[str, Any]:
        return tasks(self.flower).get(f"{stage}-{item}", {})

    def until(self, condition: Callable[[], bool]) -> None:
        """The supervisor looks after its processes meanwhile."""

        def looked_after() -> bool:
            self.machine.check()
            return condition()

        until(looked_after, within_s=WITHIN_S)

    def submit(self, campaign: str, *items: NewItem) -> None:
        options = choose(Wanted(), name=campaign, media="-", shelf=ROOT / "models", device="cpu")
        self.ledger.submit(self.ledger.open_campaign(options), items)

    def ended(self, campaign: str) -> int:
        return sum(self.ledger.status(campaign).outcomes.values())


@contextmanager
def answering(address: str, status: int) -> Iterator[str]:
    """A server that says the same to everybody."""

    class Says(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, *_: Any) -> None:
            """Nothing on the terminal."""

    with http.server.ThreadingHTTPServer((address, 0), Says) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{address}:{server.server_port}"
        finally:  # else a fleet that does not come up keeps the runner of the tests for ever
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module", params=STORES)
def fleet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    with (
        answering("127.0.0.1", 404) as gone,
        answering("127.0.0.2", 503) as busy,
        bench_on(request.param, tmp_path_factory.mktemp("flower"), request) as bench,
    ):
        ports = ",".join(("80", gone.rpartition(":")[2], busy.rpartition(":")[2]))
        allowed = bench.but(
            UNMASK_DOWNLOAD_ALLOW_NETWORKS="127.0.0.0/8", UNMASK_DOWNLOAD_PORTS=ports
        )
        bench.state.mkdir()
        migrate(bench.database)
        with (
            closing(open_ledger(bench.database)) as ledger,
            fleet_of(allowed) as machine,
            httpx.Client(base_url=machine.flower_url) as flower,
        ):
            machine.start()
            wait_for_flower(machine, flower)
            yield Shown(machine=machine, ledger=ledger, flower=flower, gone=gone, busy=busy)


def wait_for_flower(machine: Machine, client: httpx.Client) -> None:
    end = time.monotonic() + WITHIN_S
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


def pictures(folder: Path) -> list[Path]:
    """The same two faces, each time with a little more around them: every picture is another."""
    faces = ((astronaut(), ASTRONAUT_FACE), (admiral(), ADMIRAL_FACE))
    made = []
    for number in range(PICTURES):
        picture, face = faces[number % len(faces)]
        cut = Image.fromarray(head(picture, face, room=0.4 + 0.015 * number)[0])
        cut.thumbnail((PICTURE_PX, PICTURE_PX))
        made.append(folder / f"face-{number}.png")
        cut.save(made[-1])
    return made


def test_a_thousand_items_are_followed_from_submitted_to_done(fleet: Shown, tmp_path: Path) -> None:
    media = [ROOT / "samples" / "talking-head.mp4", *pictures(tmp_path)]
    refused = [f"http://169.254.169.254/{n}.mp4?token=hush" for n in range(ITEMS - len(media))]
    fleet.submit(
        "followed",
        *(NewItem(uri=uri, trust=Trust.REMOTE) for uri in refused),
        *(NewItem(uri=str(file), trust=Trust.LOCAL, stamp=stamp_of(file.stat())) for file in media),
    )
    fleet.until(lambda: fleet.ended("followed") == ITEMS)
    rows = {row.item: row for row in fleet.ledger.results("followed")}
    judged = {item for item, row in rows.items() if Path(row.uri) in media}
    assert len({rows[item].sha256 for item in judged}) == len(media), "each is judged by itself"
    wanted = {f"extract-{item}" for item in rows} | {f"classify-{item}" for item in judged}
    assert len(wanted) == ITEMS + len(media)

    def all_succeeded() -> bool:
        found = tasks(fleet.flower)
        return all(found.get(name, {}).get("state") == "SUCCESS" for name in wanted)

    fleet.until(all_succeeded)
    found = tasks(fleet.flower)
    for item, row in rows.items():
        task = found[f"extract-{item}"]
        assert task["name"] == "unmask.extract"
        assert task["routing_key"] == names.CPU_QUEUE
        assert task["sent"] <= task["received"] <= task["started"] <= task["succeeded"]
        assert row.uri.rpartition("/")[2].partition("?")[0] in task["args"]
        assert "hush" not in str(task)
        if item not in judged:
            # A rejection is a task that succeeded, with the outcome as its text.
            assert "blocked" in task["result"]
            assert row.reason in task["result"]
    for item in judged:
        task = found[f"classify-{item}"]
        assert task["name"] == "unmask.classify"
        assert task["routing_key"] == names.GPU_QUEUE
        assert task["sent"] <= task["received"] <= task["started"] <= task["succeeded"]
        assert Path(rows[item].uri).name in task["args"]
        assert str(rows[item].outcome) in task["result"]


def test_a_rejection_and_a_retry_show_their_reasons(fleet: Shown) -> None:
    fleet.submit(
        "reasons",
        NewItem(uri=f"{fleet.gone}/gone.mp4", trust=Trust.REMOTE),
        NewItem(uri=f"{fleet.busy}/busy.mp4", trust=Trust.REMOTE),
    )
    gone, busy = sorted(row.item for row in fleet.ledger.results("reasons"))
    fleet.until(lambda: fleet.task(gone).get("state") == "SUCCESS")
    fleet.until(lambda: fleet.task(busy).get("state") == "RETRY")
    assert re.search("unreachable: .*404", fleet.task(gone)["result"])
    (row,) = (row for row in fleet.ledger.results("reasons") if row.item == gone)
    assert row.reason in fleet.task(gone)["result"]

    retried = fleet.task(busy)
    assert "503" in retried["exception"]
    assert "back to waiting" in retried["exception"]
    assert "busy.mp4" in retried["args"]
    assert "503" in fleet.flower.get(f"/task/extract-{busy}").text, "nor on its page"


def test_a_message_of_another_version_is_refused_where_it_can_be_seen(fleet: Shown) -> None:
    app = make_app(settings=settings.load(redis_url=fleet.machine.redis_url))
    for name, body in {"newer": {"v": 99, "item": 1}, "odd": ["no message"]}.items():
        app.send_task(names.EXTRACT, args=[body], task_id=name, queue=names.CPU_QUEUE)

    def states() -> set[Any]:
        found = tasks(fleet.flower)
        return {found.get(name, {}).get("state") for name in ("newer", "odd")}

    fleet.until(lambda: states() == {"FAILURE"})
    found = tasks(fleet.flower)
    assert "message version 99" in found["newer"]["exception"]
    assert "not a message" in found["odd"]["exception"]

    # The worker lives: the next item is served.
    fleet.submit("after", NewItem(uri="http://169.254.169.254/x.mp4", trust=Trust.REMOTE))
    fleet.until(lambda: fleet.ended("after") == 1)
