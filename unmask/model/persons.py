"""A manifest and its clip objects, as the classifier takes them."""

from itertools import groupby
from statistics import median

from unmask.media import decode_frames
from unmask.media.values import Manifest, Person
from unmask.model.clips import PersonFrames, Window


def person_frames(person: Person, clip: bytes, size: int) -> PersonFrames:
    """Somebody's windows: the frames of the clip, parted where the manifest parts them."""
    pictures = decode_frames(clip, person, size)
    windows: list[Window] = []
    start = 0
    for number, run in groupby(person.frames, key=lambda frame: frame.window):
        seen = tuple(run)
        stop = start + len(seen)
        windows.append(
            Window(
                number=number,
                times=tuple(frame.time_s for frame in seen),
                frames=pictures[start:stop],
                sharpness=median(frame.sharpness for frame in seen),
            )
        )
        start = stop
    return PersonFrames(person=person.person, windows=tuple(windows))


def all_frames(manifest: Manifest, clips: dict[str, bytes]) -> list[PersonFrames]:
    """Everybody in the manifest, from clip objects by their sha256."""
    return [
        person_frames(person, clips[person.clip_sha256], manifest.size)
        for person in manifest.persons
    ]
