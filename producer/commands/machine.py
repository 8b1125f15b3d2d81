"""The installation: is it well, and is its ledger up to date."""

from typing import Annotated

import typer

from producer.commands import options
from producer.commands.context import DEFAULT_STATE, context
from producer.commands.say import say


def migrate(ctx: typer.Context, state: options.State = DEFAULT_STATE) -> None:
    """Bring the ledger's tables to this version."""
    context(ctx, state).migrate()
    say("the ledger is up to date")


def doctor(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per check.")] = False,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Check everything a scan needs; one line each says what is wrong and how to mend it."""
    from producer.doctor import examine, render, to_json

    findings = list(examine(context(ctx, state).settings))
    say(to_json(findings) if json else render(findings))
    raise typer.Exit(0 if all(one.ok is not False for one in findings) else 1)
