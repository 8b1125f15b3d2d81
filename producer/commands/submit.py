"""Put items into the ledger; workers anywhere take them from there."""

import typer

from infra.closed import make_closed
from producer.card import AUTO
from producer.commands import options
from producer.commands.context import context
from producer.commands.hints import DEFAULT_STATE
from producer.commands.opening import open_campaign, order
from producer.commands.say import bad_line, say


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
    coding: options.ClipCoding = None,
    priority: options.PriorityOption = None,
    extract_only: options.ExtractOnly = False,
    keep_clips: options.KeepClips = None,
    keep_evidence: options.KeepEvidence = None,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Add media to a campaign, each item once however often it is submitted.

    Running workers take them from there. Without --first and --stride, windows of --frames face
    frames are spread over the whole file.
    """
    wanted = options.wanted(
        model=model,
        frames=frames,
        first=first,
        stride=stride,
        coding=coding,
        priority=priority,
        extract_only=extract_only,
        keep_clips=keep_clips,
        keep_evidence=keep_evidence,
    )
    tools = context(ctx, state)
    wish = order(
        tools,
        wanted,
        media=media,
        campaign=campaign,
        column=column,
        root=root,
        on_bad=bad_line,
    )
    if tools.owns_ledger:
        make_closed(state)
        tools.migrate()
    opened = open_campaign(tools.ledger, wish)
    for sentence in opened.told:
        say(sentence)
    counts = tools.ledger.submit(opened.campaign, wish.items)
    say(f"campaign {wish.options.name}: {counts.new:,} new, {counts.known:,} already there")
    for sentence in wish.source.tally.sentences():
        say(sentence)
