"""Everything slow or read from files, done once, before a process is forked per file."""

import gc
import pkgutil
from importlib import import_module

import av
import cv2
import numpy as np
from PIL import Image

from unmask.media.faces import SHIPPED, detector
from unmask.media.portrait import models


def warm(detectors: tuple[str, ...] = SHIPPED) -> None:
    """After this, `extract` opens no file, and works in a forked child."""
    # OpenCV's and the detectors' own threads would not survive the fork; they gain little here.
    cv2.setNumThreads(1)
    import_module("unmask.media.road")
    _load_all_of_the_decoders()
    for name in detectors:
        detector(name)(np.zeros((64, 64, 3), np.uint8))
    models()
    # A decoder left over from earlier must be freed here: in a child, whoever frees it waits for
    # decoder threads that exist only in the parent.
    gc.collect()


def _load_all_of_the_decoders() -> None:
    """They load parts of themselves at the first file that needs one: too late in the room."""
    for one in pkgutil.walk_packages(av.__path__, "av."):
        if not one.name.endswith("__main__"):
            import_module(one.name)
    Image.init()
