"""Test doubles behind the ports of the two stages, so that two thousand items are cheap.

They stand in for the network, the media library and the model: `Fetcher.fetch`, `Room.extract` and
`Models.predictor`. All else in a worker of this suite is the real thing.
"""

import collections
import ctypes
import dataclasses
import functools
import hashlib
import io
import itertools
import os
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from infra.download import Content, Follow, NotInParts
from infra.hosts import host_name
from infra.resources import Resources, build
from infra.sandbox.more import More
from schemas.records import Fetched, StoredObject, Trust
from settings import load
from tests.chaos import deeds, points
from tests.chaos.deeds import Deed
from tests.making.frames import a_frame
from tests.making.scores import a_score
from unmask.errors import Refused, TryAgain, Unanswered
from unmask.media.clips import make_clip
from unmask.media.coding import encode
from unmask.media.values import Clip, FaceFrame, Limits, Manifest, MediaInfo, Person
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

if TYPE_CHECKING:
    from unmask.model.clips import PersonFrames
    from unmask.model.heat import HeatMap, Warmed
    from unmask.verdict import WindowScore

#: Seconds that each item takes in the CPU stage, beyond what it costs.
SLOW_S = "CHAOS_SLOW_S"
#: Seconds that each visit to a host takes; then they are noted, in a file of this name.
VISIT_S = "CHAOS_VISIT_S"
VISITS = "visits"
#: Seconds that the model takes for each batch.
SLOW_MODEL_S = "CHAOS_SLOW_MODEL_S"
#: What `hoard` may take before the machine itself would suffer.
HOARD_BYTES = 1 << 30
GLANCE_S = 0.05
#: In place of a coded picture.
BLANK = b"no picture"


def made_up() -> Resources:
    """The worker's own resources, with two doubles among them."""
    built = build(load())
    tools = dataclasses.replace(built, fetcher=MadeUpFetcher(), ledger=points.watched(built.ledger))
    room = MadeUpRoom(Path(load().store_url))
    put = tools.store.put

    def put_and_rot(key: str, data: bytes) -> StoredObject:
        kept = put(key, data)
        room.rot(key)
        return kept

    vars(tools)["room"] = room
    vars(tools.store)["put"] = put_and_rot
    return tools


def while_held(name: str) -> None:
    """Until the test lets go of it."""
    (points.memory() / f"{name}.here").touch()
    while not (points.memory() / f"{name}.go").exists():
        time.sleep(GLANCE_S)


def hoard() -> None:
    """Until the system says no, as it says in a container with a limit: the process is killed."""
    resource.setrlimit(resource.RLIMIT_AS, (HOARD_BYTES, HOARD_BYTES))
    kept = []
    try:
        while True:
            kept.append(bytearray(64 << 20))
    except MemoryError:
        os.kill(os.getpid(), 9)


def endless() -> None:
    """A loop in C that never comes back: no signal's exception gets in, no thread runs."""
    collections.deque(itertools.repeat(None), maxlen=0)


def stuck() -> None:
    """In this thread; the others of the process go on."""
    while True:
        time.sleep(GLANCE_S)


@dataclasses.dataclass
class MadeUpFetcher:
    """Every address has its own bytes: the address."""

    def telling(self, follow: Follow) -> "MadeUpFetcher":
        """Nothing is redirected."""
        return self

    @contextmanager
    def fetch(self, uri: str, trust: Trust, stamp: str = "") -> Iterator[Content]:
        with visit(uri):
            _serve(uri, deeds.deed_of(uri))
        data = uri.encode()
        sha = hashlib.sha256(data).hexdigest()
        yield Content(
            file=io.BytesIO(data),
            fetched=Fetched(final_uri=uri, sha256=sha, bytes_fetched=len(data)),
        )

    def fetch_beginning(
        self, uri: str, trust: Trust, stamp: str = ""
    ) -> AbstractContextManager[Content]:
        """Nothing comes in parts."""
        return self.fetch(uri, trust, stamp)

    def after(self, lost: NotInParts) -> "MadeUpFetcher":
        return self


def _serve(uri: str, deed: Deed | None) -> None:
    if deed is Deed.BUSY_ONCE and points.first(f"busy-{uri}"):
        raise TryAgain("its server is busy", after_s=0.0)
    if deed is Deed.PATIENCE_ONCE and points.first(f"patience-{uri}"):
        raise TryAgain("its server asks for patience", after_s=deeds.PATIENCE_S)
    if deed is Deed.SILENT:
        raise Unanswered("nobody answers")
    if deed is Deed.BLOCKED:
        raise Refused(Outcome.BLOCKED, "its address may not be visited")


@contextmanager
def visit(uri: str) -> Iterator[None]:
    """Takes its time, and is noted, where a test watches how hosts are visited."""
    lasts_s = float(os.environ.get(VISIT_S, "0"))
    if not lasts_s:
        yield
        return
    begun = time.monotonic()
    try:
        yield
        time.sleep(lasts_s)
    finally:
        with (points.memory() / VISITS).open("a") as file:
            file.write(f"{host_name(uri)} {begun} {time.monotonic()}\n")


