"""A bundle's golden clip: a strip of frames whose score is known."""

import cv2
import numpy as np

from unmask.model.bundle import BadBundle, Bundle, read_checked
from unmask.model.clips import Frames, Window
from unmask.model.description import Golden

#: The golden clip's frames stand this far apart; no score depends on it.
_SPACING_S = 0.04


def read_clip(bundle: Bundle, known: Golden) -> Window:
    raw = read_checked(bundle, known.file, known.sha256)
    strip = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR_RGB)
    size = bundle.spec.size
    if strip is None or strip.shape[1] != size or strip.shape[0] % size:
        raise BadBundle(f"{bundle.folder / known.file} is no strip of {size}x{size} frames")
    frames = strip.astype(np.uint8).reshape(-1, size, size, 3)
    return Window(0, tuple(_SPACING_S * i for i in range(len(frames))), frames)


def encode_clip(frames: Frames) -> bytes:
    """The strip as PNG: lossless, so that every machine reads the same bytes."""
    done, png = cv2.imencode(".png", frames.reshape(-1, frames.shape[2], 3)[..., ::-1])
    if not done:
        raise ValueError(f"OpenCV could not encode a strip of {frames.shape}")
    return png.tobytes()


def drawn_clip(count: int = 8, size: int = 112) -> Frames:
    """A drawn face that turns and nods: nobody's, and small as PNG."""
    return np.stack([_drawn_frame(i / count, size) for i in range(count)])


def _drawn_frame(part: float, size: int) -> Frames:
    frame = np.full((size, size, 3), (60, 90, 120), np.uint8)
    centre = np.array([size * (0.5 + 0.04 * np.sin(2 * np.pi * part)), size * 0.52])
    _ellipse(frame, centre, (0.33, 0.42), size, (205, 160, 130))
    for side in (-1, 1):
        _ellipse(
            frame, centre + size * np.array([0.13 * side, -0.1]), (0.06, 0.03), size, (250,) * 3
        )
        _ellipse(
            frame, centre + size * np.array([0.13 * side, -0.1]), (0.025, 0.025), size, (40, 30, 20)
        )
    _ellipse(frame, centre + size * np.array([0, 0.06]), (0.03, 0.07), size, (180, 130, 105))
    opened = 0.02 + 0.03 * part
    _ellipse(frame, centre + size * np.array([0, 0.22]), (0.12, opened), size, (150, 60, 60))
    return frame


def _ellipse(
    frame: Frames,
    centre: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    axes: tuple[float, float],
    size: int,
    colour: tuple[int, int, int],
) -> None:
    middle = (round(float(centre[0])), round(float(centre[1])))
    radii = (round(axes[0] * size), round(axes[1] * size))
    cv2.ellipse(frame, middle, radii, 0, 0, 360, colour, cv2.FILLED)
