"""One task per item, full batches for the model.

task ──id──▶ collect: claim in bulk, load clips ahead ──▶ model thread: score, judge, commit
  ▲                                                                          │
  └───────────────── its own future, when its own result is committed ◀──────┘
"""

import contextlib
import dataclasses
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import redis
from celery.exceptions import Retry

from infra.objects import Corrupt
from infra.resources import Resources
from schemas.records import Claim, Classified
from schemas.stages import Stage
from tasks.drain import Stopping, drain
from tasks.evidence import Judged, Spot, Warm, Where, store_evidence, warm_faces
from tasks.fault import cut_anew, failed
from tasks.fill import Fill
from tasks.heartbeat import Heartbeat
from tasks.load import Loaded, load
from tasks.models import Serves, Unfit, UnknownModel
from tasks.say import DUPLICATE, STALE, again, said
from tasks.scored import Scored, clips_of, known_scores, of_person, unscored
from tasks.ticker import ticker
from tasks.visits import our_store, tell_trouble
from unmask.errors import Refused, TryAgain, UnmaskError
from unmask.judgement import Judgement
from unmask.media import BadManifest
from unmask.model.memory import DeviceLost
from unmask.verdict import Verdict, WindowScore, judge
from unmask.wording import percent

log = logging.getLogger(__name__)

#: How long the first of a batch waits for company.
LINGER_S = 0.02
#: Clips of one batch are read and decoded by this many threads.
LOADERS = 4
#: Beyond the deadline, which is checked between the model's steps, a step itself may take so long.
STUCK_AFTER_S = 30.0
#: A campaign whose model is not here waits this long for a worker that has it.
NO_MODEL_S = 30.0
#: A worker that can't use a model it has takes nothing for so long: failing is quicker than
#: scoring, and it would else take the whole queue from those who can.
REST_S = 5.0
#: Damaged in the store, written by another release, or no pictures from the first.
BAD_CLIPS = (Corrupt, BadManifest, Refused)
#: What the history of an item says that was given back because of it.
DEVICE_LOST = "the device was lost"


class OutOfTime(RuntimeError):
    """The batch was not scored within its deadline."""


class _Answer(Future[str]):
    """Given once: what a broken worker still finds out comes too late."""

    def set_result(self, result: str) -> None:
        with contextlib.suppress(InvalidStateError):
            super().set_result(result)

    def set_exception(self, exception: BaseException | None) -> None:
        with contextlib.suppress(InvalidStateError):
            super().set_exception(exception)


@dataclass(frozen=True)
class _Asked:
    item: int
    answer: Future[str] = field(default_factory=_Answer)


@dataclass(frozen=True)
class _Ready:
    loaded: Loaded
    answer: Future[str]


@dataclass(frozen=True)
class _Cost:
    gpu_seconds: float
    cpu_seconds: float

    def share(self, part: float) -> "_Cost":
        return _Cost(self.gpu_seconds * part, self.cpu_seconds * part)


