"""Campaigns: opened once, paused, resumed, cancelled."""

import difflib
from collections.abc import Iterator

from sqlalchemy import Connection, select, text, update

from infra.ledger import rows
from infra.ledger.clock import now
from infra.ledger.moves import clean, insert_into
from schemas.records import Campaign, CampaignOptions
from schemas.tables import CampaignTable
from unmask.errors import Unusable

DAY_S = 86_400.0
#: Not a lock on the campaign's row: the feeder writes there whom it served, and would wait too.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtext('unmask.submit'), :campaign)")


def open_campaign(db: Connection, options: CampaignOptions) -> Campaign:
    statement = insert_into(db.dialect.name, CampaignTable).values(
        name=options.name,
        model=options.model,
        model_digest=options.model_digest,
        spec=options.spec.to_json(),
        spec_digest=options.spec.digest,
        priority=int(options.priority),
        extract_only=options.extract_only,
        keep_clips_s=options.keep_clips_s,
        keep_evidence_s=options.keep_evidence_s,
        created_at=now(),
    )
    db.execute(statement.on_conflict_do_nothing(index_elements=["name"]))
    found = campaign(db, options.name)
    refuse_another(found, options)
    return found


def refuse_another(found: Campaign, options: CampaignOptions) -> None:
    """What has that name already can be gone on with, or it says why not."""
    refuse_cancelled(found)
    if differences := list(_differences(found.options, options)):
        raise Unusable(
            f"campaign {options.name!r} exists with other options: {'; '.join(differences)}. "
            "Choose another name, or the same options"
        )


def _differences(pinned: CampaignOptions, asked: CampaignOptions) -> Iterator[str]:
    if pinned.spec.digest != asked.spec.digest:
        yield from _spec_differences(pinned, asked)
    for field in ("model", "model_digest", "priority", "extract_only"):
        old, new = getattr(pinned, field), getattr(asked, field)
        if old != new:
            yield f"{field.replace('_', '-')} is {_word(old)}, not {_word(new)}"
    for field in ("keep_clips_s", "keep_evidence_s"):
        old, new = getattr(pinned, field), getattr(asked, field)
        if new is not None and old != new:  # who says nothing asks for nothing else
            yield f"{field.removesuffix('_s').replace('_', '-')} is {_days(old)}, not {_days(new)}"


def _spec_differences(pinned: CampaignOptions, asked: CampaignOptions) -> Iterator[str]:
    old, new = pinned.spec.to_json(), asked.spec.to_json()
    for field in old.keys() - {"name"}:
        if old[field] != new[field]:
            yield f"scan spec's {field} is {old[field]}, not {new[field]}"


def _days(seconds: float | None) -> str:
    return "for ever" if seconds is None else f"{seconds / DAY_S:g} days"


def _word(value: object) -> str:
    return value.name.lower() if hasattr(value, "name") else str(value)


def campaign(db: Connection, name: str) -> Campaign:
    found = known(db, name)
    if found is None:
        raise Unusable(_unknown(db, name))
    return found


def known(db: Connection, name: str) -> Campaign | None:
    row = db.execute(select(*rows.CAMPAIGN).where(rows.CAMPAIGN.name == name)).one_or_none()
    return None if row is None else rows.campaign(row)


def _unknown(db: Connection, name: str) -> str:
    names = [row.name for row in db.execute(select(CampaignTable.name))]
    near = difflib.get_close_matches(name, names)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"no campaign is called {name!r}{hint}"


def campaigns(db: Connection) -> list[Campaign]:
    return [rows.campaign(row) for row in db.execute(select(*rows.CAMPAIGN).order_by("id"))]


def pause(db: Connection, name: str, reason: str) -> None:
    """Nothing of it is offered or claimed until it is resumed; what is held may finish."""
    _turn(db, campaign(db, name), "running", "paused", reason)


def resume(db: Connection, name: str) -> None:
    _turn(db, campaign(db, name), "paused", "running", "")
    refuse_cancelled(campaign(db, name))


def refuse_cancelled(found: Campaign) -> None:
    if found.state == "cancelled":
        name = found.options.name
        raise Unusable(
            f"campaign {name!r} was cancelled, and stays so: take its media into another one "
            "(`--campaign NAME`; for a rescan, `--name NAME`)"
        )


def alone(db: Connection, campaign: int) -> None:
    """While this transaction lasts nobody else sends items of it on their way, or cancels it.

    Who cancels waits for what is being added, and takes it back with the rest. On SQLite everybody
    who writes is alone.
    """
    if db.dialect.name == "postgresql":
        db.execute(_ALONE, {"campaign": campaign})


def take_more(db: Connection, campaign: int, deed: str) -> None:
    """Items may be added to it while this transaction lasts, unless it was cancelled."""
    alone(db, campaign)
    state = select(CampaignTable.state).where(CampaignTable.id == campaign)
    if db.scalar(state) == "cancelled":
        raise Unusable(f"the campaign was cancelled: {deed} under another name")


def cancel(db: Connection, found: Campaign) -> None:
    values = {"state": "cancelled", "reason": "cancelled by a person"}
    db.execute(update(CampaignTable).where(CampaignTable.id == found.id).values(values))


def _turn(db: Connection, found: Campaign, before: str, after: str, reason: str) -> None:
    """Whoever did something else with it meanwhile came first, and that stays."""
    mine = update(CampaignTable).where(CampaignTable.id == found.id, CampaignTable.state == before)
    db.execute(mine.values(state=after, reason=clean(reason)))
