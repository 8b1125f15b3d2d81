"""Put items into the ledger; workers anywhere take them from there."""

import typer

from producer.campaigns import AUTO, choose
from producer.commands import options
from producer.commands.context import DEFAULT_STATE, context
from producer.commands.say import bad_line, say
from producer.sources import open_source
from producer.submit import submit as submit_source


def submit(
    ctx: typer.Context,
    media: options.Media,
    *,
    campaign: options.CampaignName = None,
    column: options.Column = None,
    root: options.Root = None,
    model: options.Model = AUTO,
    frames: options.Frames = None,
    first: options.First = False,
    stride: options.Stride = None,
    priority: options.PriorityOption = options.PriorityName.NORMAL,
    extract_only: options.ExtractOnly = False,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Add media to a campaign, each item once however often it is submitted."""
    wanted = options.wanted(
        model=model,
        frames=frames,
        first=first,
        stride=stride,
        priority=priority,
        extract_only=extract_only,
    )
    tools = context(ctx, state)
    chosen = choose(
        wanted,
        name=campaign,
        media=media,
        shelf=tools.settings.models_dir,
        device=tools.settings.device,
    )
    source = open_source(media, column=column, root=root, lister=tools.lister)
    opened = tools.ledger.open_campaign(chosen)
    counts = submit_source(tools.ledger, opened, source, bad_line)
    say(f"campaign {chosen.name}: {counts.new} new, {counts.known} already there")
    for sentence in source.tally.sentences():
        say(sentence)
