"""Judge a campaign again, by another model, and tell what changed."""

import dataclasses
import json as json_lines
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.closed import make_closed
from producer.commands import options
from producer.commands.context import Context, context
from producer.commands.hints import DEFAULT_STATE, typed
from producer.commands.say import say, warn
from producer.commands.scan import finish, run
from producer.rescan import changes_text, options_of, sentences
from producer.scan import Exit, Submission, default_results
from schemas.records import Campaign


def rescan(
    ctx: typer.Context,
    *,
    campaign: options.Campaign,
    model: Annotated[str, typer.Option(help="The bundle that judges now.")],
    name: Annotated[
        str | None, typer.Option(help="Of the new campaign; CAMPAIGN-MODEL if left out.")
    ] = None,
    clips_only: Annotated[
        bool, typer.Option("--clips-only", help="Leave out what would have to be fetched again.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Begin without asking.")] = False,
    out: options.Out = None,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Classify stored clips again with another model; originals are fetched only where they must.

    Says first what it will cost and what has to be fetched again, and begins when that is
    confirmed: on one machine right away, elsewhere by the running workers. Then `changes` tells
    which verdicts are others now. Status as of `scan`.
    """
    tools = context(ctx, state)
    source = tools.ledger.campaign(campaign)
    chosen = options_of(source, model, name, shelf=tools.settings.models_dir)
    for sentence in sentences(tools.ledger.rescan_plan(campaign, chosen), fetch=not clips_only):
        say(sentence)
    if not (yes or _confirmed()):
        say("nothing was begun; --yes begins")
        return
    opened = tools.ledger.open_campaign(chosen)
    counts = tools.ledger.rescan(campaign, opened, fetch=not clips_only)
    say(f"campaign {chosen.name}: {counts.new:,} new, {counts.known:,} already there")
    if tools.owns_ledger:
        raise typer.Exit(int(_run_here(tools, opened, campaign, out)))
    names = map(shlex.quote, (campaign, chosen.name))
    told = typed("changes --since {} --campaign {}".format(*names), state)
    say(f"running workers take them; then {told} tells which verdicts are others")


def _confirmed() -> bool:
    return sys.stdin.isatty() and typer.confirm("Begin?")


def _run_here(tools: Context, opened: Campaign, before: str, out: Path | None) -> Exit:
    name = opened.options.name
    folder = out or default_results(name)
    make_closed(folder)
    status = run(tools, Submission(tools.ledger, opened, ()))
    if status is Exit.INTERRUPTED:
        warn("stopped; the same command goes on from here")
        return status
    finish(tools, name, folder)
    for line in changes_text(tools.ledger.changes(before, name)):
        say(line)
    return status


def changes(
    ctx: typer.Context,
    *,
    since: Annotated[str, typer.Option(help="The campaign before.")],
    campaign: Annotated[str, typer.Option("--campaign", "-c", help="The campaign after.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object per item.")] = False,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Items whose outcome is another in one campaign than in the other."""
    found = context(ctx, state).ledger.changes(since, campaign)
    if json:
        for one in found:
            say(json_lines.dumps(dataclasses.asdict(one)))
        return
    for line in changes_text(found):
        say(line)
