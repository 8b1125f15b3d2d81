"""uri → face clips. The Celery entry parses, calls and returns; the way of one item is below it."""

import dataclasses
import functools
import hashlib
import logging
import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from celery import Task, shared_task
from celery.exceptions import Retry, SoftTimeLimitExceeded

from infra.download import Content, NotInParts
from infra.hosts import host_number
from infra.objects import clip_key, manifest_key
from infra.redact import redact_text
from infra.resources import Resources, resources
from infra.sandbox import Room
from schemas.messages import ItemMessage
from schemas.records import (
    Claim,
    Extracted,
    Extraction,
    Fetched,
    MediaFacts,
    Rejected,
    StoredObject,
)
from schemas.stages import ENDS, Stage
from tasks import names
from tasks.break_off import LeaseLost, break_off
from tasks.drain import drain
from tasks.fault import failed
from tasks.flower import Lines
from tasks.handful import Handful
from tasks.heartbeat import Heartbeat
from tasks.say import DUPLICATE, STALE, again, said
from tasks.send import offer_next
from tasks.visits import NoRoom, NotFetched, fetched, our_store, tell_trouble
from unmask.errors import Refused, TryAgain
from unmask.media.values import Clip, Manifest
from unmask.outcomes import Outcome

log = logging.getLogger(__name__)

