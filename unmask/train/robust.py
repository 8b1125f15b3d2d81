"""The same faces after another trip through the network: re-encoded, shrunk, cropped, re-lit.

Done to the face clips themselves, at their own size: harsher than the same setting on a whole
video, where a face has more pixels.
"""

import io
from collections.abc import Callable
from fractions import Fraction

import av
import cv2
import numpy as np

from unmask.model.clips import PersonFrames
from unmask.train.crops import Rgb

Damage = Callable[[Rgb], Rgb]

_RATE = 25
_CUT = 0.08
#: Grain is the same in every run.
_GRAIN_SEED = 0
_WHITE = 255.0


def h264(crf: int) -> Damage:
    """A film of (T, S, S, 3) through x264 at a constant quality; higher is worse."""

    def damaged(frames: Rgb) -> Rgb:
        side = frames.shape[1]
        raw = io.BytesIO()
        with av.open(raw, "w", format="mp4") as container:
            stream = container.add_stream(
                "libx264", rate=Fraction(_RATE), options={"crf": str(crf)}
            )
            stream.width = stream.height = side + side % 2
            stream.pix_fmt = "yuv420p"
            for frame in frames:
                even = cv2.copyMakeBorder(frame, 0, side % 2, 0, side % 2, cv2.BORDER_REPLICATE)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
            container.mux(stream.encode(None))
        raw.seek(0)
        with av.open(raw, "r") as film:
            found = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        return np.stack(found).astype(np.uint8)[:, :side, :side]

    return damaged


def jpeg(quality: int) -> Damage:
    def one(frame: Rgb) -> Rgb:
        done, coded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED), dtype=np.uint8)

    return lambda frames: np.stack([one(frame) for frame in frames])


def shrunk(share: float) -> Damage:
    def one(frame: Rgb) -> Rgb:
        side = frame.shape[0]
        few = cv2.resize(frame, (round(side * share),) * 2, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(few, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)

    return lambda frames: np.stack([one(frame) for frame in frames])


def cropped(share: float) -> Damage:
    def one(frame: Rgb) -> Rgb:
        side = frame.shape[0]
        edge = round(side * share)
        cut = frame[edge : side - edge, edge : side - edge]
        return np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)

    return lambda frames: np.stack([one(frame) for frame in frames])


def noisy(deviation: float) -> Damage:
    """Grain of that many of 255 levels, new in every frame."""

    def damaged(frames: Rgb) -> Rgb:
        grain = np.random.default_rng(_GRAIN_SEED).normal(0.0, deviation, frames.shape)
        return (frames + grain).round().clip(0, _WHITE).astype(np.uint8)

    return damaged


def lit(share: float, contrast: float = 1.0) -> Damage:
    """Brighter or darker by a share; contrast then changes about the middle grey."""

    def damaged(frames: Rgb) -> Rgb:
        middle = _WHITE / 2
        found = (frames * share - middle) * contrast + middle
        return found.round().clip(0, _WHITE).astype(np.uint8)

    return damaged


DAMAGES: dict[str, Damage] = {
    "H.264, crf 23": h264(23),
    "H.264, crf 30": h264(30),
    "H.264, crf 37": h264(37),
    "JPEG, quality 40": jpeg(40),
    "shrunk to a half": shrunk(0.5),
    "cropped by 8 % each side": cropped(_CUT),
    "noise of 8 levels": noisy(8.0),
    "darker by 40 %": lit(0.6),
    "brighter by 40 %": lit(1.4),
    "half the contrast": lit(1.0, 0.5),
}


def damaged_person(person: PersonFrames, damage: Damage) -> PersonFrames:
    windows = (window._replace(frames=damage(window.frames)) for window in person.windows)
    return PersonFrames(person=person.person, windows=tuple(windows))
