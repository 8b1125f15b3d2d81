"""Pictures as HDR cameras and masters code them: from an ordinary picture, by the standards."""

import io
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np

from bench.made.faces import Rgb

#: Primaries of BT.709 in those of BT.2020 (ITU-R BT.2087).
_TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
_RED, _GREEN, _BLUE = 0.2627, 0.6780, 0.0593
#: Diffuse white of HDR, cd/m² (ITU-R BT.2408).
WHITE = 203.0


def light(picture: Rgb) -> Any:
    """Of an ordinary screen (BT.1886), 1 for white."""
    return (picture / 255) ** 2.4


def wide(shown: Any) -> Any:
    return shown @ _TO_2020.T


def pq(shown: Any) -> Any:
    """SMPTE ST 2084: from light to signal."""
    share = (shown * WHITE / 10_000).clip(0, 1) ** (2610 / 16384)
    root = (3424 / 4096 + 2413 / 128 * share) / (1 + 2392 / 128 * share)
    return root ** (2523 / 32)


def hlg(shown: Any) -> Any:
    """ITU-R BT.2100 for a peak of 1,000 cd/m²: light of the screen → scene → signal."""
    display = shown * WHITE / 1000
    luma = (display @ np.array([_RED, _GREEN, _BLUE]))[..., None].clip(1e-9)
    scene = display * luma ** ((1 - 1.2) / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    bright = a * np.log((12 * scene - b).clip(1e-9)) + c
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene.clip(0)), bright)


def sdr(shown: Any) -> Any:
    return shown.clip(0, 1) ** (1 / 2.4)


def coded_2020(
    signals: list[Any],
    transfer: int,
    codec: str = "ffv1",
    options: dict[str, str] | None = None,
    pixels: str = "yuv444p10le",
) -> bytes:
    """RGB signals as 10-bit Y'CbCr of BT.2020 with its tags; `transfer` as in ITU-T H.273.

    Or in another layout of pixels, as FFmpeg brings those into it.
    """
    target = io.BytesIO()
    with av.open(target, "w", format="matroska") as output:
        stream: Any = output.add_stream(codec, rate=25, options=options)
        height, width = signals[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        tag(stream.codec_context, transfer)
        for index, signal in enumerate(signals):
            frame = _frame(signal)
            tag(frame, transfer)
            frame = frame.reformat(format=pixels)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        output.close()
        return target.getvalue()


def tag(what: Any, transfer: int) -> None:
    what.color_primaries, what.color_trc, what.colorspace, what.color_range = 9, transfer, 9, 1


def _frame(signal: Any) -> av.VideoFrame:
    luma = signal @ np.array([_RED, _GREEN, _BLUE])
    blue = (signal[..., 2] - luma) / (2 * (1 - _BLUE))
    red = (signal[..., 0] - luma) / (2 * (1 - _RED))
    planes = [64 + 876 * luma, 512 + 896 * blue, 512 + 896 * red]
    frame = av.VideoFrame(signal.shape[1], signal.shape[0], "yuv444p10le")
    for plane, samples in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // 2), "<u2")
        rows[:, : plane.width] = samples.round()
        plane.update(rows.tobytes())
    return frame


Signal = Callable[[Any], Any]
