"""Real films, where they are at hand: UNMASK_DATA names the folder that holds `ffpp_c23`."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from unmask.media.budget import Budget
from unmask.media.faces import detector
from unmask.media.papers import whole_rgb
from unmask.media.picture import Picture
from unmask.media.source import opened
from unmask.media.values import Box, Limits

#: Names the folder.
FOLDER = "UNMASK_DATA"


@dataclass(frozen=True, kw_only=True)
class RealFilm:
    path: Path

    def __str__(self) -> str:
        """The manipulation and the number: `Deepfakes-033_097`."""
        return f"{self.path.parents[2].name}-{self.path.stem}"

    def frames(self, wanted: Collection[int]) -> Iterator[Picture]:
        # A detector of many pictures in one process may take more than a film does.
        limits = Limits(memory_bytes=8 << 30)
        with self.path.open("rb") as file, opened(file, Budget(limits)) as source:
            for index, picture in enumerate(source.pictures(0.0)):
                if index in wanted:
                    yield picture
                if index >= max(wanted):
                    return

    def faces_by(self, name: str, wanted: Collection[int]) -> dict[float, list[Box]]:
        """What a detector sees in the full-size frames, by moment."""
        find = detector(name)
        return {
            picture.time_s: [face.box for face in find(whole_rgb(picture))]
            for picture in self.frames(wanted)
        }


def films() -> list[RealFilm]:
    folder = os.environ.get(FOLDER)
    found = sorted(Path(folder, "ffpp_c23").rglob("*.mp4")) if folder else []
    return [RealFilm(path=path) for path in found]


FILMS = films()
