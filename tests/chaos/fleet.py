"""The real processes of a fleet, and a test's hand on them."""

import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

import settings
from infra.ledger import Ledger
from producer.local.child import Child
from schemas.records import Campaign, CampaignOptions, NewItem, Trust
from schemas.stages import ENDS
from tests.chaos import points
from tests.chaos.redis_process import RedisProcess
from unmask.model.shelf import find_bundle

ROOT = Path(__file__).resolve().parents[2]
CAMPAIGN = "chaos"
#: A busy machine with two cores still ends a campaign within this.
ENDS_WITHIN_S = 240.0
GLANCE_S = 0.1
#: Short lives, in the order that the settings ask for.
SHORT: Mapping[str, str] = {
    "UNMASK_LEASE_S": "10",
    "UNMASK_HEARTBEAT_S": "2",
    "UNMASK_OFFER_LEASE_S": "10",
    "UNMASK_SWEEP_EVERY_S": "0.2",
    "UNMASK_DOWNLOAD_DEADLINE_S": "9",
    "UNMASK_DECODE_DEADLINE_S": "9",
    "UNMASK_EXTRACT_SOFT_LIMIT_S": "15",
    "UNMASK_EXTRACT_HARD_LIMIT_S": "18",
    "UNMASK_CLASSIFY_DEADLINE_S": "15",
    "UNMASK_VISIBILITY_TIMEOUT_S": "20",
    "UNMASK_DRAIN_S": "5",
    "UNMASK_CPU_PROCESSES": "2",
    "UNMASK_WINDOW_ITEMS": "100",
    "UNMASK_HOST_REST_S": "1",
}
#: One machine's workers need no neighbours.
ALONE = ("--without-mingle", "--without-gossip")


