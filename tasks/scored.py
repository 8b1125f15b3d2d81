"""The same clip under the same model is scored once, in this batch and ever after."""

import dataclasses
from collections.abc import Mapping, Sequence

from infra.ledger import Ledger
from tasks.load import Loaded
from unmask.model.clips import PersonFrames
from unmask.verdict import WindowScore

#: By the hash of the clip object.
Scored = Mapping[str, tuple[WindowScore, ...]]


def clips_of(loaded: Loaded) -> list[tuple[str, PersonFrames]]:
    """Each person's clip, and the windows it is parted into."""
    hashes = [person.clip_sha256 for person in loaded.manifest.persons]
    return list(zip(hashes, loaded.persons, strict=True))


def known_scores(ledger: Ledger, batch: Sequence[Loaded]) -> dict[str, tuple[WindowScore, ...]]:
    """What the ledger remembers of the clips of this batch, where it fits their windows."""
    clips = {clip: frames for loaded in batch for clip, frames in clips_of(loaded)}
    model = batch[0].claim.campaign.options.model_digest
    found = ledger.scores(model, list(clips))
    return {clip: windows for clip, windows in found.items() if _fit(windows, clips[clip])}


def _fit(windows: Sequence[WindowScore], frames: PersonFrames) -> bool:
    """Not where another scan spec parted the same frames otherwise."""
    then = [(one.window, one.frames, one.start_s, one.end_s) for one in windows]
    now = [(one.number, len(one.times), one.times[0], one.times[-1]) for one in frames.windows]
    return then == now


def unscored(batch: Sequence[Loaded], known: Scored) -> dict[str, PersonFrames]:
    """Clips the model has to look at, each once."""
    return {
        clip: frames for loaded in batch for clip, frames in clips_of(loaded) if clip not in known
    }


def of_person(scores: Scored, clip: str, frames: PersonFrames) -> list[WindowScore]:
    """A clip's scores are those of whoever it shows here."""
    return [dataclasses.replace(one, person=frames.person) for one in scores[clip]]
