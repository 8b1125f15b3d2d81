"""From a database address to a ledger that is safe to work with."""

from sqlalchemy import event

from infra.ledger import migration, sqlite
from infra.ledger.engine import make_engine, parse, path_of
from infra.ledger.ledger import Ledger
from infra.ledger.policy import Policy
from unmask.errors import Unusable

_ADVICE = {
    migration.Schema.MISSING: "holds no ledger yet: run `python -m producer migrate`",
    migration.Schema.OLDER: "holds an older ledger: stop the workers, then run "
    "`python -m producer migrate`",
    migration.Schema.NEWER: "was written by a newer version of this program: update it; "
    "nothing was changed",
}


def open_ledger(address: str, *, policy: Policy | None = None) -> Ledger:
    """`sqlite:///state/unmask.db` or `postgresql://…`; refused unless it is of this version."""
    url = parse(address)
    schema = migration.check(address)
    if schema is not migration.Schema.CURRENT:
        raise Unusable(f"the database {url.render_as_string()} {_ADVICE[schema]}")
    engine = make_engine(url)
    if path := path_of(url):
        # Garbage collection of the engine closes the file, and with it the lock.
        lock = sqlite.share(path)
        event.listen(engine, "engine_disposed", lambda _engine: lock.close())
    return Ledger(engine, policy=policy)