class Batcher:
    """Claims, loads and scores for all the tasks of a process."""

    def __init__(self, tools: Resources, models: Serves, on_broken: Callable[[], None]) -> None:
        self._tools, self._models, self._on_broken = tools, models, on_broken
        self._asked: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        # One batch is scored while the next one is loaded; more would only hold leases.
        self._ready: queue.Queue[list[_Ready]] = queue.Queue(maxsize=1)
        #: Set while the model is asked.
        self._scoring = threading.Event()
        #: Items that this process holds; what was lost before waits until there is none.
        self._held: dict[int, Claim] = {}
        self._nothing_held = threading.Condition()
        #: From then on this process holds nothing.
        self._device_lost = False
        #: A model that can't be used here is left to others: they take what is offered meanwhile.
        self._rest_until, self._resting = 0.0, threading.Event()
        #: What tasks are waiting for: a broken batcher answers them, or the worker never stops.
        self._open: set[Future[str]] = set()
        self._loaders = ThreadPoolExecutor(LOADERS, thread_name_prefix="load")
        self._heartbeat = Heartbeat(
            tools.ledger,
            every_s=tools.settings.heartbeat_s,
            lease_s=tools.settings.lease_s,
            drain=drain,
        )
        self._watch = 0
        #: Why it can't go on; empty while it can.
        self._broken = ""
        address = tools.settings.redis_url.get_secret_value()
        self._fill = Fill(lambda: redis.Redis.from_url(address), tools.owner)
        #: When the model thread last took or finished something: what a health check reads.
        self.beat = time.monotonic()

    def start(self) -> None:
        self._heartbeat.__enter__()
        self._watch = ticker.add(self._break_if_stuck)
        self._fill.start()
        for first, work in ((_nothing, self._collect), (self._warm_up, self._score)):
            threading.Thread(target=self._forever, args=(first, work), daemon=True).start()

    def stop(self) -> None:
        """For tests: a worker's own batcher lives as long as its process."""
        self._heartbeat.__exit__(None, None, None)
        ticker.remove(self._watch)
        self._resting.set()
        self._fill.stop()
        self._loaders.shutdown(wait=False, cancel_futures=True)

    @property
    def open_items(self) -> int:
        """How many tasks wait for an answer."""
        return len(self._open)

    def submit(self, item: int) -> Future[str]:
        asked = _Asked(item)
        self._open.add(asked.answer)
        asked.answer.add_done_callback(self._open.discard)
        if self._broken:
            self._answer_all()
        else:
            self._asked.put(asked)
        return asked.answer

    def _forever(self, first: Callable[[], None], work: Callable[[], None]) -> None:
        """A thread that ended in silence would hang every task after it."""
        try:
            first()
            while True:
                work()
        except DeviceLost:
            log.exception("%s; the worker stops and gives its items back", DEVICE_LOST)
            try:
                self._give_all_back()
            finally:
                self._break(DEVICE_LOST)
            raise
        except BaseException:
            log.exception("the batcher broke; the worker stops and its items are offered again")
            self._break("the worker broke")
            raise

    def _break_if_stuck(self) -> None:
        """In the ticker's thread. If the model never comes back, only a new process helps.

        By then its items ran past their deadline in company: each runs alone next.
        """
        limit_s = self._tools.settings.classify_deadline_s + STUCK_AFTER_S
        stuck = self._scoring.is_set() and time.monotonic() >= self.beat + limit_s
        if stuck and not self._broken:
            log.error("the model has not come back for %.0f s; the worker stops", limit_s)
            self._break("the model never came back")

    def _break(self, why: str) -> None:
        self._broken = why
        self._answer_all()
        self._on_broken()

    def _answer_all(self) -> None:
        """Tasks begin until the worker has stopped, and it stops when the last one is answered."""
        for answer in list(self._open):
            answer.set_exception(again(Stage.EXTRACTED, self._broken))

    # Collecting: ids → claims → clips.

    def _collect(self) -> None:
        asked: dict[int, _Asked] = {}
        for one in self._gather():
            if asked.setdefault(one.item, one) is not one:
                one.answer.set_result(DUPLICATE)
        try:
            claims = self._claim(list(asked))
            self._hold(claims)
        except TryAgain as trouble:
            for one in asked.values():
                one.answer.set_exception(again(Stage.EXTRACTED, trouble.reason))
            return
        self._load(self._not_judged_yet(claims, asked), asked)
        taken = {claim.item for claim in claims}
        self._see_to([one for item, one in asked.items() if item not in taken])

    def _see_to(self, left: Sequence[_Asked]) -> None:
        """What could not be claimed in company: duplicates, and what was lost before."""
        items = [one.item for one in left]
        try:
            alone = self._tools.ledger.run_alone(items, Stage.EXTRACTED) if left else set()
        except TryAgain as trouble:
            for one in left:
                one.answer.set_exception(again(Stage.EXTRACTED, trouble.reason))
            return
        for one in left:
            if one.item in alone:
                self._run_alone(one)
            else:
                one.answer.set_result(DUPLICATE)

    def _not_judged_yet(self, claims: Sequence[Claim], asked: Mapping[int, _Asked]) -> list[Claim]:
        """Content that the same model judged meanwhile needs no second look."""
        ledger = self._tools.ledger
        elsewhere: dict[int, int] = {}
        with contextlib.suppress(TryAgain):  # not to know costs only time
            elsewhere = ledger.judged_elsewhere(claims)
        for claim in claims:
            if claim.item in elsewhere:
                answer = asked[claim.item].answer
                with self._settling(claim, answer):
                    stage = ledger.inherit(claim, None, elsewhere[claim.item])
                    self._drop([claim.item])
                    same = f"same content as item {elsewhere[claim.item]}"
                    answer.set_result(same if stage else STALE)
        return [claim for claim in claims if claim.item not in elsewhere]

    def _load(self, claims: Sequence[Claim], asked: Mapping[int, _Asked]) -> None:
        loads = [(claim, self._loaders.submit(load, claim, self._tools.store)) for claim in claims]
        ready = []
        for claim, loading in loads:
            answer = asked[claim.item].answer
            with self._settling(claim, answer):
                ready.append(_Ready(loading.result(), answer))
        for batch in parted(ready):
            self._ready.put(batch)

    def _run_alone(self, one: _Asked) -> None:
        """It was lost before: should it end this process too, nobody else is in it."""
        with self._nothing_held:
            self._nothing_held.wait_for(lambda: not self._held)
        try:
            claim = self._tools.ledger.claim(
                one.item,
                Stage.EXTRACTED,
                owner=self._tools.owner,
                lease_s=self._tools.settings.lease_s,
            )
            self._hold([claim] if claim else [])
        except TryAgain as trouble:
            one.answer.set_exception(again(Stage.EXTRACTED, trouble.reason))
            return
        if claim is None:
            one.answer.set_result(DUPLICATE)
            return
        self._load([claim], {one.item: one})
        wait([one.answer])

    def _hold(self, claims: Sequence[Claim]) -> None:
        """What was claimed while the device was lost goes back as the rest did."""
        with self._nothing_held:
            if not self._device_lost:
                self._held |= {claim.item: claim for claim in claims}
                self._heartbeat.hold(claims)
                return
        self._tools.ledger.release_many(claims, DEVICE_LOST)
        raise TryAgain(DEVICE_LOST)

    def _drop(self, items: Sequence[int]) -> None:
        self._heartbeat.drop(items)
        with self._nothing_held:
            for item in items:
                self._held.pop(item, None)
            self._nothing_held.notify_all()

    def _gather(self) -> list[_Asked]:
        asked = [self._asked.get()]
        self._resting.wait(max(0.0, self._rest_until - time.monotonic()))
        until = time.monotonic() + LINGER_S
        with contextlib.suppress(queue.Empty):
            while len(asked) < self._tools.settings.gpu_items:
                asked.append(self._asked.get(timeout=max(0.0, until - time.monotonic())))
        return asked

    def _claim(self, items: Sequence[int]) -> list[Claim]:
        return self._tools.ledger.claim_many(
            items,
            Stage.EXTRACTED,
            owner=self._tools.owner,
            lease_s=self._tools.settings.lease_s,
        )

    # Scoring: clips → verdicts → rows.

    def _warm_up(self) -> None:
        """Before the first item, in the thread that will use them: what running campaigns pin."""
        pinned = self._pinned()
        with self._asking():
            self._models.warm_up(pinned)

    def _pinned(self) -> list[str]:
        """By the newest campaign first. A ledger that is away stops no worker from starting."""
        try:
            campaigns = self._tools.ledger.campaigns()
        except UnmaskError as trouble:
            log.warning("started without knowing which models are in use: %s", trouble)
            return []
        except Exception:  # who claims an item meets it again
            log.exception("started without knowing which models are in use")
            return []
        running = [each for each in reversed(campaigns) if each.state == "running"]
        return [each.options.model_digest for each in running]

    def _score(self) -> None:
        batch = self._ready.get()
        self.beat = time.monotonic()
        try:
            self._score_batch(batch)
        except DeviceLost:
            raise
        except Unfit as unfit:
            self._leave_to_others(batch, unfit)
        except Exception:
            if len(batch) > 1:
                # Whose fault it was shows when each is scored alone.
                log.exception("a batch of %d failed; each is scored alone", len(batch))
            for one in batch:
                with self._settling(one.loaded.claim, one.answer):
                    self._score_batch([one])
        finally:
            self.beat = time.monotonic()

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """The model. The ledger has a patience of its own: who waits for it is not stuck."""
        self.beat = time.monotonic()
        self._scoring.set()
        try:
            yield
        finally:
            self._scoring.clear()

    def _score_batch(self, batch: Sequence[_Ready]) -> None:
        drain.check()
        options = batch[0].loaded.claim.campaign.options
        predictor = self._models.predictor(options.model_digest)
        until = time.monotonic() + self._tools.settings.classify_deadline_s
        wall, cpu = time.monotonic(), time.process_time()
        found = known_scores(self._tools.ledger, [one.loaded for one in batch])
        fresh = unscored([one.loaded for one in batch], found)
        with self._asking():
            made = predictor.score(list(fresh.values()), deadline=lambda: _check(until))
        found |= {clip: tuple(row) for clip, row in zip(fresh, made, strict=True)}
        rows = iter([of_person(found, *each) for one in batch for each in clips_of(one.loaded)])
        judged = [_judged(one.loaded, rows, predictor.bundle.judgement) for one in batch]
        with self._asking():
            warm = warm_faces(predictor, judged, lambda: _check(until))
        busy_s = time.monotonic() - wall
        spent = _cost(predictor.device, busy_s, time.process_time() - cpu)
        self._fill.add(items=len(batch), busy_s=busy_s)
        self._commit(batch, judged, warm, spent, found)

    def _commit(
        self,
        batch: Sequence[_Ready],
        judged: Sequence[Judged],
        warm: Sequence[Mapping[Spot, Warm]],
        spent: _Cost,
        scores: Scored,
    ) -> None:
        frames = sum(each.loaded.frames for each in judged)
        done = [
            (
                each.loaded.claim,
                dataclasses.replace(
                    self._classified(each, hot, spent.share(each.loaded.frames / frames)),
                    scores={clip: scores[clip] for clip, _ in clips_of(each.loaded)},
                ),
            )
            for each, hot in zip(judged, warm, strict=True)
        ]
        items = [claim.item for claim, _ in done]
        self._heartbeat.drop(items)  # else a look between their end and the next line misses them
        try:
            kept = self._tools.ledger.finish(done)
        except Exception:  # each is scored again, and may wait long for its turn
            self._heartbeat.hold([claim for claim, _ in done])
            raise
        self._drop(items)
        for one, each in zip(batch, judged, strict=True):
            item = one.loaded.claim.item
            one.answer.set_result(_words(each.verdict) if item in kept else STALE)

    def _classified(self, judged: Judged, warm: Mapping[Spot, Warm], spent: _Cost) -> Classified:
        claim = judged.loaded.claim
        assert claim.extraction is not None  # a claim for classification always has one
        where = Where(
            sha256=claim.extraction.sha256,
            spec_digest=claim.extraction.spec_digest,
            model_digest=claim.campaign.options.model_digest,
        )
        with our_store():
            shown, evidence = store_evidence(self._tools.store, judged, warm, where)
        return Classified(
            verdict=shown,
            evidence=evidence,
            gpu_seconds=spent.gpu_seconds,
            cpu_seconds=spent.cpu_seconds,
        )

    # Ends that are not verdicts.

    @contextlib.contextmanager
    def _settling(self, claim: Claim, answer: Future[str]) -> Iterator[None]:
        try:
            yield
        except DeviceLost:
            raise
        except UnmaskError as error:
            self._settle(claim, answer, error)
        except Exception as error:  # the outermost edge of one item
            log.exception("item %d failed", claim.item)
            self._settle(claim, answer, error)

    def _settle(self, claim: Claim, answer: Future[str], error: Exception) -> None:
        try:
            self._end(claim, answer, error)
        except UnmaskError as trouble:
            # Not even that could be written: the lease gives the item back.
            answer.set_exception(again(Stage.EXTRACTED, f"{error}; then: {trouble}"))

    def _end(self, claim: Claim, answer: Future[str], error: Exception) -> None:
        """What the ledger does with an item that could not be scored, and what its task says."""
        ledger = self._tools.ledger
        self._drop([claim.item])
        match error:
            case Stopping() | TryAgain():
                tell_trouble(self._tools, error)
                ledger.release(claim, error.reason, after_s=error.after_s or 0.0)
                answer.set_exception(again(Stage.EXTRACTED, error.reason))
            case UnknownModel():
                ledger.release(claim, str(error), after_s=NO_MODEL_S)
                answer.set_exception(again(Stage.EXTRACTED, str(error), NO_MODEL_S))
            case Unfit():
                ledger.unserved(claim, str(error), after_s=REST_S)
                answer.set_exception(again(Stage.EXTRACTED, str(error), REST_S))
            case _:
                settle = cut_anew if isinstance(error, BAD_CLIPS) else failed
                try:
                    answer.set_result(settle(ledger, claim, error))
                except Retry as another:
                    answer.set_exception(another)

    def _leave_to_others(self, batch: Sequence[_Ready], unfit: Unfit) -> None:
        log.error("this worker rests for %.0f s: %s", REST_S, unfit)
        self._rest_until = time.monotonic() + REST_S
        for one in batch:
            self._settle(one.loaded.claim, one.answer, unfit)

    def _give_all_back(self) -> None:
        """At no charge: what is scored, what waits for it, and what is being loaded."""
        with self._nothing_held:
            self._device_lost = True
            claims = list(self._held.values())
        self._tools.ledger.release_many(claims, DEVICE_LOST)
        self._drop([claim.item for claim in claims])


