"""What went wrong: fetches are tried again, attempts are charged, spent items are buried."""

from typing import Any

from sqlalchemy import Connection, Row, select, text, update

from infra.ledger import extractions, rows
from infra.ledger.claims import give_back
from infra.ledger.clock import now
from infra.ledger.ends import End, end
from infra.ledger.moves import Move, clean, record
from infra.ledger.places import happened
from infra.ledger.policy import Policy
from infra.ledger.result import Ending
from infra.ledger.rows import ITEM
from schemas.records import Campaign, Extraction, Happening
from schemas.stages import Stage
from schemas.tables import BY_HELD, IS_HELD, IS_OFFERED, NEVER, ItemTable
from unmask.outcomes import Outcome

#: Silent items that one transaction takes care of.
BATCH = 200
#: The end of a log is kept up to this length: that is where the error stands.
LOG_CHARACTERS = 8_000
#: Words of the history that the exporter counts by.
ATTEMPT = "attempt "
SILENT = "fell silent while"
LATE = "ran past its deadline on"
#: The log of an item whose worker could write none.
_MUTE = (
    "it left no word; what is killed leaves none: by the kernel when memory runs out (`dmesg`),",
    "by a crash of its own (the worker's log names item and signal), or with its machine",
)


def retry_fetch(
    db: Connection,
    policy: Policy,
    row: Row[Any],
    campaign: Campaign,
    reason: str,
    *,
    after_s: float | None,
) -> Move:
    tries = row.fetch_tries + 1
    wait = policy.fetch_wait(tries, after_s)
    if wait is not None:
        changes = {"fetch_tries": tries, "last_error": clean(reason)}
        return give_back(db, row, f"try {tries}: {reason}", after_s=wait, **changes)
    told = f"{reason} (tried {tries} times)"
    ending = Ending(outcome=Outcome.UNREACHABLE, reason=told)
    stage = Stage.REJECTED
    return end(
        db,
        End(
            row=row,
            campaign=campaign,
            stage=stage,
            ending=ending,
            values={"last_error": clean(told)},
        ),
    )


def recut(
    db: Connection,
    policy: Policy,
    row: Row[Any],
    campaign: Campaign,
    reason: str,
    *,
    at_last: Outcome,
    seen: Extraction | None,
) -> Move:
    """Its stored clips are no good: forget them and cut them anew.

    The cap counts all stages here, since going back begins a stage with fresh attempts. Then it
    ends as `at_last`: dead where our store is at fault, else refused.
    """
    extractions.forget(db, row, seen)
    if row.charged + 1 >= policy.max_attempts:
        changes = _charged(row, reason, row.log)
        if not at_last.is_rejection:
            return _bury(db, row, campaign, reason, changes)
        told = f"{reason} (tried {row.charged + 1} times)"
        ending = Ending(outcome=at_last, reason=told)
        stage = Stage.REJECTED
        return end(db, End(row=row, campaign=campaign, stage=stage, ending=ending, values=changes))
    changes = _charged(row, reason, row.log) | {"attempts": 0}
    wait = policy.backoff(row.charged + 1)
    return give_back(db, row, reason, after_s=wait, to=Stage.WAITING, **changes)


def release_all(db: Connection, reason: str) -> int:
    """Everything held goes back, a batch at a time; for when all workers are known to be gone."""
    found = db.execute(select(*ITEM).where(text(IS_HELD)).limit(BATCH).with_for_update()).all()
    record(db, [give_back(db, row, reason) for row in found])
    return len(found)


def forget_offers(db: Connection) -> None:
    """Redis lost its messages: what was on offer is due again at once."""
    offered = update(ItemTable).where(text(IS_OFFERED))
    db.execute(offered.values(offered_until=NEVER, not_before=now(), offers=0))


def sweep(db: Connection, policy: Policy) -> list[Stage]:
    """Where the items went whose worker fell silent; at most one batch of them."""
    silent = db.execute(
        select(*ITEM)
        .with_hint(ItemTable, *BY_HELD)
        .where(text(IS_HELD), ItemTable.lease_until <= now())
        .order_by(ItemTable.lease_until)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    campaigns = rows.campaigns(db, (row.campaign_id for row in silent))
    moves = [_lost(db, policy, row, campaigns[row.campaign_id]) for row in silent]
    record(db, moves)
    return [move.new for move in moves]


def _lost(db: Connection, policy: Policy, row: Row[Any], campaign: Campaign) -> Move:
    """In company nobody is charged: each runs alone next, and then it shows whose fault it was."""
    error = _silence(row)
    if not row.company:
        log, runs = _last_words(row.log, error), 1 + row.suspected
        return charge(db, policy, row, campaign, error=error, log=log, runs=runs)
    note = f"{error}; it had company and runs alone next"
    return give_back(db, row, note, suspected=1, last_error=clean(error))


def _last_words(log: str, error: str) -> str:
    lines = [line for line in log.splitlines() if line not in _MUTE]
    return "\n".join([*lines, error, *_MUTE])


def _silence(row: Row[Any]) -> str:
    if row.lease_until >= row.deadline_at:
        return f"{row.stage} {LATE} {row.owner}"
    return f"{row.owner} {SILENT} {row.stage}"


def loses(note: str) -> bool:
    """Whether a move with this note took the item from a worker that did not answer."""
    return LATE in note or SILENT in note


def charges(note: str) -> bool:
    """Whether it counted an attempt and gave the item another."""
    return note.startswith(ATTEMPT) and ":" in note


def fail(
    db: Connection, policy: Policy, row: Row[Any], campaign: Campaign, *, error: str, log: str
) -> Move:
    """An error of our own that could be told; the brake counts these."""
    happened(db, campaign.id, Happening.FAILED, error)
    return charge(db, policy, row, campaign, error=error, log=log)


def unserved(
    db: Connection, row: Row[Any], campaign: Campaign, error: str, *, after_s: float
) -> Move:
    """Its worker can't use the model: nobody is charged, but the brake counts it."""
    happened(db, campaign.id, Happening.FAILED, error)
    return give_back(db, row, error, after_s=after_s, last_error=clean(error))


def charge(
    db: Connection,
    policy: Policy,
    row: Row[Any],
    campaign: Campaign,
    *,
    error: str,
    log: str,
    runs: int = 1,
) -> Move:
    """An attempt more: back for another, or dead at the last.

    `runs` is 2 where it died alone after it had died in company: both count.
    """
    attempts = row.attempts + runs
    changes = _charged(row, error, log, runs)
    if attempts >= policy.max_attempts:
        return _bury(db, row, campaign, error, changes)
    wait = policy.backoff(attempts)
    return give_back(db, row, f"{ATTEMPT}{attempts}: {error}", after_s=wait, **changes)


def _bury(
    db: Connection, row: Row[Any], campaign: Campaign, error: str, changes: dict[str, Any]
) -> Move:
    ending = Ending(outcome=Outcome.DEAD, reason=error)
    stage = Stage.DEAD
    return end(db, End(row=row, campaign=campaign, stage=stage, ending=ending, values=changes))


def _charged(row: Row[Any], error: str, log: str, runs: int = 1) -> dict[str, Any]:
    return {
        "attempts": row.attempts + runs,
        "charged": row.charged + runs,
        "suspected": 0,
        "last_error": clean(error),
        "log": clean(log[-LOG_CHARACTERS:], LOG_CHARACTERS),
    }