#: Tells the next stage that an item is ready for it.
Ring = Callable[[Claim], None]


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Where an item goes from here."""

    ring: Ring
    #: Writes a refusal, now or a moment later; whether it counts, as far as is known.
    reject: Callable[[Rejected], bool]
    #: Told where it has to come again through no fault of its own.
    trouble: Callable[[TryAgain], None] = lambda _: None


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@dataclass
class Spent:
    """What one try has cost so far, and what it knows of the bytes."""

    fetched: Fetched | None = None
    _started: float = field(default_factory=_cpu_seconds)

    def cpu_seconds(self, room: Room | None = None) -> float:
        """Of this process, and of the room once something was cut in it."""
        cut = room.cpu_seconds if room is not None and self.fetched is not None else 0.0
        return _cpu_seconds() - self._started + cut


@shared_task(name=names.EXTRACT, bind=True)
def extract(self: "Task[Any, Any]", body: object) -> str:
    """Fetch one item, or a handful one by one, and cut their face clips."""
    message, ring = ItemMessage.from_json(body), functools.partial(offer_next, self.app)
    if not message.more:
        return extract_item(message.item, resources(), ring)
    lines = Lines(self.app, names.EXTRACT, self.request.hostname or "")
    ended = extract_handful(message.items, resources(), ring, lines.begin)
    own = ended.pop(message.item, DUPLICATE)
    lines.end(ended)
    if isinstance(own, Retry):
        raise own
    return own


def extract_item(item: int, tools: Resources, ring: Ring) -> str:
    """What became of the item, in words; raises Retry when it will be offered again."""
    try:
        claim = tools.ledger.claim(
            item, Stage.WAITING, owner=tools.owner, lease_s=tools.settings.lease_s
        )
        if claim is None:
            return DUPLICATE
        with _held(claim, tools) as held:
            ways = Ways(ring=_letting_go(held, ring), reject=functools.partial(_write, tools))
            return _work(claim, tools, ways)
    except TryAgain as trouble:
        # Not even the end could be written: the lease, or the offer, gives the item back.
        raise again(Stage.WAITING, trouble.reason) from trouble


def extract_handful(
    items: Sequence[int],
    tools: Resources,
    ring: Ring,
    begun: Callable[[Sequence[Claim]], None] = lambda _: None,
) -> dict[int, str | Retry]:
    """What became of each; what is held or was lost before is left alone, and not named.

    `begun` is told of all that were claimed but the first of the items.
    """
    try:
        claims = tools.ledger.claim_many(
            items, Stage.WAITING, owner=tools.owner, lease_s=tools.settings.lease_s
        )
        with Handful(tools.ledger, claims, drain=drain) as handful:
            begun([claim for claim in claims if claim.item != items[0]])
            ended = {claim.item: _one_of_many(claim, tools, ring, handful) for claim in handful}
            handful.write()
    except TryAgain as trouble:
        raise again(Stage.WAITING, trouble.reason) from trouble
    back = {item: again(Stage.WAITING, why) for item, why in handful.back.items()}
    return ended | back | dict.fromkeys(handful.stale, STALE)


def _one_of_many(claim: Claim, tools: Resources, ring: Ring, handful: Handful) -> str | Retry:
    """Trouble with one is no failure of the others, but they need not run into the same."""

    def trouble(kind: TryAgain) -> None:
        if not isinstance(kind, NoRoom):  # that is of the place that this one was led to
            host = host_number(claim.uri) if isinstance(kind, NotFetched) else None
            handful.give_back(kind.reason, host)

    try:
        with _held(claim, tools) as held:
            ways = Ways(ring=_letting_go(held, ring), reject=handful.reject, trouble=trouble)
            return _work(claim, tools, ways)
    except Retry as another:
        return another
    except TryAgain as away:
        # Its end could not be written: its lease gives it back.
        return again(Stage.WAITING, away.reason)


def _work(claim: Claim, tools: Resources, ways: Ways) -> str:
    """Every way an item can end this stage, in one place."""
    spent = Spent()
    try:
        return _fetch_and_cut(claim, tools, spent, ways.ring)
    except Refused as refusal:
        plain = Refused(refusal.outcome, redact_text(refusal.reason))
        return _reject(claim, tools, spent, ways, plain)
    except LeaseLost:
        return STALE
    except NotFetched as trouble:
        ways.trouble(trouble)
        return _later(claim, tools, trouble)
    except TryAgain as trouble:
        # The worker stops, or the store or the database is away: no fault of the item's.
        ways.trouble(trouble)
        tell_trouble(tools, trouble)
        tools.ledger.release(claim, trouble.reason, after_s=trouble.after_s or 0.0)
        raise again(Stage.WAITING, trouble.reason, trouble.after_s) from None
    except SoftTimeLimitExceeded:
        reason = f"not done within {tools.settings.extract_soft_limit_s} s"
        return _reject(claim, tools, spent, ways, Refused(Outcome.TIMED_OUT, reason))
    except Exception as error:  # the outermost edge: our own fault, counted and shown
        log.exception("item %d failed", claim.item)
        return failed(tools.ledger, claim, error)


def _reject(claim: Claim, tools: Resources, spent: Spent, ways: Ways, refusal: Refused) -> str:
    rejected = Rejected(
        claim=claim,
        outcome=refusal.outcome,
        reason=refusal.reason,
        fetched=spent.fetched,
        cpu_seconds=spent.cpu_seconds(tools.room),
    )
    return said(refusal.outcome, refusal.reason) if ways.reject(rejected) else STALE


def _write(tools: Resources, rejected: Rejected) -> bool:
    return bool(tools.ledger.reject([rejected]))


def _later(claim: Claim, tools: Resources, trouble: TryAgain) -> str:
    stage = tools.ledger.retry_fetch(claim, trouble.reason, after_s=trouble.after_s)
    if stage is None:
        return STALE
    if stage in ENDS:
        return said(Outcome.UNREACHABLE, trouble.reason)
    raise again(stage, trouble.reason, trouble.after_s) from None


def _fetch_and_cut(claim: Claim, tools: Resources, spent: Spent, ring: Ring) -> str:
    try:
        return _cut_what_comes(claim, tools, spent, ring)
    except NotInParts as lost:
        log.info("item %d comes whole, not in parts: %s", claim.item, lost.reason)
        return _cut_what_comes(claim, tools, spent, ring, lost)


def _cut_what_comes(
    claim: Claim, tools: Resources, spent: Spent, ring: Ring, lost: NotInParts | None = None
) -> str:
    with fetched(claim, tools, lost) as content:
        spent.fetched = _with_waste(content.fetched, lost)
        # What a part holds says nothing of the whole: it is never taken for known content.
        if content.parts is None:
            known = _known(claim, tools, spent.fetched, spent, ring)
            if known is not None:
                return known
        drain.check()
        try:
            found = _cut(claim, tools, content, spent)
        finally:
            if content.parts is not None:
                spent.fetched = _facts(content, claim, spent)
    stage = tools.ledger.extracted(claim, found)
    if stage is None:
        return STALE
    if stage in ENDS:
        return said(found.outcome or Outcome.EXTRACTED, found.reason)
    ring(claim)
    people = len(found.extraction.clips)
    who = "1 person" if people == 1 else f"{people} people"
    return f"{who}, {found.media.frames_analysed} face frames"


def _known(claim: Claim, tools: Resources, facts: Fetched, spent: Spent, ring: Ring) -> str | None:
    """The same content under the same scan spec: its clips, or its verdict, are used again."""
    options = claim.campaign.options
    known = tools.ledger.known(facts.sha256, options.spec.digest, options.model_digest)
    if known.result_item is not None and not options.extract_only:
        stage = tools.ledger.inherit(claim, facts, known.result_item)
        return f"same content as item {known.result_item}" if stage else STALE
    if known.extraction is None:
        return None
    stage = tools.ledger.reuse(claim, facts, known.extraction, cpu_seconds=spent.cpu_seconds())
    if stage is None:
        return STALE
    if stage not in ENDS:
        ring(claim)
    return "same content seen before: its clips are used again"


def _with_waste(fetched: Fetched, lost: NotInParts | None) -> Fetched:
    """What a first try in parts cost came over the wire too."""
    wasted = lost.received if lost else 0
    return dataclasses.replace(fetched, bytes_fetched=fetched.bytes_fetched + wasted)


def _cut(claim: Claim, tools: Resources, content: Content, spent: Spent) -> Extracted:
    spec = claim.campaign.options.spec
    pieces = _in_room(tools, content, claim)
    # Only now is it certain which parts were read.
    facts = spent.fetched = _facts(content, claim, spent)
    clips = [
        _store_clip(tools, facts.sha256, spec.digest, one)
        for one in pieces
        if isinstance(one, Clip)
    ]
    manifest = next((one for one in pieces if isinstance(one, Manifest)), None)
    if manifest is None:
        raise RuntimeError("the room ended without a manifest")
    data = manifest.to_bytes()
    digest = hashlib.sha256(data).hexdigest()
    key = manifest_key(facts.sha256, spec.digest, manifest_sha256=digest)
    with break_off.waiting(), our_store():
        stored = tools.store.put(key, data)
    return Extracted(
        fetched=facts,
        media=media_facts(manifest, facts),
        extraction=Extraction(
            sha256=facts.sha256, spec_digest=spec.digest, manifest=stored, clips=tuple(clips)
        ),
        cpu_seconds=spent.cpu_seconds(tools.room),
        outcome=manifest.outcome,
        reason=manifest.reason,
    )


def _store_clip(tools: Resources, sha256: str, spec: str, clip: Clip) -> StoredObject:
    key = clip_key(sha256, spec, person=clip.person, clip_sha256=clip.sha256)
    with break_off.waiting(), our_store():
        return tools.store.put(key, clip.data)


def media_facts(manifest: Manifest, fetched: Fetched) -> MediaFacts:
    return MediaFacts(
        kind=manifest.media.kind,
        duration_s=manifest.media.duration_s,
        width=manifest.media.width,
        height=manifest.media.height,
        faces_seen=manifest.faces_seen,
        frames_analysed=sum(len(person.frames) for person in manifest.persons),
        coverage=manifest.share_seen,
        left_out=manifest.left_out,
        partial=manifest.partial,
        notes=(*manifest.notes, *_note(fetched)),
    )


def _note(fetched: Fetched) -> Iterator[str]:
    if fetched.part is not None:
        came = sum(last + 1 - first for first, last in fetched.part.ranges)
        yield f"only what its beginning needs was fetched: {came:,} of {fetched.part.size:,} bytes"


def _facts(content: Content, claim: Claim, spent: Spent) -> Fetched:
    if content.parts is None and spent.fetched is not None:
        return spent.fetched
    return content.facts(f"item {claim.item}")


def _in_room(tools: Resources, content: Content, claim: Claim) -> list[Clip | Manifest]:
    """Cut in the room, which may still ask for parts; where it was closed under us, say why."""
    spec = claim.campaign.options.spec
    try:
        with break_off.waiting():
            return list(tools.room.extract(content.file, spec, tools.limits, content.parts))
    except Exception:
        break_off.check()
        raise


def _letting_go(held: Heartbeat, ring: Ring) -> Ring:
    """Who rings for the next stage has ended this one: no look may miss the item meanwhile."""

    def let_go(claim: Claim) -> None:
        held.drop([claim.item])
        ring(claim)

    return let_go


@contextmanager
def _held(claim: Claim, tools: Resources) -> Iterator[Heartbeat]:
    def end() -> None:
        # In this order: closing the room waits for a part that is being fetched for it.
        if heartbeat.lost:
            break_off.lose()
        break_off()
        tools.room.close()

    heartbeat = Heartbeat(
        tools.ledger,
        every_s=tools.settings.heartbeat_s,
        lease_s=tools.settings.lease_s,
        drain=drain,
        on_end=end,
    )
    heartbeat.hold([claim])
    break_off.begin()
    with heartbeat:
        yield heartbeat
