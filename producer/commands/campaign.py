"""Read a campaign, and mend it."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from producer.commands import options
from producer.commands.context import DEFAULT_STATE, context
from producer.commands.say import say
from producer.report import write_reports
from producer.scan import default_results
from producer.status import status_json, status_text
from unmask.outcomes import Outcome

WATCH_EVERY_S = 2.0


def status(
    ctx: typer.Context,
    campaign: Annotated[
        str | None, typer.Option("--campaign", "-c", help="Name of one campaign; all if left out.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again until stopped.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per campaign.")] = False,
    state: options.State = DEFAULT_STATE,
) -> None:
    """What a campaign (or every one) has done and has before it, from the ledger."""
    ledger = context(ctx, state).ledger
    show = status_json if json else status_text
    while True:
        names = [campaign] if campaign else [one.options.name for one in ledger.campaigns()]
        if watch and not json:
            Console().clear()
        for name in names:
            say(show(ledger.status(name)))
        if not names:
            say("no campaign yet: `python -m producer scan` or `submit` opens one")
        if not watch:
            return
        time.sleep(WATCH_EVERY_S)


def report(
    ctx: typer.Context,
    campaign: options.Campaign,
    out: Annotated[Path | None, typer.Option(help="Folder; results/CAMPAIGN if left out.")] = None,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Write results.csv, .jsonl, .parquet and one self-contained report.html."""
    tools = context(ctx, state)
    folder = out or default_results(campaign)
    for path in write_reports(tools.ledger, tools.store, campaign, folder):
        say(str(path))


def requeue(
    ctx: typer.Context,
    campaign: options.Campaign,
    outcome: Annotated[list[Outcome], typer.Option(help="Which ends to try again; repeatable.")],
    state: options.State = DEFAULT_STATE,
) -> None:
    """Try ended items again, chosen by how they ended."""
    count = context(ctx, state).ledger.requeue(campaign, set(outcome))
    say(f"campaign {campaign}: {count} items go again")


def cancel(
    ctx: typer.Context, campaign: options.Campaign, state: options.State = DEFAULT_STATE
) -> None:
    """Take back what has not ended yet."""
    count = context(ctx, state).ledger.cancel(campaign)
    say(f"campaign {campaign}: {count} items cancelled")


def resume(
    ctx: typer.Context, campaign: options.Campaign, state: options.State = DEFAULT_STATE
) -> None:
    """Let a paused campaign go on."""
    context(ctx, state).ledger.resume(campaign)
    say(f"campaign {campaign}: running")