@dataclasses.dataclass
class MadeUpRoom:
    """Finds one person in every file, or does as the address says."""

    store: Path
    cpu_seconds: float = 0.0
    #: Contents whose objects are spoiled once all of them are stored.
    rotten: set[str] = dataclasses.field(default_factory=set)

    def extract(
        self, file: IO[bytes], spec: ScanSpec, limits: Limits, more: More | None = None
    ) -> Iterator[Clip | Manifest]:
        address = file.read().decode()
        deed = deeds.deed_of(address)
        time.sleep(float(os.environ.get(SLOW_S, "0")))
        if deed in CPU_DEEDS:
            CPU_DEEDS[deed]()
        if deed is Deed.ROTTEN_ONCE and points.first(f"rotten-{address}"):
            self.rotten.add(hashlib.sha256(address.encode()).hexdigest())
        if deed is Deed.NOBODY:
            yield manifest(spec)
            return
        coded = BLANK if deed is Deed.BLANK else picture(spec, deeds.shade(deed))
        clip, page = a_person(coded)
        yield clip
        yield dataclasses.replace(manifest(spec), persons=(page,), outcome=None, reason="")

    def rot(self, key: str) -> None:
        """The manifest is stored last."""
        _, content, _, name = f"{key}///".split("/")[:4]
        if content not in self.rotten or not name.startswith("manifest-"):
            return
        self.rotten.remove(content)
        for path in (self.store / "clips" / content).rglob("*"):
            if path.is_file():
                path.chmod(0o600)
                path.write_bytes(b"x" * path.stat().st_size)

    def close(self) -> None:
        """Nothing is open."""


def _refuse() -> None:
    raise Refused(Outcome.UNDECODABLE, "no frame can be decoded")


def _bug() -> None:
    raise RuntimeError("a bug of ours")


def segfault() -> None:
    ctypes.string_at(0)


CPU_DEEDS: dict[Deed | None, Callable[[], None]] = {
    Deed.REFUSED: _refuse,
    Deed.BUG: _bug,
    Deed.SEGFAULT: segfault,
    Deed.HOARD: hoard,
    Deed.ENDLESS: endless,
    Deed.HELD: functools.partial(while_held, "cpu"),
}


def manifest(spec: ScanSpec) -> Manifest:
    return Manifest(
        media=MediaInfo(kind="video", container="made up", codec="none", width=64, height=64),
        spec_digest=spec.digest,
        size=spec.size,
        persons=(),
        outcome=Outcome.NO_FACE,
        reason="nobody is in it",
    )


def a_person(coded: bytes) -> tuple[Clip, Person]:
    return make_clip(0, [(_frame(number), coded) for number in range(deeds.FRAMES)])


@functools.cache
def picture(spec: ScanSpec, shade: int) -> bytes:
    return encode(np.full((spec.size, spec.size, 3), shade, np.uint8), spec.coding)


def _frame(number: int) -> FaceFrame:
    return a_frame(time_s=number * 0.04)


class MadeUpModels:
    """Says `one half` of everybody, unless their picture tells it to do something else."""

    def __init__(self) -> None:
        from unmask.model.shelf import find_bundle

        self.bundle = find_bundle("lite")
        self.device = "cpu"

    def predictor(self, digest: str) -> "MadeUpModels":
        return self

    def warm_up(self, digests: Iterable[str]) -> None:
        """It is warm."""

    def score(
        self, clips: "Sequence[PersonFrames]", deadline: Callable[[], None]
    ) -> "list[list[WindowScore]]":
        deadline()
        time.sleep(float(os.environ.get(SLOW_MODEL_S, "0")))
        for person in clips:
            _look(int(person.windows[0].frames.mean()))
        return [
            [a_score(person, number) for number in range(len(person.windows))] for person in clips
        ]

    def heat(
        self, wanted: "Sequence[Warmed]", deadline: Callable[[], None]
    ) -> "list[list[HeatMap]]":
        """Somewhere in a corner."""
        corner = np.zeros((4, 4), np.float32)
        corner[0, 0] = 1
        return [[corner for _ in each.frames] for each in wanted]


def _look(seen: int) -> None:
    if deeds.is_of(seen, deeds.IMPOSTOR):
        (points.memory() / "impostor-was-judged").touch()
    for deed, act in GPU_DEEDS.items():
        if deeds.is_of(seen, deeds.SHADES[deed]):
            act()


GPU_DEEDS: dict[Deed, Callable[[], None]] = {
    Deed.GPU_BUG: _bug,
    Deed.GPU_SEGFAULT: segfault,
    Deed.GPU_ENDLESS: stuck,
    Deed.GPU_HELD: functools.partial(while_held, "gpu"),
}
