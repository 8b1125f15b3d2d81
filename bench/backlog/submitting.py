"""How fast a list of addresses becomes durable rows, and the first window of it messages."""

import tempfile
import time
from pathlib import Path

import psutil

import settings
from bench.backlog import Figures
from bench.backlog.databases import POSTGRESQL, campaign, ledgers, lines
from tasks.send import send
from tests import servers
from workers.app import make_app

ITEMS = 1_000_000
WINDOW = 200
LEASE_S = 600.0


def submit(kind: str) -> Figures:
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.redis(Path(folder)) as url,
        ledgers(kind, "big") as (ledger,),
    ):
        app = make_app(settings=settings.load(redis_url=url))
        opened = campaign(ledger)
        begun, cpu = time.perf_counter(), time.process_time() + _server_cpu_s(kind)
        counts = ledger.submit(opened, lines(ITEMS))
        sent = send(app, ledger.offer(window=WINDOW, lease_s=LEASE_S))
        took = time.perf_counter() - begun
        cpu = time.process_time() + _server_cpu_s(kind) - cpu
    if counts.new != ITEMS or not sent:
        raise AssertionError(f"{counts.new} of {ITEMS} items are new, {sent} were sent")
    return {f"submit_per_s_{kind}": ITEMS / took, f"submit_per_cpu_s_{kind}": ITEMS / cpu}


def _server_cpu_s(kind: str) -> float:
    """CPU seconds of the PostgreSQL servers of this machine; a bench has the machine to itself."""
    if kind != POSTGRESQL:
        return 0.0
    spent = 0.0
    for process in psutil.process_iter(["name", "cpu_times"]):
        if process.info["name"] == "postgres" and process.info["cpu_times"]:
            spent += process.info["cpu_times"].user + process.info["cpu_times"].system
    return spent