@dataclass
class Fleet:
    folder: Path
    ledger: Ledger
    database_url: str
    redis: RedisProcess
    store_url: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    #: Main processes that are expected to die; they are started again.
    mortal: set[str] = field(default_factory=set)
    limits: Mapping[str, str] = field(default_factory=lambda: SHORT)
    #: Main processes that died although nobody expected it, or did not stop when told to.
    fallen: list[str] = field(default_factory=list)

    @property
    def memory(self) -> Path:
        return self.folder / "memory"

    @property
    def store(self) -> str:
        return self.store_url or str(self.folder / "objects")

    @property
    def visibility_timeout_s(self) -> float:
        return float({**self.limits, **self.extra}["UNMASK_VISIBILITY_TIMEOUT_S"])

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("UNMASK_")}
        ours = {
            "UNMASK_REDIS_URL": self.redis.url,
            "UNMASK_DATABASE_URL": self.database_url,
            "UNMASK_STORE_URL": self.store,
            "PYTHONPATH": str(ROOT),
            "TEST_MARKER": str(self.folder),
            points.MEMORY: str(self.memory),
        }
        return {**kept, **ours, **self.limits, **self.extra, **extra}

    # Processes

    def start(self, *kinds: str, **extra: str) -> None:
        """`sweep`, `cpu`, `gpu`; a second one of a kind is `cpu-2`."""
        for name in kinds:
            kind = name.partition("-")[0]
            command = [sys.executable, "-m", "tests.chaos.run", kind]
            if kind != "sweep":
                command += [*ALONE, "-n", f"{name}@chaos"]
            self.add(name, command, **extra)

    def add(self, name: str, command: list[str], **extra: str) -> None:
        self.memory.mkdir(exist_ok=True)
        child = Child(name, command, environment=self.environment(extra), logs=self.folder)
        child.start()
        self.children[name] = child

    def tend(self) -> None:
        """Restart who was expected to die; remember who was not."""
        for name, child in self.children.items():
            if (status := child.ended) is None:
                continue
            if name not in self.mortal:
                self.fallen.append(f"{name} ended with status {status}:\n{child.tail()}")
            child.start()

    def stop(self, *names: str, within_s: float = 15.0) -> None:
        """As an operator stops them: SIGTERM, and a bound; who had to be killed has fallen."""
        chosen = [self.children.pop(name) for name in names or list(self.children)]
        alive = [child for child in chosen if child.ended is None]
        for child in chosen:
            child.ask_to_stop()
        until = time.monotonic() + within_s
        for child in chosen:
            child.wait(until)
            if child in alive and child.ended == -signal.SIGKILL:
                words = f"{child.name} did not stop within {within_s:g} s"
                self.fallen.append(f"{words}:\n{child.tail()}")

    def wait(self, seconds: float) -> None:
        """A fault lasts so long; the fleet is looked after meanwhile."""
        until = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= until, seconds + 30.0)

    def kill(self, name: str) -> None:
        """The main process; its pool goes with it."""
        for child in [*self.pool(name), self.process(name)]:
            child.kill()

    def process(self, name: str) -> psutil.Process:
        return psutil.Process(self.children[name].pid)

    def pool(self, name: str) -> list[psutil.Process]:
        return list(self.process(name).children())

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    # Items

    def campaign(self, name: str = CAMPAIGN, **pinned: Any) -> Campaign:
        bundle = find_bundle("lite")
        return self.ledger.open_campaign(
            CampaignOptions(
                name=name,
                model=bundle.name,
                model_digest=bundle.digest,
                **{"spec": bundle.spec} | pinned,
            )
        )

    def submit(self, uris: Iterable[str], name: str = CAMPAIGN, **pinned: Any) -> int:
        items = (NewItem(uri=uri, trust=Trust.REMOTE) for uri in uris)
        return self.ledger.submit(self.campaign(name, **pinned), items).new

    def ended(self, name: str = CAMPAIGN) -> int:
        stages = self.ledger.status(name).stages
        return sum(stages.get(end, 0) for end in ENDS)

    def left(self, name: str = CAMPAIGN) -> int:
        stages = self.ledger.status(name).stages
        return sum(count for stage, count in stages.items() if stage not in ENDS)

    def until_ended(self, name: str = CAMPAIGN, within_s: float = ENDS_WITHIN_S) -> None:
        self.until(lambda: not self.left(name), within_s, lambda: self.report(name))

    def until_some_ended(self, count: int, name: str = CAMPAIGN) -> None:
        self.until(lambda: self.ended(name) >= count, ENDS_WITHIN_S, lambda: self.report(name))

    def until(
        self,
        condition: Callable[[], bool],
        within_s: float = 60.0,
        told: Callable[[], str] = lambda: "it did not come true",
    ) -> float:
        """Seconds until it came true; the fleet is looked after meanwhile."""
        begun = time.monotonic()
        while not condition():
            assert time.monotonic() < begun + within_s, told()
            self.tend()
            time.sleep(GLANCE_S)
        return time.monotonic() - begun

    def report(self, name: str = CAMPAIGN) -> str:
        tails = "\n".join(f"--- {child.log}\n{child.tail()}" for child in self.children.values())
        return f"not ended: {dict(self.ledger.status(name).stages)}\n{tails}"

    def let_go(self, name: str) -> None:
        (self.memory / f"{name}.go").touch()

    def is_held(self, name: str) -> bool:
        return (self.memory / f"{name}.here").exists()

    def close(self) -> None:
        try:
            self.stop(within_s=3.0)
        finally:
            for process in descendants(str(self.folder)):
                process.kill()


def descendants(marker: str) -> Collection[psutil.Process]:
    """Whoever carries the mark of this fleet in its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TEST_MARKER") == marker and process.pid != os.getpid():
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def freeze(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        process.send_signal(signal.SIGSTOP)


def thaw(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        process.send_signal(signal.SIGCONT)


def settings_of(fleet: Fleet) -> settings.Settings:
    """What a process of the fleet reads, for a look from outside."""
    names = [name for name in fleet.environment({}) if name.startswith(settings.PREFIX)]
    given = fleet.environment({})
    return settings.load(**{name[len(settings.PREFIX) :].lower(): given[name] for name in names})
