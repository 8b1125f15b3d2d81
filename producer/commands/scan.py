"""The one command: start everything on this machine, scan, report, stop."""

import os
from pathlib import Path
from typing import Annotated

import typer

from producer.campaigns import AUTO, choose, has_gpu
from producer.commands import options
from producer.commands.context import DEFAULT_STATE, Context, context
from producer.commands.say import bad_line, say, warn
from producer.local import Machine
from producer.local.machine import KeepsEnding
from producer.report import write_reports
from producer.scan import Exit, Submission, default_results, is_finished, told_by_signals, watch
from producer.sources import Source, open_source
from producer.status import printed, summary
from producer.view import LiveView
from schemas.records import Campaign

#: Ctrl-C has ten seconds for everything; what is not done by then is given back.
STOP_DRAIN_S = 3.0


def scan(
    ctx: typer.Context,
    media: options.Media = "samples",
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
    out: Annotated[Path | None, typer.Option(help="Results; results/CAMPAIGN if left out.")] = None,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Scan media on this machine, from nothing to a report.

    Status 0: every item has an answer or a clear rejection. 2: wrong usage. 3: at least one item
    is dead. 4: the brake stopped it, since nearly everything failed by our own fault or a process
    kept ending. 130: stopped by Ctrl-C; the same command goes on from there.
    """
    wanted = options.wanted(
        model=model,
        frames=frames,
        first=first,
        stride=stride,
        priority=priority,
        extract_only=extract_only,
    )
    tools = context(ctx, state)
    source = open_source(media, column=column, root=root, lister=tools.lister)
    chosen = choose(
        wanted,
        name=campaign,
        media=media,
        shelf=tools.settings.models_dir,
        device=tools.settings.device,
    )
    folder = out or default_results(chosen.name)
    for needed in (state, folder):
        needed.mkdir(parents=True, exist_ok=True)
    tools.migrate()
    opened = tools.ledger.open_campaign(chosen)
    try:
        status = _run(tools, opened, source, state)
        if status is not Exit.INTERRUPTED:
            _finish(tools, opened, source, folder)
    except KeyboardInterrupt:
        status = Exit.INTERRUPTED
    if status is Exit.INTERRUPTED:
        warn(
            "stopped; the same command goes on from here, and "
            f"`python -m producer report --campaign {chosen.name}` writes what there is"
        )
    raise typer.Exit(int(status))


def _run(tools: Context, campaign: Campaign, source: Source, state: Path) -> Exit:
    submission = Submission(tools.ledger, campaign, source, bad_line)
    fleet = Machine(state, _environment(tools), tools.ledger.forget_offers)
    try:
        with told_by_signals() as stop, fleet as machine:
            if tools.owns_ledger:
                tools.ledger.release_all("the scan that held it has ended")
            machine.start(classify=not campaign.options.extract_only)
            submission.start()
            with LiveView(flower=machine.flower_url, device=_device(tools)) as view:
                return watch(machine, submission, view.show, view.trouble, stop)
    except KeepsEnding as error:
        warn(f"unmask: {error}")
        return Exit.BRAKE


def _device(tools: Context) -> str:
    return "the GPU" if has_gpu(tools.settings.device) else "the CPU: there is no GPU here"


def _environment(tools: Context) -> dict[str, str]:
    """Two or more cores: the classifier gets what the CPU workers leave."""
    cores = os.cpu_count() or 1
    changes: dict[str, object] = {"drain_s": STOP_DRAIN_S}
    if not tools.settings.gpu_threads:
        workers = tools.settings.cpu_processes or max(1, cores - 1)
        changes["gpu_threads"] = max(1, cores - workers)
    return tools.environment(changes)


def _finish(tools: Context, campaign: Campaign, source: Source, folder: Path) -> None:
    name = campaign.options.name
    status = tools.ledger.status(name)
    for sentence in source.tally.sentences():
        warn(sentence)
    printed(summary(status, tools.ledger.results(name)))
    if status.campaign.reason:
        warn(f"the campaign is {status.campaign.state}: {status.campaign.reason}")
    for path in write_reports(tools.ledger, tools.store, name, folder):
        say(f"  {path}")
    if not is_finished(status):
        warn("not finished: the same command goes on from here")
