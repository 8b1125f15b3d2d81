"""Read a campaign, and mend it."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from infra.ledger import Ledger
from producer.campaigns import bundle_of
from producer.clips import LIST, export_clips
from producer.commands import options
from producer.commands.context import context
from producer.commands.hints import DEFAULT_STATE, typeable, typed
from producer.commands.say import say, warn
from producer.erase import erase as erase_traces
from producer.erase import sentences
from producer.report import write_reports
from producer.scan import default_results
from producer.sources.values import counted
from producer.status import (
    dead_json,
    dead_text,
    resting_line,
    state_word,
    status_json,
    status_text,
)
from schemas.records import Failure
from unmask.outcomes import Outcome

WATCH_EVERY_S = 2.0
#: States in which nothing moves until somebody does something.
STILL = ("finished", "cancelled", "empty", "paused")


def status(
    ctx: typer.Context,
    *,
    campaign: Annotated[
        str | None, typer.Option("--campaign", "-c", help="Name of one campaign; all if left out.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again until nothing moves any more.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per campaign.")] = False,
    dead: Annotated[
        bool, typer.Option("--dead", help="Only the dead items, all of them, each with its log.")
    ] = False,
    state: options.State = DEFAULT_STATE,
) -> None:
    """What a campaign (or every one) has done and has before it, from the ledger."""
    if dead and watch:
        raise typer.BadParameter("--dead lists once: leave out --watch")
    ledger = context(ctx, state).ledger
    if dead:
        names = [campaign] if campaign else [one.options.name for one in ledger.campaigns()]
        _list_dead(ledger, names, dead_json if json else dead_text)
        return
    show = status_json if json else status_text
    while True:
        names = [campaign] if campaign else [one.options.name for one in ledger.campaigns()]
        if watch and not json:
            Console().clear()
        seen = [ledger.status(name) for name in names]
        for one in seen:
            say(show(one) if json else typeable(show(one), state))
        for place in ledger.resting() if not json else ():
            say(resting_line(place))
        if not names:
            warn(f"no campaign yet: {typed('scan', state)} opens one for the samples")
        if not watch or all(state_word(one) in STILL for one in seen):
            return
        time.sleep(WATCH_EVERY_S)


def _list_dead(ledger: Ledger, names: Sequence[str], show: Callable[[str, Failure], str]) -> None:
    found = False
    for name in names:
        for one in ledger.dead(name):
            say(show(name, one))
            found = True
    if not found:
        warn("no item is dead")


def report(
    ctx: typer.Context,
    campaign: options.Campaign,
    out: options.Out = None,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Write results.csv, .jsonl, .parquet and one self-contained report.html."""
    tools = context(ctx, state)
    folder = out or default_results(campaign)
    asked = tools.ledger.campaign(campaign).options
    bundle = bundle_of(asked, tools.settings.models_dir)
    for path in write_reports(tools.ledger, tools.store, campaign, folder, bundle):
        say(str(path))


def clips(
    ctx: typer.Context,
    campaign: options.Campaign,
    out: Annotated[Path, typer.Option(help="Folder for clips.csv and the clips.")],
    state: options.State = DEFAULT_STATE,
) -> None:
    """Write the stored clips as files that `unmask train` and `unmask evaluate` read.

    Columns label, identities, method and part of the submitted table go along; what it lacked can
    be written into clips.csv. The files show faces: they are yours to keep and to delete.
    """
    tools = context(ctx, state)
    done = export_clips(tools.ledger, tools.store, campaign, out)
    say(f"{out / LIST}: {counted(done.items, 'item')}; {done.without} have no clips")


def _outcome(word: str) -> Outcome:
    try:
        return Outcome(word)
    except ValueError:
        raise typer.BadParameter(f"{word} is none of {', '.join(Outcome)}") from None


def requeue(
    ctx: typer.Context,
    campaign: options.Campaign,
    outcome: Annotated[
        list[Outcome],
        typer.Option(
            help=f"Which ends to try again; repeatable: {', '.join(Outcome)}.",
            parser=_outcome,
            metavar="OUTCOME",
        ),
    ],
    state: options.State = DEFAULT_STATE,
) -> None:
    """Try ended items again, chosen by how they ended."""
    count = context(ctx, state).ledger.requeue(campaign, set(outcome))
    say(f"campaign {campaign}: {_go(count)} again")
    if count:
        say("running workers take them; on one machine the same `scan` command does")


def _go(count: int) -> str:
    return f"{counted(count, 'item')} {'goes' if count == 1 else 'go'}"


def cancel(
    ctx: typer.Context, campaign: options.Campaign, state: options.State = DEFAULT_STATE
) -> None:
    """Take back what has not ended yet."""
    count = context(ctx, state).ledger.cancel(campaign)
    say(f"campaign {campaign}: {counted(count, 'item')} cancelled")


def erase(
    ctx: typer.Context,
    item: Annotated[int, typer.Option(min=1, help="Number of the item, as reports show it.")],
    person: Annotated[
        int | None, typer.Option(min=1, help="Only this person of it, as its result numbers them.")
    ] = None,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Remove every trace of an item, or of one person of it, and say what was removed.

    Clips, pictures and scores of its content go, whatever their term and whoever else has the same
    content: those results are marked. What the model said of the other items stays.
    """
    tools = context(ctx, state)
    for sentence in sentences(erase_traces(tools.ledger, tools.store, item, person)):
        say(sentence)


def resume(
    ctx: typer.Context, campaign: options.Campaign, state: options.State = DEFAULT_STATE
) -> None:
    """Let a paused campaign go on."""
    context(ctx, state).ledger.resume(campaign)
    say(f"campaign {campaign}: running")
