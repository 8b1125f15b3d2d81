"""From the command line to what the commands work with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from infra.ledger import Ledger, Schema, check, migrate, open_ledger
from infra.objects import Store
from infra.resources import source_buckets, store
from producer.commands.hints import DEFAULT_STATE, typeable, typed
from producer.sources import Lister, bucket_lister
from unmask.errors import Unusable

if TYPE_CHECKING:
    from settings import Settings


class SettingsSource(Protocol):
    """What `producer.__main__` hands down: the module that reads the settings."""

    def load(self, **overrides: Any) -> "Settings": ...

    def environment(self, settings: "Settings") -> dict[str, str]: ...


@dataclass(frozen=True)
class Context:
    """The settings of this call, and what is opened by them."""

    settings: "Settings"
    source: SettingsSource
    #: For the commands that a message names.
    state: Path = DEFAULT_STATE

    def environment(self, changes: Mapping[str, object]) -> dict[str, str]:
        """The variables that hand these settings, changed a little, to a child process."""
        return self.source.environment(self.settings.model_copy(update=dict(changes)))

    @property
    def database(self) -> str:
        return self.settings.database_url.get_secret_value()

    @property
    def owns_ledger(self) -> bool:
        """A SQLite file is this machine's alone; others may be at work on a PostgreSQL ledger."""
        return self.database.startswith("sqlite")

    @cached_property
    def ledger(self) -> Ledger:
        if self.owns_ledger and self.schema() is Schema.MISSING:
            raise Unusable(
                f"nothing has been scanned here yet: {typed('scan', self.state)} begins with "
                "the samples"
            )
        try:
            return open_ledger(self.database)
        except Unusable as error:
            raise Unusable(typeable(str(error), self.state)) from error

    def close(self) -> None:
        if "ledger" in vars(self):
            self.ledger.close()

    @cached_property
    def store(self) -> Store:
        return store(self.settings)

    @property
    def lister(self) -> Lister:
        return bucket_lister(source_buckets(self.settings))

    def make_bucket(self) -> str:
        """Its name; there already is fine."""
        from infra.objects.s3 import S3Store

        match self.store:
            case S3Store() as bucket:
                bucket.make()
                return bucket.bucket
            case _:
                raise Unusable(f"{self.settings.store_url} is no bucket")

    def schema(self) -> Schema:
        return check(self.database)

    def migrate(self) -> None:
        migrate(self.database)


def context(ctx: typer.Context, state: Path = DEFAULT_STATE) -> Context:
    """The state folder stands in for what the environment does not name."""
    source: SettingsSource = ctx.obj
    given = source.load()
    stand_ins = {
        "database_url": f"sqlite:///{state.absolute() / 'unmask.db'}",
        "store_url": str(state.absolute() / "objects"),
    }
    missing = {
        name: value for name, value in stand_ins.items() if name not in given.model_fields_set
    }
    made = Context(source.load(**missing) if missing else given, source, state)
    ctx.call_on_close(made.close)
    return made
