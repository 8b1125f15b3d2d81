"""Planted secrets and hostile names, through a whole fleet: found nowhere that people look."""

import http.server
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pyarrow.parquet as pq
import pytest

from infra.ledger import migrate, open_ledger
from tests.e2e.conftest import Bench, fleet_of
from tests.e2e.test_flower import tasks, wait_for_flower
from tests.events import listening

SECRET = "hush-{}-hush"
NAMES = (
    "query",
    "signature",
    "user",
    "fragment",
    "redirect",
    "bad-redirect",
    "column",
    "deep-column",
    "settings",
    "cookie",
    "twice-encoded",
    "named-otherwise",
    "within",
    "path",
)
SECRETS = {name: SECRET.format(name) for name in NAMES}
STEERING = ("\x1b[", "\x07", "\u202e", "\x9b")


class Telling(http.server.BaseHTTPRequestHandler):
    """Redirects to signed addresses, and sets cookies."""

    def do_GET(self) -> None:
        name = self.path.partition("?")[0]
        self.send_response(302 if "redirect" in name else 404)
        self.send_header("Set-Cookie", f"session={SECRETS['cookie']}")
        self.send_header("Content-Length", "0")
        if name == "/redirect":
            self.send_header("Location", f"/gone.mp4?token={SECRETS['redirect']}")
        if name == "/bad-redirect":
            self.send_header("Location", f"http://[bad/?token={SECRETS['bad-redirect']}")
        self.end_headers()

    def log_request(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Telling) as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield f"127.0.0.1:{one.server_port}"
        one.shutdown()
        thread.join()


def addresses(server: str) -> list[str]:
    return [
        f"http://{server}/a.mp4?token={SECRETS['query']}",
        f"http://{server}/b.mp4?X-Amz-Signature={SECRETS['signature']}&X-Amz-Date=1",
        f"http://somebody:{SECRETS['user']}@{server}/c.mp4",
        f"http://{server}/d.mp4#access_token={SECRETS['fragment']}",
        f"http://{server}/redirect",
        f"http://{server}/bad-redirect",
        f"http://{server}/e.mp4?%74oken={SECRETS['twice-encoded']}",
        f"http://{server}/f.mp4?hm={SECRETS['named-otherwise']}",
        f"http://{server}/g.mp4?from=https%3A%2F%2Fa.example%2F%3Fsig%3D{SECRETS['within']}",
        f"http://{server}/exp=1~hmac={SECRETS['path']}/h.mp4",
        "http://169.254.169.254/=cmd('calc')!A0.mp4",
    ]


FILE_NAMES = (
    "\x1b[2J\x07.mp4",
    "\u202e4pm.mp4",
    "two\nlines.mp4",
    "<script>alert(1)<\u2215script>.mp4",
    "=HYPERLINK(1).mp4",
    "'; DROP TABLE item; --.mp4",
    "a..%2f..%2fetc%2fpasswd.mp4",
    "$(touch here).mp4",
    "-rf.mp4",
)


def line(uri: str) -> str:
    more = {"poster": f"https://cdn.example/p.jpg?sig={SECRETS['column']}"}
    deep = {"links": [f"https://u:{SECRETS['deep-column']}@cdn.example/"]}
    return json.dumps({"url": uri, "more": deep, "=name": "=1+1"} | more)


@pytest.fixture
def seen(local: Bench, server: str) -> dict[str, str]:
    """All that people look at, by where they look."""
    bench = Bench(
        folder=local.folder,
        extra={
            "AWS_SECRET_ACCESS_KEY": SECRETS["settings"],
            "UNMASK_DOWNLOAD_ALLOW_NETWORKS": "127.0.0.0/8",
            "UNMASK_DOWNLOAD_PORTS": f"80,443,1,{server.rpartition(':')[2]}",
            "UNMASK_LOG_LEVEL": "DEBUG",
        },
    )
    listed, named = local.folder / "list.jsonl", local.folder / "named"
    listed.write_text("\n".join(map(line, addresses(server))))
    named.mkdir()
    for name in FILE_NAMES:
        (named / name).write_bytes(b"no media")
    told = worked_off(bench, listed, named)
    for command in ("status", "report"):
        more = ["--out", str(local.results)] if command == "report" else []
        done = bench.run(command, "--campaign", "planted", *more)
        told[f"terminal of {command}"] = done.stdout + done.stderr
    return told | reports(local.results) | error_rows(local.state)


