"""The ledger: every item's truth in SQL. Each method is one transaction, or says otherwise."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine

from infra.ledger import (
    campaigns,
    claims,
    ends,
    erasure,
    extractions,
    failures,
    gate,
    given_up,
    leader,
    metering,
    offer,
    places,
    reading,
    recall,
    rescan,
    retention,
    scores,
    status,
    submit,
    trouble,
)
from infra.ledger.faults import told_apart
from infra.ledger.policy import Policy
from infra.ledger.sqlite import READING
from schemas.records import (
    Answer,
    Campaign,
    CampaignOptions,
    CampaignStatus,
    Changed,
    Claim,
    Classified,
    Erased,
    Extracted,
    Extraction,
    Failure,
    Fetched,
    Happened,
    Happening,
    Known,
    Led,
    Moved,
    NewItem,
    Offer,
    Passed,
    Rejected,
    RescanPlan,
    Resting,
    ResultRow,
    Submitted,
    Swept,
    Taken,
    Tallied,
)
from schemas.stages import CLAIMS, Stage
from unmask.outcomes import Outcome
from unmask.verdict import WindowScore

BatchStep = Callable[[Connection], int]


class Ledger:
    """Raises `TryAgain` where the database is away, `Unusable` where the caller is wrong."""

    def __init__(self, engine: Engine, *, policy: Policy | None = None) -> None:
        self.engine = engine
        self.policy = policy or Policy()
        options = (
            {READING: True}
            if engine.dialect.name == "sqlite"
            else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        self._reader = engine.execution_options(**options)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with told_apart(), self.engine.begin() as db:
            yield db

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with told_apart(), self._reader.begin() as db:
            yield db

    def _hand_in(self, claim: Claim, act: claims.Act) -> Stage | None:
        with self._write() as db:
            return claims.hand_in(db, claim, act)

    # Campaigns

    def open_campaign(self, options: CampaignOptions) -> Campaign:
        """Create it, or return the one of that name if it pins the same options."""
        with self._write() as db:
            return campaigns.open_campaign(db, options)

    def campaign(self, name: str) -> Campaign:
        with self._read() as db:
            return campaigns.campaign(db, name)

    def campaigns(self) -> list[Campaign]:
        with self._read() as db:
            return campaigns.campaigns(db)

    def pause(self, name: str, reason: str) -> None:
        with self._write() as db:
            campaigns.pause(db, name, reason)

    def resume(self, name: str) -> None:
        with self._write() as db:
            campaigns.resume(db, name)

    def cancel(self, name: str) -> int:
        """How many items were taken back. In batches; once begun, nothing more is claimed."""
        with self._write() as db:
            campaign = campaigns.campaign(db, name)
            campaigns.alone(db, campaign.id)
            if recall.is_finished(db, campaign):
                return 0
            campaigns.cancel(db, campaign)
        return sum(self._take_back(campaign, stage) for stage in recall.UNFINISHED)

    def _take_back(self, campaign: Campaign, stage: Stage) -> int:
        after = recall.FIRST

        def step(db: Connection) -> int:
            nonlocal after
            count, after = recall.cancel(db, campaign, stage, after)
            return count

        return self._batches(step)

    def requeue(self, name: str, outcomes: Collection[Outcome]) -> int:
        """How many ended items were sent on their way again. In batches."""
        campaign = self.campaign(name)
        campaigns.refuse_cancelled(campaign)
        with self._read() as db:
            begun = recall.begin(db)
        return sum(self._again(campaign, outcome, begun) for outcome in sorted(outcomes))

    def _again(self, campaign: Campaign, outcome: Outcome, begun: datetime) -> int:
        return self._batches(lambda db: recall.requeue(db, campaign, outcome, begun))

    def _batches(self, step: BatchStep) -> int:
        total = 0
        while True:
            with self._write() as db:
                count = step(db)
            total += count
            if not count:
                return total

    def submit(self, campaign: Campaign, items: Iterable[NewItem]) -> Submitted:
        """Insert each once. One transaction per chunk: stopped half-way, run it again."""
        new = total = 0
        for number, chunk in enumerate(submit.chunks(items), 1):
            with self._write() as db:
                new += submit.insert(db, campaign.id, chunk)
                if submit.changes_plans(number, len(chunk)):
                    submit.gather_statistics(db)
            total += len(chunk)
        return Submitted(new=new, known=total - new)

    # The window and the claims

    def offer(self, *, window: int, lease_s: float) -> list[Offer]:
        """Put items into the window until it is full; the caller sends them to their queues."""
        with self._write() as db:
            return offer.offer(db, self.policy.politeness, window=window, lease_s=lease_s)

    def offered(self) -> dict[Stage, int]:
        """How many offers nobody has taken yet."""
        with self._read() as db:
            return {stage: sum(offer.outstanding(db, stage).values()) for stage in CLAIMS}

    def in_hand(self, stage: Stage) -> int:
        """How many items workers hold in this stage."""
        with self._read() as db:
            return claims.in_hand(db, stage)

    def forget_offers(self) -> None:
        """Redis lost its messages: everything on offer may be offered again at once."""
        with self._write() as db:
            trouble.forget_offers(db)

    def extend_offers(self, stage: Stage, *, lease_s: float) -> int:
        with self._write() as db:
            return offer.extend(db, stage, lease_s=lease_s)

    def claim(
        self,
        item: int,
        stage: Stage,
        *,
        owner: str,
        lease_s: float,
        deadline_s: float | None = None,
    ) -> Claim | None:
        """For a worker that holds nothing else. None: a duplicate, cancelled, paused, not due."""
        taken = self.claim_many(
            [item], stage, owner=owner, lease_s=lease_s, deadline_s=deadline_s, company=False
        )
        return taken[0] if taken else None

    def claim_many(
        self,
        items: Sequence[int],
        stage: Stage,
        *,
        owner: str,
        lease_s: float,
        deadline_s: float | None = None,
        company: bool = True,
    ) -> list[Claim]:
        """For a worker that may hold others too: what was lost before is left to `claim`."""
        limit_s = deadline_s or self.policy.deadline_s(stage)
        terms = claims.Terms(owner=owner, lease_s=lease_s, deadline_s=limit_s, company=company)
        with self._write() as db:
            return claims.claim(db, items, stage, terms)

    def run_alone(self, items: Collection[int], stage: Stage) -> set[int]:
        """Which of these were lost before and are still to be done: `claim` them one by one."""
        with self._read() as db:
            return claims.run_alone(db, items, stage)

    def renew(self, held: Sequence[Claim], *, lease_s: float) -> set[int]:
        """The items that are still held."""
        with self._write() as db:
            return claims.renew(db, held, lease_s=lease_s)

    def release(self, claim: Claim, reason: str, *, after_s: float = 0.0) -> bool:
        """Give it back without charging an attempt."""
        with self._write() as db:
            return bool(claims.release(db, [claim], reason, after_s=after_s))

    def release_many(self, held: Sequence[Claim], reason: str) -> set[int]:
        """Several at once, at no charge; those that were still held."""
        with self._write() as db:
            return claims.release(db, held, reason)

    # What workers hand in; None: the claim was lost, and nothing was changed

    def known(self, sha256: str, spec_digest: str, model_digest: str) -> Known:
        with self._read() as db:
            return extractions.known(db, sha256, spec_digest, model_digest)

    def extracted(self, claim: Claim, done: Extracted) -> Stage | None:
        wait = self.policy.hand_over_s
        return self._hand_in(
            claim,
            lambda db, row: ends.extracted(db, row, claim.campaign, done, hand_over_s=wait),
        )

    def reuse(
        self, claim: Claim, fetched: Fetched, extraction: Extraction, *, cpu_seconds: float
    ) -> Stage | None:
        """The same content was cut before: its clips, or its outcome, are this item's too."""
        hand_over_s = self.policy.hand_over_s
        came = ends.Came(fetched=fetched, cpu_seconds=cpu_seconds, hand_over_s=hand_over_s)
        return self._hand_in(
            claim, lambda db, row: ends.reuse(db, row, claim.campaign, extraction, came)
        )

    def inherit(self, claim: Claim, fetched: Fetched | None, from_item: int) -> Stage | None:
        """The verdict of another item of the same content."""
        return self._hand_in(
            claim, lambda db, row: ends.inherit(db, row, claim.campaign, fetched, from_item)
        )

    def reject(self, done: Sequence[Rejected]) -> set[int]:
        """The items whose rejection is now committed."""
        with self._write() as db:
            return ends.reject(db, done)

    def finish(self, done: Sequence[tuple[Claim, Classified]]) -> set[int]:
        """The items whose result is now committed."""
        with self._write() as db:
            return ends.finish(db, done)

    def judged_elsewhere(self, held: Sequence[Claim]) -> dict[int, int]:
        """Items of content that the same model judged meanwhile, and which item to inherit from."""
        with self._read() as db:
            return extractions.judged_elsewhere(db, held)

    def scores(self, model_digest: str, clips: Sequence[str]) -> dict[str, tuple[WindowScore, ...]]:
        """What the model said of these clips before."""
        with self._read() as db:
            return scores.known(db, model_digest, clips)

    # Once more, by another model

    def rescan_plan(self, name: str, options: CampaignOptions) -> RescanPlan:
        """What a rescan of this campaign under these options would do, and what it cost before."""
        with self._read() as db:
            begun = campaigns.known(db, options.name)
            if begun is not None:
                campaigns.refuse_another(begun, options)
            return rescan.plan(db, campaigns.campaign(db, name), options.spec.digest)

    def rescan(self, name: str, campaign: Campaign, *, fetch: bool = True) -> Submitted:
        """Take its answered items over; those with fitting clips start `extracted`. In batches."""
        source, total, after = self.campaign(name), Submitted(new=0, known=0), 0
        while True:
            with self._write() as db:
                took = rescan.take_over(db, source, campaign, after, fetch=fetch)
            if took is None:
                return total
            counts, after = took
            total = Submitted(new=total.new + counts.new, known=total.known + counts.known)

    def changes(self, before: str, name: str) -> Iterator[Changed]:
        """Items with another outcome than in the campaign before; read page by page."""
        old, campaign, after = self.campaign(before), self.campaign(name), 0
        while True:
            with self._read() as db:
                found = rescan.changed(db, old, campaign, after, reading.PAGE)
            yield from found
            if len(found) < reading.PAGE:
                return
            after = found[-1].before

    # What is kept, and what goes

    def expire(self) -> int:
        """Doom the objects that nobody needs any more. In batches."""
        return self._batches(retention.expire)

    def doomed(self, limit: int) -> list[str]:
        """Keys of objects that are to be deleted; who means to do it takes them."""
        with self._read() as db:
            return retention.doomed(db, limit)

    def overdue(self) -> int:
        """Objects that are doomed for long and still there."""
        with self._read() as db:
            return retention.overdue(db)

    def doom_unknown(self, keys: Sequence[str], why: str = retention.UNREFERENCED) -> list[str]:
        """Those of these stored objects that nothing points at."""
        with self._write() as db:
            return retention.doom_unknown(db, keys, why)

    def take_doomed(self, limit: int) -> Taken:
        """Objects that the caller deletes within `retention.TAKEN_S`, or leaves."""
        with self._write() as db:
            return retention.take(db, limit)

    def take_these(self, keys: Sequence[str]) -> Taken:
        """Those of them that are to be deleted, for the same."""
        with self._write() as db:
            return retention.take(db, len(keys), keys)

    def gone(self, keys: Sequence[str], taken_at: float | None = None) -> None:
        """The store has deleted them: the results that named them say so."""
        with self._write() as db:
            retention.gone(db, keys, taken_at)
            retention.bury(db, self.policy.longest_held_s)

    def erase(self, item: int, person: int | None = None) -> Erased:
        """Every trace of an item, or of one person of it; the caller deletes the objects."""
        with self._write() as db:
            if person is None:
                return erasure.erase_item(db, item)
            return erasure.erase_person(db, item, person)

    # Trouble

    def led(self, claim: Claim, uri: str, *, at: str = "") -> Led:
        """The item's host, or the one that it was led `at`, redirects: may it be visited now?"""
        with self._write() as db:
            return gate.led(db, self.policy.politeness, claim, uri, at=at or claim.uri)

    def visited(
        self,
        claim: Claim,
        answer: Answer,
        reason: str = "",
        *,
        after_s: float | None = None,
        uri: str = "",
    ) -> None:
        """The connection to the item's host, or to `uri`, is closed; how that host did."""
        polite = self.policy.politeness
        with self._write() as db:
            places.visited(db, polite, claim, answer, reason, after_s=after_s, uri=uri)

    def store_trouble(self, reason: str, *, after_s: float | None = None) -> None:
        """Our own store is full or away: everything rests, so that nothing is fetched in vain."""
        with self._write() as db:
            places.store_trouble(db, self.policy.politeness, reason, after_s)

    def happened(self, name: str) -> dict[Happening, Happened]:
        with self._read() as db:
            return places.occurrences(db, campaigns.campaign(db, name).id)

    def resting(self) -> tuple[Resting, ...]:
        """Places that are left alone for a while, those that failed longest first."""
        with self._read() as db:
            return places.resting(db, self.policy.politeness)

    def resting_count(self) -> dict[str, int]:
        """All of them: `store` is none or one, `hosts` as many as there are."""
        with self._read() as db:
            return places.resting_count(db, self.policy.politeness)

    def retry_fetch(
        self, claim: Claim, reason: str, *, after_s: float | None = None
    ) -> Stage | None:
        """Later again, by a schedule of its own; `unreachable` when that is spent."""
        return self._hand_in(
            claim,
            lambda db, row: trouble.retry_fetch(
                db, self.policy, row, claim.campaign, reason, after_s=after_s
            ),
        )

    def fail(self, claim: Claim, error: str, *, log: str = "") -> Stage | None:
        """Our own fault: an attempt is charged; at the last one the item is dead."""
        return self._hand_in(
            claim,
            lambda db, row: trouble.fail(
                db, self.policy, row, claim.campaign, error=error, log=log
            ),
        )

    def recut(self, claim: Claim, reason: str, *, at_last: Outcome = Outcome.DEAD) -> Stage | None:
        """Stored clips are missing or no good: an attempt is charged, and they are cut anew."""
        seen = claim.extraction
        return self._hand_in(
            claim,
            lambda db, row: trouble.recut(
                db, self.policy, row, claim.campaign, reason, at_last=at_last, seen=seen
            ),
        )

    def unserved(self, claim: Claim, reason: str, *, after_s: float) -> Stage | None:
        """This worker can't use the item's model, though it has it: back without a charge."""
        return self._hand_in(
            claim,
            lambda db, row: trouble.unserved(db, row, claim.campaign, reason, after_s=after_s),
        )

    def release_all(self, reason: str) -> int:
        """For a start where no worker can be alive and Redis is empty: everything is free again."""
        with self._write() as db:
            trouble.forget_offers(db)
        return self._batches(lambda db: trouble.release_all(db, reason))

    def sweep(self) -> Swept:
        """Take back what silent workers held. In batches."""
        ends_: list[Stage] = []
        while True:
            with self._write() as db:
                batch = trouble.sweep(db, self.policy)
            ends_ += batch
            if len(batch) < trouble.BATCH:
                self._give_up()
                buried = ends_.count(Stage.DEAD)
                return Swept(returned=len(ends_) - buried, buried=buried)

    def _give_up(self) -> None:
        """What waits for hosts that are down for good ends, a batch at a time."""
        with self._write() as db:
            given_up.give_up(db, self.policy.politeness)

    def lead(self, name: str, owner: str, *, lease_s: float) -> bool:
        with self._write() as db:
            return leader.lead(db, name, owner, lease_s=lease_s)

    # Reading

    def leader(self, name: str) -> str | None:
        with self._read() as db:
            return leader.leader(db, name)

    def status(self, name: str) -> CampaignStatus:
        with self._read() as db:
            return status.status(db, name)

    def dead(self, name: str, *, limit: int | None = None) -> Iterator[Failure]:
        """Items that died by our own fault, the latest first, each with its log; page by page."""
        campaign, before, left = self.campaign(name), failures.LATEST, limit
        while left is None or left > 0:
            size = failures.PAGE if left is None else min(left, failures.PAGE)
            with self._read() as db:
                found, last = failures.page(db, campaign.id, Stage.DEAD, size, before)
            if last == before:
                return
            yield from found
            before, left = last, None if left is None else left - len(found)

    def under_way(self) -> Mapping[str, Mapping[Stage, int]]:
        """The running campaigns with items that have not ended, and how their items stand."""
        with self._read() as db:
            return metering.under_way(db)

    def tallies(self) -> list[Tallied]:
        """The counts of every campaign."""
        with self._read() as db:
            return metering.tallies(db)

    def last_move(self) -> int:
        """Where the history ends now."""
        with self._read() as db:
            return metering.last_move(db)

    def passed(self, after: int) -> tuple[list[Passed], int]:
        """A page of the history behind `after`, and where to go on from."""
        with self._read() as db:
            return metering.passed(db, after)

    def results(
        self, name: str, *, after: int = 0, limit: int | None = None
    ) -> Iterator[ResultRow]:
        """Row by row in the order of submission, from behind item `after`; read page by page."""
        campaign = self.campaign(name)
        left = limit
        while left is None or left > 0:
            size = reading.PAGE if left is None else min(left, reading.PAGE)
            with self._read() as db:
                rows = reading.page(db, campaign, after, size)
            yield from rows
            if len(rows) < size:
                return
            after = rows[-1].item
            left = None if left is None else left - size

    def history(self, item: int) -> list[Moved]:
        with self._read() as db:
            return reading.history(db, item)
