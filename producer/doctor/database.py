"""The ledger: does the database answer, and is it of this version?"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from infra.ledger import Schema
from infra.ledger import check as schema_of
from infra.ledger.engine import parse, path_of
from infra.ledger.server import ends_stranded_transactions
from producer.doctor.finding import Finding, bad, note, well
from unmask.errors import TryAgain

if TYPE_CHECKING:
    from settings import Settings

MIGRATE = "run `python -m producer migrate`"

MENDS: Mapping[Schema, tuple[str, str]] = {
    Schema.MISSING: ("holds no ledger yet", MIGRATE),
    Schema.OLDER: ("holds the ledger of an older version", f"stop the workers, then {MIGRATE}"),
    Schema.NEWER: (
        "holds the ledger of a newer version of this program",
        "update this program; it leaves the database as it is",
    ),
}


def check(settings: "Settings") -> Iterator[Finding]:
    address = settings.database_url.get_secret_value()
    url = parse(address)
    where = url.set(query={}).render_as_string()
    try:
        schema = schema_of(address)
    except TryAgain as error:
        yield bad("ledger", f"{where}: {error}", "start it, or correct UNMASK_DATABASE_URL")
        return
    if schema is Schema.CURRENT:
        yield well("ledger", f"{where} is of this version")
        yield from _server(address)
    elif schema is Schema.MISSING and path_of(url):
        yield note("ledger", f"{where} is not there yet; `scan` makes it")
    else:
        says, mend = MENDS[schema]
        yield bad("ledger", f"{where} {says}", mend)


def _server(address: str) -> Iterator[Finding]:
    if not ends_stranded_transactions(address):
        yield note(
            "ledger",
            "this PostgreSQL can't end the transaction of a client that vanished in the middle "
            "of it; the items it held may wait until somebody ends it",
            "use PostgreSQL 17 or newer",
        )
