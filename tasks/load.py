"""From the store to arrays: a claimed item's clips, every byte checked against the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.objects import Missing, Store
from schemas.records import Claim
from unmask.media import read_manifest
from unmask.media.values import Manifest
from unmask.model.clips import PersonFrames
from unmask.model.persons import person_frames


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """An item that is ready for the model."""

    claim: Claim
    manifest: Manifest
    clips: Mapping[int, bytes]
    persons: tuple[PersonFrames, ...]

    @property
    def frames(self) -> int:
        return sum(len(window.frames) for person in self.persons for window in person.windows)


class WrongSpec(ValueError):
    """Clips of another scan spec than the campaign's: they may not be scored as its own."""


def load(claim: Claim, store: Store) -> Loaded:
    extraction = claim.extraction
    if extraction is None:
        raise Missing("its clips are gone")
    wanted = claim.campaign.options.spec.digest
    manifest = read_manifest(store.get(extraction.manifest.key, sha256=extraction.manifest.sha256))
    if manifest.spec_digest != wanted or extraction.spec_digest != wanted:
        raise WrongSpec(f"clips of scan spec {manifest.spec_digest}, campaign wants {wanted}")
    known = {clip.sha256: clip for clip in extraction.clips}
    clips = {
        person.person: store.get(known[person.clip_sha256].key, sha256=person.clip_sha256)
        for person in manifest.persons
    }
    persons = tuple(
        person_frames(person, clips[person.person], manifest.size) for person in manifest.persons
    )
    return Loaded(claim=claim, manifest=manifest, clips=clips, persons=persons)
