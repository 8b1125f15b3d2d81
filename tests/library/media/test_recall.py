"""On real films, where they are at hand: set UNMASK_DATA to the folder that holds `ffpp_c23`."""

import dataclasses
import os
from pathlib import Path

import pytest

from tests.library.media.run import extracted
from unmask.media.budget import Budget
from unmask.media.faces import detector
from unmask.media.geometry import iou
from unmask.media.papers import whole_rgb
from unmask.media.source import opened
from unmask.media.values import Box, Limits, Manifest
from unmask.spec import ScanSpec

FOLDER = Path(os.environ.get("UNMASK_DATA", ""), "ffpp_c23", "original_sequences")
FILMS = sorted(FOLDER.rglob("*.mp4")) if os.environ.get("UNMASK_DATA") else []
#: A few of the films, so that the suite stays quick; all of them with UNMASK_DATA_ALL=1.
FEW = FILMS if os.environ.get("UNMASK_DATA_ALL") else FILMS[:3]
CHECKED = range(0, 150, 30)

pytestmark = pytest.mark.skipif(not FILMS, reason="UNMASK_DATA names no folder with ffpp_c23")


@pytest.mark.parametrize("film", FEW, ids=lambda film: film.stem)
def test_a_main_person_and_no_face_missed_that_hog_sees(film: Path) -> None:
    spec = ScanSpec().with_options(frames=150, first=True)
    _, manifest = extracted(film.read_bytes(), spec)
    assert len(manifest.persons[0].frames) >= 140
    everybody = dataclasses.replace(spec, persons=20, min_frames=1)
    _, manifest = extracted(film.read_bytes(), everybody)
    hog, ours = _hits(film, manifest)
    assert ours >= hog > 0


def _hits(film: Path, manifest: Manifest) -> tuple[int, int]:
    """On the checked frames: faces that HOG sees, and how many of these we have."""
    seen: dict[float, list[Box]] = {}
    for person in manifest.persons:
        for frame in person.frames:
            seen.setdefault(frame.time_s, []).append(frame.box)
    hog = ours = 0
    with film.open("rb") as file, opened(file, Budget(Limits())) as source:
        for index, picture in enumerate(source.pictures(0.0)):
            if index > CHECKED[-1]:
                break
            if index in CHECKED and (found := detector("hog")(whole_rgb(picture))):
                hog += 1
                ours += any(
                    iou(face.box, box) > 0.2
                    for face in found
                    for box in seen.get(picture.time_s, [])
                )
    return hog, ours