def worked_off(bench: Bench, *sources: Path) -> dict[str, str]:
    """Terminal, logs and Flower, once every item had its try."""
    state = bench.state
    state.mkdir()
    migrate(bench.database)
    ledger = open_ledger(bench.database)
    events: list[dict[str, Any]] = []
    with (
        fleet_of(bench) as machine,
        httpx.Client(base_url=machine.flower_url) as client,
        ExitStack() as stack,
    ):
        machine.start(classify=False)
        wait_for_flower(machine, client)
        stack.enter_context(listening(machine.redis_url, events))
        told = [bench.run("submit", str(one), "--campaign", "planted") for one in sources]
        items = {row.item for row in ledger.results("planted")}
        assert len(items) == len(addresses("")) + len(FILE_NAMES)
        while not all(ended(tasks(client).get(f"extract-{item}")) for item in items):
            machine.check()
            threading.Event().wait(0.2)
        flower = json.dumps(tasks(client), ensure_ascii=False)
        pages = "".join(client.get(f"/task/extract-{item}").text for item in items)
        workers = client.get("/api/workers", params={"refresh": "true"})
        paths = (
            "/",
            "/workers",
            "/broker",
            "/tasks",
            *(f"/worker/{name}" for name in workers.json()),
        )
        more = workers.text + "".join(client.get(path).text for path in paths)
        password = urlsplit(machine.redis_url).password
    ledger.close()
    logs = {f"log {file.name}": file.read_text() for file in (state / "run").glob("*.log")}
    found = logs | {
        "Flower's API": flower,
        "Flower's pages": pages,
        "Flower's workers": more,
        "events": "\n".join(str(value) for one in events for value in one.values()),
        "terminal of submit": "".join(done.stdout + done.stderr for done in told),
    }
    assert password
    assert [where for where, text in found.items() if password in text] == []
    assert "task_acks_late" in more, "the workers' own settings were not shown at all"
    assert any(one["type"] == "task-received" for one in events)
    return found


def ended(task: dict[str, Any] | None) -> bool:
    return task is not None and task.get("state") in {"SUCCESS", "RETRY", "FAILURE"}


def reports(folder: Path) -> dict[str, str]:
    found = {file.name: file.read_text() for file in folder.iterdir() if file.suffix != ".parquet"}
    (table,) = folder.glob("*.parquet")
    return found | {table.name: str(pq.read_table(table).to_pylist())}


def error_rows(state: Path) -> dict[str, str]:
    """All tables but the one that must know where to fetch from."""
    with sqlite3.connect(f"file:{state / 'unmask.db'}?mode=ro", uri=True) as db:
        names = [
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        tables = {name: str(db.execute(f"SELECT * FROM {name}").fetchall()) for name in names}
        columns = [row[1] for row in db.execute("PRAGMA table_info(item)")]
        kept = ", ".join({*columns} - {"uri", "extra", "final_uri"})
        tables["item"] = str(db.execute(f"SELECT {kept} FROM item").fetchall())
    return {f"table {name}": text for name, text in tables.items()}


def test_no_secret_is_seen_and_no_name_breaks_out(seen: dict[str, str]) -> None:
    assert {"terminal of status", "results.csv", "report.html", "log cpu.log"} <= set(seen)
    found = {
        f"{name} in {where}"
        for where, text in seen.items()
        for name, secret in SECRETS.items()
        if secret in text
    }
    assert found == set()
    steered = {
        f"{steering!r} in {where}"
        for where, text in seen.items()
        for steering in STEERING
        if steering in text
    }
    assert steered == set()
    assert "<script>alert(1)" not in seen["report.html"] + seen["Flower's pages"]
    for where in ("log cpu.log", "log sweep.log", "terminal of status"):
        assert not any(text.startswith("lines.mp4") for text in seen[where].splitlines()), where
    # What should be there is there: the test looked at the right places.
    assert all("169.254.169.254" in seen[where] for where in ("Flower's API", "results.csv"))
    assert seen["results.csv"].count("\n") >= len(NAMES) - 1
