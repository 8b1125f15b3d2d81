"""U, the promise, written once: what must be true after every fault.

Every accepted item has reached exactly one terminal state with exactly one effective result; every
object that a result names exists with its hash; no object outlives its term; main processes live;
no lease, offer or message is left over.
"""

import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from sqlalchemy import select, text

from infra.ledger import Ledger, erasure, retention
from infra.objects import Corrupt, Store, open_store
from infra.objects.opening import StoreOptions
from schemas.stages import ENDS, Stage, may_move
from schemas.tables import (
    FOREVER,
    CampaignTable,
    DoomedTable,
    ExtractionTable,
    ItemTable,
    MoveTable,
    ObjectTable,
    ReferenceTable,
    ResultTable,
    TallyTable,
)
from tasks.names import CPU_QUEUE, GPU_QUEUE
from tests.chaos.fleet import CAMPAIGN, Fleet

#: An abandoned message comes back after the visibility timeout, when a worker looks for such: every
#: hundred seconds (kombu's own period). Then it is answered `nothing to do`.
MESSAGES_GONE_WITHIN_S = 130.0
#: What a move away from an end says: only a person asks for it.
ASKED_FOR = ("requeued by a person", erasure.WHY)
#: The sweep looks for what is past its term every ten seconds.
DELETED_WITHIN_S = 30.0


def check(
    fleet: Fleet, *, accepted: int, name: str = CAMPAIGN, began: Stage = Stage.WAITING
) -> None:
    """Fails with every broken promise in one sentence each."""
    broken = [*violations(fleet, accepted=accepted, name=name, began=began)]
    assert not broken, "\n".join([f"{len(broken)} promises are broken", *broken[:20]])


def violations(
    fleet: Fleet, *, accepted: int, name: str = CAMPAIGN, began: Stage = Stage.WAITING
) -> Iterator[str]:
    fleet.tend()
    facts = Facts(fleet.ledger, name)
    yield from _counts(facts, accepted)
    yield from _items(facts)
    yield from _history(facts, began)
    yield from objects(facts, open_store(fleet.store, store_options(fleet)))
    yield from _messages(fleet)
    yield from fleet.fallen


def store_options(fleet: Fleet) -> StoreOptions:
    """A look at the bucket itself, past whatever a test put in front of it."""
    return StoreOptions(endpoint_url=fleet.extra.get("CHAOS_S3_URL"), path_style=True)


