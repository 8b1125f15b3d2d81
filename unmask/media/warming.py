"""Everything slow or read from files, done once, before a process is forked per file."""

import gc
from importlib import import_module

import cv2
import numpy as np

from unmask.media.faces import SHIPPED, detector
from unmask.media.portrait import models


def warm(detectors: tuple[str, ...] = SHIPPED) -> None:
    """After this, `extract` opens no file, and works in a forked child."""
    # OpenCV's and the detectors' own threads would not survive the fork; they gain little here.
    cv2.setNumThreads(1)
    import_module("unmask.media.road")
    for name in detectors:
        detector(name)(np.zeros((64, 64, 3), np.uint8))
    models()
    # A decoder left over from earlier must be freed here: in a child, whoever frees it waits for
    # decoder threads that exist only in the parent.
    gc.collect()
