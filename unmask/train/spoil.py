"""What happens to pictures on their way: colours, sharpness, resolution, compression.

Each function draws how it will spoil and returns that as a plan, so that a pair (a face and its
manipulated twin) suffers exactly the same and nothing but the manipulation tells them apart.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

import cv2
import numpy as np
from numpy.random import Generator
from pydantic import Field
from pydantic.dataclasses import dataclass

from unmask.judgement import STRICT, Share
from unmask.train.crops import Rgb

Spoil = Callable[[Rgb], Rgb]

_LEVELS = np.arange(256, dtype=np.float32)
_SHRINKING = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
_GROWING = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)
_CHROMA = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
#: The first so many kinds of damage last over a film; grain and codec differ from frame to frame.
_LASTING = 10
#: The mildest of each damage: pixels of the side, blur, JPEG's quality.
_MOST_PX, _LEAST_BLUR, _MOST_QUALITY = 106, 0.3, 97
#: How clips are coded between extraction and model.
CLIP_QUALITY = 90


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Spoiling:
    """How likely, and how bad, the common damage is. Part of a recipe."""

    tone: Share = 0.6
    saturation: Share = 0.2
    grey: Share = 0.03
    #: What studios and their cameras do: make-up and noise reduction smooth the skin and leave its
    #: outlines sharp, the picture is sharpened, its colours lean one way and are kept coarsely.
    tint: Share = 0.0
    smoothing: Share = 0.0
    sharpening: Share = 0.0
    coarse_colour: Share = 0.0
    #: A codec that saw the face larger than the crop shows it.
    far_codec: Share = 0.0
    resolution: Share = 0.45
    least_px: Annotated[int, Field(ge=8, lt=_MOST_PX)] = 44
    blur: Share = 0.25
    most_blur: Annotated[float, Field(ge=_LEAST_BLUR)] = 1.2
    noise: Share = 0.2
    most_noise: Annotated[float, Field(ge=1)] = 6.0
    jpeg: Share = 0.75
    least_quality: Annotated[int, Field(ge=1, lt=_MOST_QUALITY)] = 35


def common_damage(how: Spoiling, rng: Generator, *, over_time: bool = False) -> list[Spoil]:
    """Light, lens, scaling and codec: the same for both sides of a pair.

    Over time, grain and codec are left to each frame.
    """
    steps: list[tuple[float, Callable[[], Spoil]]] = [
        (how.tone, lambda: tone(rng, gain=0.25, shift=18, gamma=0.3)),
        (how.saturation, lambda: saturation(rng.uniform(0.5, 1.4))),
        (how.grey, lambda: saturation(0.0)),
        (how.tint, lambda: tinted(rng)),
        (how.smoothing, lambda: _skin(rng)),
        (how.sharpening, lambda: _crisp(rng)),
        (how.coarse_colour, lambda: partial(_coarse, side=int(rng.integers(20, 60)))),
        (how.far_codec, lambda: _far(rng)),
        (how.resolution, lambda: fewer_pixels(rng, how.least_px, _MOST_PX)),
        (how.blur, lambda: partial(_blurred, sigma=rng.uniform(_LEAST_BLUR, how.most_blur))),
        (how.noise, lambda: _noise(rng, rng.uniform(1, how.most_noise))),
        (how.jpeg, lambda: _jpeg(rng, how.least_quality)),
    ]
    wanted = steps[:_LASTING] if over_time else steps
    found = [make() for chance, make in wanted if rng.random() < chance]
    return found if over_time else [*found, *storage(rng)]


def storage(rng: Generator) -> list[Spoil]:
    """Half the time as it was cut, half the time as clips are coded: no verdict hangs on it."""
    return [partial(_coded, quality=CLIP_QUALITY, chroma=_CHROMA[1])] if rng.random() < 0.5 else []


def per_frame_damage(how: Spoiling, rng: Generator, frames: int) -> list[list[Spoil]]:
    """Grain that is new in each frame, and a codec whose quality wavers about its level."""
    grainy, coded = rng.random() < how.noise, rng.random() < how.jpeg
    deviation = rng.uniform(1, how.most_noise)
    quality, chroma = int(rng.integers(how.least_quality, _MOST_QUALITY)), int(rng.choice(_CHROMA))
    found: list[list[Spoil]] = [[] for _ in range(frames)]
    for steps in found:
        if grainy:
            steps.append(_noise(rng, deviation))
        if coded:
            wavering = int(np.clip(quality + rng.integers(-6, 7), 15, 98))
            steps.append(partial(_coded, quality=wavering, chroma=chroma))
    return found


def applied(picture: Rgb, steps: Sequence[Spoil]) -> Rgb:
    for step in steps:
        picture = step(picture)
    return picture


def one_sided(rng: Generator) -> list[Spoil]:
    """What makes the pasted part differ from its surroundings: a few of these, never none."""
    steps: list[Spoil] = []
    if rng.random() < 0.75:
        steps.append(tinted(rng))
    if rng.random() < 0.3:
        steps.append(saturation(rng.uniform(0.6, 1.4)))
    if not steps or rng.random() < 0.7:
        steps.append(_other_detail(rng))
    return steps


def _other_detail(rng: Generator) -> Spoil:
    kind = rng.random()
    if kind < 0.55:
        return fewer_pixels(rng, 36, 92)
    if kind < 0.75:
        return partial(_sharpened, amount=rng.uniform(0.2, 0.9))
    if kind < 0.9:
        return partial(_blurred, sigma=rng.uniform(0.4, 1.3))
    return _jpeg(rng, 30)


def tone(rng: Generator, *, gain: float, shift: float, gamma: float) -> Spoil:
    """Brightness, contrast and gamma, one curve for all channels."""
    power = float(np.exp(rng.uniform(-gamma, gamma)))
    curve = 255 * (_LEVELS / 255) ** power
    curve = (curve - 128) * (1 + rng.uniform(-gain, gain)) + 128 + rng.uniform(-shift, shift)
    return partial(_mapped, table=_table(curve[:, None].repeat(3, 1)))


def tinted(rng: Generator) -> Spoil:
    """Each channel its own curve, close to the others'."""
    gains = 1 + rng.uniform(-0.12, 0.12) + rng.uniform(-0.06, 0.06, 3)
    shifts = rng.uniform(-12, 12) + rng.uniform(-12, 12, 3)
    curves = (_LEVELS[:, None] - 128) * gains + 128 + shifts
    return partial(_mapped, table=_table(curves))


