"""The papers' web application, for one video; where it is slow it is timed on few frames."""

import statistics
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from unmask.model.bundle import Bundle
from unmask.model.network import Network
from unmask.model.predict import build

#: On so many frames, spread over the film, HOG is timed; on so many the eager network.
HOG_FRAMES, EAGER_FRAMES = 4, 20
SIDE = 112


class Papers:
    """Reads every frame, finds a face in N of them, loads the model, runs it eagerly."""

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self._bundle, self._checkpoint = bundle, folder / "checkpoint.pt"
        torch.save(build(bundle).state_dict(), self._checkpoint)
        self._known: dict[Path, tuple[float, float]] = {}

    def seconds(self, film: Path, length: int) -> float:
        if film not in self._known:
            self._known[film] = read_seconds(film), hog_seconds(film)
        reading, hog = self._known[film]
        loading, eager = self._request_seconds()
        return reading + length * hog + loading + length * eager

    def _request_seconds(self) -> tuple[float, float]:
        """Loading the model for this request, and one frame's share of running it."""
        started = time.perf_counter()
        network = Network(self._bundle.architecture)
        network.load_state_dict(torch.load(self._checkpoint, weights_only=True))
        network.eval()
        loading = time.perf_counter() - started
        frames = np.random.default_rng(0).integers(0, 256, (EAGER_FRAMES, 3, SIDE, SIDE))
        clip = torch.from_numpy(frames.astype(np.float32) / 255)
        started = time.perf_counter()
        eager(network, clip)
        return loading, (time.perf_counter() - started) / EAGER_FRAMES


def eager(network: Network, clip: torch.Tensor) -> float:
    with torch.inference_mode():
        states = network.lstm(network.features(clip)[None])[0]
        logits = network.linear(states.mean(dim=1))
        return float(nn.functional.softmax(logits, dim=1)[0, 0])


def read_seconds(film: Path) -> float:
    """All frames of the film through `cv2`."""
    started, source = time.perf_counter(), cv2.VideoCapture(str(film))
    while source.read()[0]:
        pass
    return time.perf_counter() - started


def hog_seconds(film: Path) -> float:
    """`face_recognition.face_locations` on one whole frame; the median of a few."""
    import face_recognition

    source, taken = cv2.VideoCapture(str(film)), list[float]()
    count = int(source.get(cv2.CAP_PROP_FRAME_COUNT))
    for number in range(0, count, count // HOG_FRAMES):
        source.set(cv2.CAP_PROP_POS_FRAMES, number)
        picture = np.ascontiguousarray(source.read()[1][..., ::-1])
        started = time.perf_counter()
        face_recognition.face_locations(picture)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
