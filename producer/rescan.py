"""A campaign again under another model: what it will cost, and which verdicts it changed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from producer.campaigns import DAY_S, Wanted, choose
from producer.plain import shorten
from producer.sources.values import counted
from producer.status import NAME_CELLS, span
from schemas.records import Campaign, CampaignOptions, Changed, RescanPart, RescanPlan
from unmask.errors import Unusable
from unmask.outcomes import Outcome
from unmask.spec import PAPERS, ScanSpec
from unmask.wording import printable

GB = 1e9
#: Changed verdicts that are listed; `--json` and the reports have them all.
LISTED = 40


def options_of(source: Campaign, model: str, name: str | None, *, shelf: Path) -> CampaignOptions:
    """The same question to another model: its own scan spec, under what the campaign asked for."""
    asked = source.options
    chosen = choose(
        _wanted(asked, model), name=name or "rescan", media="", shelf=shelf, device="cpu"
    )
    if (chosen.model_digest, chosen.spec.digest) == (asked.model_digest, asked.spec.digest):
        raise Unusable(
            f"campaign {asked.name!r} was judged by {chosen.model} already; to judge some of it "
            "again, use `requeue`"
        )
    given = vars(chosen) | {"name": name or f"{asked.name}-{chosen.model}"}
    return CampaignOptions(**given)


def _wanted(asked: CampaignOptions, model: str) -> Wanted:
    spec = asked.spec
    return Wanted(
        model=model,
        frames=spec.frames,
        first=spec.moments == "first",
        stride=spec.stride if spec.moments == "stride" else None,
        coding=spec.coding,
        priority=asked.priority,
        papers=_is_papers(spec),
        keep_clips_days=_days(asked.keep_clips_s),
        keep_evidence_days=_days(asked.keep_evidence_s),
    )


def _is_papers(spec: ScanSpec) -> bool:
    return spec.detector == PAPERS.detector and spec.box == PAPERS.box


def _days(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / DAY_S


def sentences(plan: RescanPlan, *, fetch: bool) -> Iterator[str]:
    """What will be done and what it cost the time before, for whoever has to decide."""
    total = plan.clips.items + plan.answered.items
    yield f"{counted(total, 'item')} from stored clips, without touching the originals"
    if plan.clips.items:
        yield (
            f"  {counted(plan.clips.items, 'item')} to classify: {plan.clip_bytes / GB:,.2f} GB of "
            f"clips, {span(plan.clips.footage_s)} of footage; fetching, cutting and classifying "
            f"cost {_cost(plan.clips)}, of which only classifying is repeated"
        )
    if plan.answered.items:
        yield f"  {counted(plan.answered.items, 'item')} without a face to judge: no work"
    if plan.fetch.items:
        what = "to be fetched again" if fetch else "left out, since nothing is to be fetched"
        yield (
            f"{counted(plan.fetch.items, 'item')} {what}: clips are gone or of another scan "
            f"spec ({plan.fetch.bytes_fetched / GB:,.2f} GB, {_cost(plan.fetch)} the time before)"
        )
        yield from (f"  {printable(uri)}" for uri in plan.fetched_again)
        if plan.fetch.items > len(plan.fetched_again):
            yield "  …"
    if plan.erased:
        yield f"{counted(plan.erased, 'item')} left out: something was erased on request"
    if plan.left_out:
        yield f"{counted(plan.left_out, 'item')} left out: there was no answer the time before"


def _cost(part: RescanPart) -> str:
    return f"{part.cpu_seconds:,.1f} CPU s and {part.gpu_seconds:,.1f} GPU s"


def changes_text(changes: Iterable[Changed]) -> Iterator[str]:
    """The changed verdicts, and below them how many changed from what to what."""
    kinds: Counter[tuple[Outcome, Outcome]] = Counter()
    for number, one in enumerate(changes):
        kinds[one.outcome_before, one.outcome] += 1
        if number < LISTED:
            yield _line(one)
    hidden = kinds.total() - LISTED
    if hidden > 0:
        yield f"and {hidden:,} more"
    if not kinds:
        yield "no verdict changed"
    for (old, new), count in kinds.most_common():
        yield f"{old} → {new}: {counted(count, 'item')}"


def _line(one: Changed) -> str:
    before = _said(one.outcome_before, one.probability_before)
    return f"{shorten(printable(one.uri), NAME_CELLS)}  {before} → " + _said(
        one.outcome, one.probability
    )


def _said(outcome: Outcome, probability: float | None) -> str:
    return outcome.value if probability is None else f"{outcome.value} {probability:.2f}"