def saturation(amount: float) -> Spoil:
    return partial(_saturated, amount=amount)


def fewer_pixels(rng: Generator, least: int, most: int) -> Spoil:
    """Shrunk and grown again."""
    side = int(rng.integers(least, most))
    shrink, grow = int(rng.choice(_SHRINKING)), int(rng.choice(_GROWING, p=(0.5, 0.45, 0.05)))
    return partial(_rescaled, side=side, shrink=shrink, grow=grow)


def _skin(rng: Generator) -> Spoil:
    """Noise reduction and make-up: flat regions lose their detail, edges stay."""
    return partial(
        _smoothed,
        span=int(rng.integers(3, 8)),
        levels=rng.uniform(10, 45),
        amount=rng.uniform(0.4, 1),
    )


def _crisp(rng: Generator) -> Spoil:
    return partial(_sharpened, amount=rng.uniform(0.3, 1.6), sigma=rng.uniform(0.6, 2.0))


def _far(rng: Generator) -> Spoil:
    """Larger, coded, and small again."""
    zoom, quality = rng.uniform(1.3, 2.5), int(rng.integers(18, 70))
    return partial(_coded_larger, zoom=zoom, quality=quality, chroma=_CHROMA[0])


def _jpeg(rng: Generator, least_quality: int) -> Spoil:
    quality = int(rng.integers(least_quality, _MOST_QUALITY))
    return partial(_coded, quality=quality, chroma=int(rng.choice(_CHROMA)))


def _noise(rng: Generator, deviation: float) -> Spoil:
    """The same grains on both sides; drawn once and rolled, as drawing is slow."""
    seed = int(rng.integers(2**31))
    return partial(_grainy, deviation=deviation, seed=seed)


def _table(curves: np.ndarray[tuple[int, ...], np.dtype[np.floating]]) -> Rgb:
    return np.ascontiguousarray(curves.clip(0, 255).round().astype(np.uint8)[None])


def _mapped(picture: Rgb, *, table: Rgb) -> Rgb:
    return np.asarray(cv2.LUT(picture, table), dtype=np.uint8)


def _saturated(picture: Rgb, *, amount: float) -> Rgb:
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(picture, amount, grey, 1 - amount, 0), dtype=np.uint8)


def _rescaled(picture: Rgb, *, side: int, shrink: int, grow: int) -> Rgb:
    size = picture.shape[0]
    small = cv2.resize(picture, (side, side), interpolation=shrink)
    return np.asarray(cv2.resize(small, (size, size), interpolation=grow), dtype=np.uint8)


def _blurred(picture: Rgb, *, sigma: float) -> Rgb:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


def _smoothed(picture: Rgb, *, span: int, levels: float, amount: float) -> Rgb:
    flat = cv2.bilateralFilter(picture, span, levels, span)
    return np.asarray(cv2.addWeighted(flat, amount, picture, 1 - amount, 0), dtype=np.uint8)


def _coarse(picture: Rgb, *, side: int) -> Rgb:
    """Colour with fewer pixels than light."""
    parts = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    size = picture.shape[0]
    small = cv2.resize(parts[:, :, 1:], (side, side), interpolation=cv2.INTER_AREA)
    parts[:, :, 1:] = cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(parts, cv2.COLOR_YCrCb2RGB), dtype=np.uint8)


def _coded_larger(picture: Rgb, *, zoom: float, quality: int, chroma: int) -> Rgb:
    size, side = picture.shape[0], round(picture.shape[0] * zoom)
    large = np.asarray(
        cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )
    coded = _coded(large, quality=quality, chroma=chroma)
    return np.asarray(cv2.resize(coded, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _sharpened(picture: Rgb, *, amount: float, sigma: float = 1.2) -> Rgb:
    soft = cv2.GaussianBlur(picture, (0, 0), sigma)
    return np.asarray(cv2.addWeighted(picture, 1 + amount, soft, -amount, 0), dtype=np.uint8)


def _grainy(picture: Rgb, *, deviation: float, seed: int) -> Rgb:
    grains = np.random.default_rng(seed).standard_normal(picture.shape, dtype=np.float32)
    return (picture + deviation * grains).clip(0, 255).astype(np.uint8)


def _coded(picture: Rgb, *, quality: int, chroma: int) -> Rgb:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, chroma]
    done, coded = cv2.imencode(".jpg", picture, options)
    assert done
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED), dtype=np.uint8)
