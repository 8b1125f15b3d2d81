"""What came out of the room, checked as if a stranger had written it."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from infra.sandbox.frames import (
    CLIP,
    DONE,
    FAILED,
    MANIFEST,
    PERSON,
    REFUSED,
    UNUSABLE,
    BadFrames,
)
from unmask.errors import Refused, Unusable
from unmask.media.manifest import MAX_BYTES as MAX_MANIFEST
from unmask.media.manifest import BadManifest, read_manifest
from unmask.media.sides import sides
from unmask.media.values import Clip, Manifest, Person
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec

#: What noise takes in the coding that likes it least, QOI: four bytes a pixel, and a header.
_BYTES_PER_PIXEL, _HEADER = 4, 4096
_MAX_WORDS = 2000
#: Where a file was fetched from, the room knows nothing.
_MAY_SAY = frozenset(
    {
        Outcome.NOT_MEDIA,
        Outcome.UNDECODABLE,
        Outcome.TOO_LARGE,
        Outcome.TIMED_OUT,
        Outcome.OVER_BUDGET,
    }
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")


@dataclass(kw_only=True)
class Results:
    """Collected while the guest lives; believed only when all of it fits together."""

    spec: ScanSpec
    clips: list[Clip] = field(default_factory=list)
    manifest: Manifest | None = None
    refused: Refused | Unusable | None = None
    failed: str = ""
    done: bool = False

    def collect(self, frames: Iterable[tuple[bytes, bytes]]) -> None:
        for kind, body in frames:
            if self.done or self.refused or self.failed:
                raise BadFrames("more came after the end")
            self._take(kind, body)

    def _take(self, kind: bytes, body: bytes) -> None:
        if kind == CLIP:
            self._take_clip(body)
        elif kind == MANIFEST:
            self._take_manifest(body)
        elif kind == REFUSED:
            self.refused = _refusal(body)
        elif kind == UNUSABLE:
            self.refused = Unusable(_words(body.decode("utf-8", "replace")))
        elif kind == FAILED:
            self.failed = _words(body.decode("utf-8", "replace")) or "it gave no reason"
        elif kind == DONE:
            self._check()
            self.done = True

    def _take_clip(self, body: bytes) -> None:
        data = body[PERSON.size :]
        if len(self.clips) >= self.spec.persons or len(data) > most_clip_bytes(self.spec):
            raise BadFrames(f"more or larger clips than the scan spec allows: {len(data):,} bytes")
        (person,) = PERSON.unpack(body[: PERSON.size].rjust(PERSON.size, b"\0"))
        self.clips.append(Clip(person=person, sha256=hashlib.sha256(data).hexdigest(), data=data))

    def _take_manifest(self, body: bytes) -> None:
        if self.manifest is not None:
            raise BadFrames("two manifests")
        try:
            self.manifest = read_manifest(body)
        except (BadManifest, ValueError, TypeError) as error:
            raise BadFrames(f"the manifest does not hold: {error}") from error

    def _check(self) -> None:
        """The manifest speaks of these very clips, and of the spec that was asked for."""
        if self.manifest is None:
            raise BadFrames("no manifest")
        if (self.manifest.spec_digest, self.manifest.size) != (
            self.spec.digest,
            self.spec.size,
        ):
            raise BadFrames("the manifest is of another scan spec")
        said = [(one.person, one.clip_sha256, one.clip_bytes) for one in self.manifest.persons]
        came = [(clip.person, clip.sha256, len(clip.data)) for clip in self.clips]
        if sorted(said) != sorted(came):
            raise BadFrames("the manifest speaks of other clips than those that came")
        data = {clip.person: clip.data for clip in self.clips}
        for one in self.manifest.persons:
            self._check_pictures(one, memoryview(data[one.person]))

    def _check_pictures(self, person: Person, data: memoryview) -> None:
        """The classifier reads them where no room is."""
        side = self.spec.size
        for frame in person.frames:
            if sides(data[frame.offset : frame.offset + frame.length]) != (side, side):
                raise BadFrames(f"a clip holds what is no face picture of {side}×{side}")


def most_clip_bytes(spec: ScanSpec) -> int:
    return spec.windows * spec.frames * (spec.size * spec.size * _BYTES_PER_PIXEL + _HEADER)


def most_bytes(spec: ScanSpec) -> int:
    return spec.persons * most_clip_bytes(spec) + MAX_MANIFEST + (64 << 10)


def _refusal(body: bytes) -> Refused:
    try:
        match json.loads(body):
            case {"outcome": str(outcome), "reason": str(reason)} if outcome in _MAY_SAY:
                return Refused(Outcome(outcome), _words(reason))
    except (ValueError, RecursionError) as error:
        raise BadFrames(f"a refusal that can't be read: {error}") from error
    raise BadFrames("a refusal without outcome and reason")


def _words(text: str) -> str:
    """One line, without what a terminal would obey."""
    return _CONTROL.sub(" ", text)[:_MAX_WORDS].strip()
