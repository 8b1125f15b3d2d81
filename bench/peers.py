"""What the media core is measured against."""

import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from unmask.media.coding import encode
from unmask.media.faces.centerface import CenterFace

SIDE = 112
_LONGEST = 640


def papers_path(film: Path, frames: int) -> int:
    """As the papers' code does it; tells in how many frames a face was found."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import face_recognition
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        code = cv2.VideoWriter.fourcc(*"MJPG")
        writer = cv2.VideoWriter(str(Path(folder, "out.avi")), code, 30, (SIDE, SIDE))
        for bgr in islice(read_with_opencv(film), frames):
            faces = face_recognition.face_locations(np.ascontiguousarray(bgr[:, :, ::-1]))
            if faces:
                top, right, bottom, left = faces[0]
                writer.write(cv2.resize(bgr[top:bottom, left:right], (SIDE, SIDE)))
                found += 1
        writer.release()
    return found


def read_with_opencv(film: Path) -> Iterator[Any]:
    reader = cv2.VideoCapture(str(film))
    while True:
        read, bgr = reader.read()
        if not read:
            return
        yield bgr


def read_with_pyav(film: Path) -> Iterator[Any]:
    with av.open(str(film)) as container:
        container.streams.video[0].thread_type = "AUTO"
        yield from container.decode(video=0)


@cache
def _two_threads() -> CenterFace:
    return CenterFace(threads=2)


def composed_peer(film: Path, frames: int, at_once: int = 1) -> int:
    """PyAV and CenterFace with two threads each, on every frame; the same crops and coding."""
    find, found = _two_threads(), 0
    pictures = (frame.to_ndarray(format="rgb24") for frame in read_with_pyav(film))
    for wholes in batched(islice(pictures, frames), at_once):
        scale = _LONGEST / max(wholes[0].shape[:2])
        shrunk = [
            cv2.resize(each, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            for each in wholes
        ]
        for whole, faces in zip(wholes, find.batch(shrunk), strict=True):
            for face in faces[:1]:
                box = face.scaled(1 / scale, 1 / scale).box
                top, left, side = int(box.y), int(box.x), int(box.height)
                cut = whole[max(top, 0) : top + side, max(left, 0) : left + side]
                encode(np.asarray(cv2.resize(cut, (SIDE, SIDE)), dtype=np.uint8), "qoi")
                found += 1
    return found


def batched(pictures: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := list(islice(pictures, size)):
        yield batch
