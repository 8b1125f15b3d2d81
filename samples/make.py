"""Makes the sample media from public-domain pictures: `python -m samples.make`."""

import tempfile
from pathlib import Path

import numpy as np

from samples.making import scenes
from samples.making.camera import film
from samples.making.files import (
    RATE,
    write_animation,
    write_beginning,
    write_picture,
    write_video,
)
from samples.making.portraits import Picture, Portrait, admiral, astronaut
from samples.making.swap import swapped

HERE = Path(__file__).parent
SIZE = (640, 480)
SECONDS = 7
#: Of a cut-off file with its index at the front, about this share of the pictures is left.
KEPT = 0.55
#: Fewer frames than any scan spec of a trained model judges.
SHORT_FRAMES = 3


def main() -> None:
    talking_heads(astronaut(), admiral())
    with tempfile.TemporaryDirectory() as folder:
        broken_files(admiral(), Path(folder))
    write_video(HERE / "two-people.mp4", scenes.call(astronaut(), admiral(), frames=6 * RATE))
    write_video(HERE / "no-face.mp4", scenes.pan(size=SIZE, frames=5 * RATE))
    write_picture(HERE / "picture.jpg", admiral().picture)
    write_picture(HERE / "tiny-face.jpg", scenes.gallery(astronaut()))
    small = film(admiral(), size=(320, 240), frames=20, rate=10, offset_s=3)
    write_animation(HERE / "animation.webp", small, rate=10)
    (HERE / "not-a-video.mp4").write_text("This is a text file. Only its name says otherwise.\n")


def talking_heads(person: Portrait, other: Portrait) -> None:
    """One film of a person as she is, and the same film with the other's face."""
    genuine, donor = talk(person), talk(other)
    write_video(HERE / "talking-head.mp4", genuine)
    write_video(HERE / "short.mp4", genuine[:SHORT_FRAMES])
    write_video(HERE / "manipulated.mp4", swapped(genuine, donor))


def broken_files(person: Portrait, folder: Path) -> None:
    """A download that broke off: half a film where the index came first, else nothing."""
    frames = talk(person, offset_s=2.3)
    for name, index_first in (("truncated.mp4", True), ("broken.mp4", False)):
        write_video(folder / name, frames, index_first=index_first)
        write_beginning(HERE / name, folder / name, KEPT)


def talk(person: Portrait, offset_s: float = 0.0) -> list[Picture]:
    frames = film(person, size=SIZE, frames=SECONDS * RATE, rate=RATE, offset_s=offset_s)
    return [np.ascontiguousarray(frame) for frame in frames]


if __name__ == "__main__":
    main()
