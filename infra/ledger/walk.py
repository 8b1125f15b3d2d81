"""From host to host along an index: what waits on one host, however much, hides no other.

fresh items by (campaign, host):  a a a a a a … a  c c  f  f …
                                  └─ one step ────▶└▶ └▶
"""

from itertools import islice

from sqlalchemy import Connection, select, text, update

from schemas.tables import IS_FRESH, CampaignTable

_HINT = {"sqlite": "INDEXED BY item_fresh_idx", "postgresql": ""}
_WALK = """
WITH RECURSIVE step(host, hop) AS (
    SELECT ({first}), 1
    UNION ALL
    SELECT ({following}), hop + 1 FROM step WHERE step.host IS NOT NULL AND hop < :most
)
SELECT host, ({head}) AS head FROM step WHERE host IS NOT NULL
"""
_NEXT = """
SELECT item.host FROM item {hint}
WHERE campaign_id = :campaign AND {fresh} AND item.host > {after} ORDER BY item.host LIMIT 1
"""
_HEAD = """
SELECT item.id FROM item {hint}
WHERE campaign_id = :campaign AND {fresh} AND item.host = step.host ORDER BY item.id LIMIT 1
"""
#: Before the first.
NOWHERE = -1


def walk(db: Connection, campaign: int, most: int) -> dict[int, int]:
    """Hosts with fresh items, and the first of each: behind the one served last, and round."""
    cursor = db.scalar(select(CampaignTable.host_cursor).where(CampaignTable.id == campaign))
    found = _step(db, campaign, int(cursor or 0), most)
    if len(found) < most:
        found += _step(db, campaign, NOWHERE, most)
    # Once round, the first ones are met again: they keep their place.
    heads: dict[int, int] = {}
    for host, head in found:
        heads.setdefault(host, head)
    return dict(islice(heads.items(), most))


def move_on(db: Connection, campaign: int, host: int) -> None:
    moved = update(CampaignTable).where(CampaignTable.id == campaign)
    db.execute(moved.values(host_cursor=host))


def _step(db: Connection, campaign: int, after: int, most: int) -> list[tuple[int, int]]:
    given = {"campaign": campaign, "after": after, "most": most}
    found = db.execute(_QUERIES[db.dialect.name], given)
    return [(row.host, row.head) for row in found if row.head is not None]


def _query(dialect: str) -> str:
    parts = {"hint": _HINT[dialect], "fresh": IS_FRESH}
    first, following = (
        _NEXT.format(after=after, **parts) for after in ("CAST(:after AS bigint)", "step.host")
    )
    head = _HEAD.format(**parts)
    return _WALK.format(first=first, following=following, head=head)


_QUERIES = {dialect: text(_query(dialect)) for dialect in _HINT}
