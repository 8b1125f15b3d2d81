"""Bundles and clips for tests, small enough to be made anew each time."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from unmask.model.bundle import Bundle, open_bundle
from unmask.model.clips import PersonFrames, Window
from unmask.spec import ScanSpec

SIZE = 112

CALIBRATION = {
    "window": {"kind": "logistic", "slope": 0.5, "shift": 0.0},
    "item": {"kind": "isotonic", "at": [0.0, 0.5, 1.0], "value": [0.01, 0.4, 0.99]},
    "fitted_on": "numbers of a test",
}
THRESHOLDS = {
    "real": 0.2,
    "fake": 0.9,
    "real_called_fake": 0.01,
    "fake_called_real": 0.05,
    "real_unsure": 0.1,
    "fake_unsure": 0.25,
}


def description(**changes: Any) -> dict[str, Any]:
    whole = {
        "format": 1,
        "name": "tiny",
        "about": "made by a test",
        "untrained": True,
        "architecture": {"trunk": "mobilenet_v2", "width": 32},
        "weights": {"encoding": "seeded", "seed": 5},
        "spec": ScanSpec().to_json(),
    }
    return whole | changes


def write_bundle(folder: Path, **changes: Any) -> Bundle:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps(description(**changes)))
    return open_bundle(folder)


def window(frames: int, seed: int, number: int = 0, size: int = SIZE) -> Window:
    """Blurred noise: unlike from frame to frame, and unlike any other seed's."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (frames, size // 8, size // 8, 3), dtype=np.uint8)
    return Window(number, tuple(0.04 * i for i in range(frames)), coarse.repeat(8, 1).repeat(8, 2))


def person(*windows: Window, number: int = 0) -> PersonFrames:
    return PersonFrames(person=number, windows=windows)