class Facts:
    """The rows of a campaign, read in one go."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        with ledger.engine.connect() as db:
            campaign = db.execute(
                select(CampaignTable.id).where(CampaignTable.name == name)
            ).scalar_one()
            mine = select(ItemTable.id).where(ItemTable.campaign_id == campaign)
            self.items = db.execute(
                select(ItemTable.__table__).where(ItemTable.campaign_id == campaign)
            ).all()
            self.results = db.execute(
                select(ResultTable.__table__).where(ResultTable.campaign_id == campaign)
            ).all()
            self.moves = db.execute(
                select(MoveTable.__table__)
                .where(MoveTable.item_id.in_(mine))
                .order_by(MoveTable.item_id, MoveTable.id)
            ).all()
            self.tally = db.execute(
                select(TallyTable.stage, TallyTable.items).where(TallyTable.campaign_id == campaign)
            ).all()
            self.objects = db.execute(
                select(ObjectTable.__table__, ExtractionTable.stands).join(
                    ExtractionTable, ExtractionTable.id == ObjectTable.extraction_id
                )
            ).all()
            self.references = db.execute(select(ReferenceTable.__table__)).all()
            self.doomed = db.execute(select(DoomedTable.__table__)).all()
            self.extractions = db.execute(select(ExtractionTable.__table__)).all()
            self.leads = db.execute(text("SELECT name, owner FROM leader")).all()


def _counts(facts: Facts, accepted: int) -> Iterator[str]:
    if len(facts.items) != accepted:
        yield f"{accepted} items were accepted, the ledger has {len(facts.items)}"
    counted = Counter(row.stage for row in facts.items)
    told: Counter[Stage] = Counter()
    for row in facts.tally:
        told[row.stage] += row.items
    if {stage: count for stage, count in told.items() if count} != dict(counted):
        yield f"status counts {dict(told)}, the rows are {dict(counted)}"


def _items(facts: Facts) -> Iterator[str]:
    results: dict[int, list[Any]] = {}
    for row in facts.results:
        results.setdefault(row.item_id, []).append(row)
    for item in facts.items:
        found = results.pop(item.id, [])
        if item.stage not in ENDS:
            yield f"item {item.id} is {item.stage}: {item.last_error}"
        elif len(found) != (item.stage is not Stage.CANCELLED):
            yield f"item {item.id} is {item.stage} with {len(found)} results"
        elif found and found[0].outcome != item.outcome:
            yield f"item {item.id} ended {item.outcome}, its result says {found[0].outcome}"
        if item.lease_until or item.offered_until or item.owner:
            yield f"item {item.id} is {item.stage} and still leased or offered"
    for item_id in results:
        yield f"a result of item {item_id}, which is not there"


def _history(facts: Facts, began: Stage) -> Iterator[str]:
    """Each move is legal and goes on where the one before it ended; only one ends the item."""
    chains: dict[int, list[Any]] = {}
    for move in facts.moves:
        chains.setdefault(move.item_id, []).append(move)
    for item in facts.items:
        chain = chains.get(item.id, [])
        if not chain or chain[0].old is not began or chain[-1].new is not item.stage:
            yield f"item {item.id} is {item.stage}; its history does not lead there"
            continue
        for before, after in pairwise(chain):
            if after.old is not before.new or not may_move(before.new, after.new):
                yield f"item {item.id}: {before.new} was followed by {after.old} → {after.new}"
            if before.new in ENDS and after.note not in ASKED_FOR:
                yield f"item {item.id} was {before.new} and went on, unasked: {after.note!r}"
        fences = [move.fence for move in chain]
        if fences != sorted(fences):
            yield f"item {item.id}: a stale write came through, fences {fences}"


def objects(facts: Facts, store: Store) -> Iterator[str]:
    """Clips go before the evidence that was drawn from them, or after it."""
    known = {row.key for row in facts.objects}
    for row in facts.results:
        for key in sorted(retention.named(row) - known):
            yield f"the result of item {row.item_id} names {key}, which the ledger has not"
    for row in facts.objects:
        if row.stands or row.kind == "evidence":
            try:
                store.get(row.key, sha256=row.sha256)
            except Corrupt as error:
                yield f"a named object is not as named: {error}"
    yield from _terms(facts, store)


def _terms(facts: Facts, store: Store) -> Iterator[str]:
    """Nothing lies in the store that only expired references hold, or that was doomed long ago."""
    kinds = {row.key: (row.extraction_id, row.kind == "evidence") for row in facts.objects}
    doomed = {row.key: row.doomed_at for row in facts.doomed if not row.deleted_at}
    latest: dict[tuple[int, bool], float] = {}
    for row in facts.references:
        for key, until in (((row.extraction_id, False), row.until), *_pictures(row)):
            latest[key] = max(latest.get(key, 0.0), until)
    for one in [listed.key for listed in store.list()]:
        until = latest.get(kinds[one], 0.0) if one in kinds else doomed.get(one, FOREVER)
        if until + DELETED_WITHIN_S < time.time():
            yield f"{one} outlived its term"


def _pictures(row: Any) -> Iterator[tuple[tuple[int, bool], float]]:
    yield (row.extraction_id, True), row.evidence_until


def _messages(fleet: Fleet) -> Iterator[str]:
    until = time.monotonic() + fleet.visibility_timeout_s + MESSAGES_GONE_WITHIN_S
    while (left := messages(fleet)) and time.monotonic() < until:
        # Who died with the last item of all is not back yet.
        fleet.tend()
        time.sleep(0.2)
    if left:
        yield f"messages are left over: {left}"


def messages(fleet: Fleet) -> dict[str, int]:
    """What lies in the queues, and what was taken and never acknowledged."""
    with fleet.redis.client() as client:
        found = {}
        for key in client.scan_iter("*"):
            if key.startswith((CPU_QUEUE, GPU_QUEUE)) and client.type(key) == "list":
                found[key] = int(client.llen(key))
        found["unacked"] = int(client.hlen("unacked"))
    return {key: count for key, count in found.items() if count}
