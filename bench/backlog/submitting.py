"""How fast a list of addresses becomes durable rows, and the first window of it messages."""

import tempfile
import time
from pathlib import Path

import settings
from bench.backlog import Figures
from bench.backlog.databases import campaign, ledgers, lines
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
        begun = time.perf_counter()
        counts = ledger.submit(opened, lines(ITEMS))
        sent = send(app, ledger.offer(window=WINDOW, lease_s=LEASE_S))
        took = time.perf_counter() - begun
    if counts.new != ITEMS or not sent:
        raise AssertionError(f"{counts.new} of {ITEMS} items are new, {sent} were sent")
    return {f"submit_per_s_{kind}": ITEMS / took}
