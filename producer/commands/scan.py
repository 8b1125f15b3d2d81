"""The one command: start everything on this machine, scan, report, stop."""

import shlex
from pathlib import Path

import typer

from infra.closed import make_closed
from producer.bad_lines import BadLines
from producer.campaigns import bundle_of
from producer.card import AUTO, place_of
from producer.closing import printed, summary
from producer.commands import options
from producer.commands.context import Context, context
from producer.commands.hints import DEFAULT_STATE, typed
from producer.commands.opening import Opened, Order, open_campaign, order
from producer.commands.say import bad_line, say, warn
from producer.local import Machine
from producer.local.machine import KeepsEnding
from producer.report import write_reports
from producer.scan import Exit, Submission, default_results, is_finished, told_by_signals, watch
from producer.sources.values import counted
from producer.view import LiveView
from schemas.pace import total
from schemas.stages import Stage
from tasks.pool import pool_size, usable_cores
from unmask.outcomes import REJECTIONS, Outcome

#: Ctrl-C has ten seconds for everything; what is not done by then is given back.
STOP_DRAIN_S = 2.5


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
    coding: options.ClipCoding = None,
    priority: options.PriorityOption = None,
    extract_only: options.ExtractOnly = False,
    keep_clips: options.KeepClips = None,
    keep_evidence: options.KeepEvidence = None,
    out: options.Out = None,
    state: options.State = DEFAULT_STATE,
) -> None:
    """Scan media on this machine, from nothing to a report.

    Without --first and --stride, windows of --frames face frames are spread over the whole file.
    Stopped by Ctrl-C, the same command goes on where it was; other options make another campaign.

    Status 0: every item has an answer or a clear rejection. 2: wrong usage. 3: at least one item
    is dead. 4: the brake stopped it, since nearly everything failed by our own fault or a process
    kept ending. 130: stopped by Ctrl-C; the same command goes on from there.
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
    bad_lines = BadLines(bad_line, warn)
    ctx.call_on_close(bad_lines.close)
    wish = order(
        tools,
        wanted,
        media=media,
        campaign=campaign,
        column=column,
        root=root,
        on_bad=bad_lines,
    )
    name = wish.options.name
    make_closed(state)
    tools.migrate()
    opened = open_campaign(tools.ledger, wish)
    folder = out or default_results(name)
    make_closed(folder)
    for sentence in opened.told:
        warn(sentence)
    try:
        status = _through(tools, wish, opened, bad_lines, folder)
    except KeyboardInterrupt:
        status = Exit.INTERRUPTED
    if status is Exit.INTERRUPTED:
        place = f" --out {shlex.quote(str(out))}" if out else ""
        report = typed(f"report --campaign {shlex.quote(name)}{place}", state)
        warn(f"stopped; the same command goes on from here, and {report} writes what there is")
    raise typer.Exit(int(status))


def _through(
    tools: Context, wish: Order, opened: Opened, bad_lines: BadLines, folder: Path
) -> Exit:
    submission = Submission(tools.ledger, opened.campaign, wish.items)
    status = run(tools, submission)
    if status is not Exit.INTERRUPTED:
        nothing_new = _nothing_new(submission, opened.ended, tools.state)
        for sentence in [*wish.source.tally.sentences(), *nothing_new]:
            warn(sentence)
        bad_lines.save(folder)
        finish(tools, wish.options.name, folder)
    return status


def _nothing_new(submission: Submission, before: int, state: Path) -> list[str]:
    """A second scan of a finished campaign looks like a scan that did nothing: it says why."""
    counts, name = submission.counts, submission.campaign.options.name
    status = submission.ledger.status(name)
    if counts is None or counts.new or before < total(status):
        return []
    told = [f"nothing new: {counted(before, 'item')} had ended before"]
    for outcome in sorted((REJECTIONS | {Outcome.DEAD}) & status.outcomes.keys())[:1]:
        again = typed(f"requeue --campaign {shlex.quote(name)} --outcome {outcome}", state)
        told.append(f"{again} tries those again")
    return ["; ".join([*told, "another --campaign scans everything anew"])]


def run(tools: Context, submission: Submission) -> Exit:
    options = submission.campaign.options
    fleet = Machine(tools.state, _environment(tools), tools.ledger.forget_offers)
    try:
        with told_by_signals() as stop, fleet as machine:
            if tools.owns_ledger:
                tools.ledger.release_all("the scan that held it has ended")
            machine.start(classify=not options.extract_only)
            submission.start()
            with LiveView(device=place_of(tools.settings.device)) as view:
                return watch(machine, submission, view.show, view.trouble, stop)
    except KeepsEnding as error:
        warn(f"unmask: {error}")
        return Exit.BRAKE


def _environment(tools: Context) -> dict[str, str]:
    """Two or more cores: the classifier gets what the CPU workers leave."""
    cores = usable_cores()
    changes: dict[str, object] = {"drain_s": STOP_DRAIN_S}
    if not tools.settings.gpu_threads:
        workers = pool_size(tools.settings.cpu_processes, cores)
        changes["gpu_threads"] = max(1, cores - workers)
    return tools.environment(changes)


def finish(tools: Context, name: str, folder: Path) -> None:
    status, state = tools.ledger.status(name), tools.state
    printed(summary(status, tools.ledger.results(name)))
    if status.campaign.reason:
        warn(f"the campaign is {status.campaign.state}: {status.campaign.reason}")
    if status.campaign.state == "paused":
        resume = typed(f"resume --campaign {shlex.quote(name)}", state)
        warn(
            f"mend that ({typed('doctor', state)} may tell more), then {resume} "
            "and give the same command again"
        )
    bundle = bundle_of(status.campaign.options, tools.settings.models_dir)
    for path in write_reports(tools.ledger, tools.store, name, folder, bundle):
        say(f"  {path}")
    if dead := status.stages.get(Stage.DEAD):
        again = typed(f"requeue --campaign {shlex.quote(name)} --outcome dead", state)
        warn(f"{counted(dead, 'item')} failed by our fault; once mended, {again} and scan again")
    if not is_finished(status):
        warn("not finished: the same command goes on from here")