def _nothing() -> None:
    """There is nothing to do first."""


def parted(ready: Sequence[_Ready]) -> list[list[_Ready]]:
    """Batches of one model; from its second attempt an item runs alone."""
    alone = [[one] for one in ready if one.loaded.claim.attempt > 1]
    together: dict[str, list[_Ready]] = {}
    for one in ready:
        if one.loaded.claim.attempt == 1:
            together.setdefault(one.loaded.claim.campaign.options.model_digest, []).append(one)
    return [*together.values(), *alone]


def _judged(loaded: Loaded, rows: Iterator[list[WindowScore]], judgement: Judgement) -> Judged:
    """The next rows of the batch are this item's."""
    scores = [next(rows) for _ in loaded.persons]
    verdict = judge([score for own in scores for score in own], judgement)
    return Judged(loaded=loaded, scores=scores, verdict=verdict)


def _check(until: float) -> None:
    drain.check()
    if time.monotonic() > until:
        raise OutOfTime("the batch was not scored within its deadline")


def _cost(device: str, wall_s: float, cpu_s: float) -> _Cost:
    """On a GPU its time is what counts; on the CPU there is only CPU time."""
    return _Cost(0.0, cpu_s) if device == "cpu" else _Cost(wall_s, cpu_s)


def _words(verdict: Verdict) -> str:
    likely = "" if verdict.probability is None else f" {percent(verdict.probability)}"
    return said(verdict.outcome) + likely + (f" ({verdict.reason})" if verdict.reason else "")
