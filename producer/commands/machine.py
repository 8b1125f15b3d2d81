"""The installation: is it well, and is its ledger up to date."""

import dataclasses
from typing import Annotated

import typer

from infra.ledger import Schema
from producer.commands import options
from producer.commands.context import context
from producer.commands.hints import DEFAULT_STATE, typeable
from producer.commands.say import say

MIGRATED = {
    Schema.MISSING: "the ledger was made",
    Schema.OLDER: "the ledger was brought to this version",
    Schema.CURRENT: "the ledger was of this version already",
}


def migrate(
    ctx: typer.Context,
    bucket: Annotated[
        bool, typer.Option("--bucket", help="Also make the bucket of the object storage.")
    ] = False,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Bring the ledger's tables to this version, with `--bucket` the object storage too."""
    tools = context(ctx, state)
    before = tools.schema()
    tools.migrate()
    say(MIGRATED[before])
    if bucket:
        say(f"the bucket {tools.make_bucket()} is there")


def doctor(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per check.")] = False,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Check everything a scan needs; one line each says what is wrong and how to mend it.

    Status 0: all is well. 1: something has to be mended.
    """
    from producer.doctor import examine, render, to_json

    show = to_json if json else render
    well = True
    for finding in examine(context(ctx, state).settings):
        say(show([dataclasses.replace(finding, mend=typeable(finding.mend, state))]))
        well = well and finding.ok is not False
    raise typer.Exit(0 if well else 1)
