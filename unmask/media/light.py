"""From HDR and wide-gamut signals to the ordinary picture of a screen.

Signal → light (in units of diffuse white) → BT.709 primaries → highlights rolled off → signal.
Constants: SMPTE ST 2084 (PQ), ITU-R BT.2100 (HLG), BT.2087 (primaries), BT.2408 (203 cd/m²).
"""

from functools import cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Transfer = Literal["sdr", "pq", "hlg"]
Floats = NDArray[np.float32]

#: Diffuse white of HDR programmes, and the peak that they are graded for, in cd/m².
_WHITE, _PEAK = 203.0, 1000.0
_PQ_PEAK = 10_000.0
_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 32
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 128, 2392 / 128
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
#: Gamma of the whole HLG system at a peak of 1,000 cd/m².
_HLG_SYSTEM = 1.2
_SCREEN_GAMMA = 2.4
_LUMA_2020 = (0.2627, 0.6780, 0.0593)
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
#: Light below this is left as it is; what is brighter is rolled off towards the peak.
_KNEE = 0.5
#: Steps of the tables that turn a signal into light: as fine as twelve bits.
_STEPS = 4095
#: Steps of light: finer, since a screen shows dark ones further apart.
_FINE = 65535


def on_a_screen(signal: Floats, transfer: Transfer, *, wide: bool) -> NDArray[np.uint8]:
    """RGB signals from 0 to 1 become the eight bits that an ordinary screen shows alike."""
    light = _light(signal, transfer)
    if wide:
        light = np.asarray(cv2.transform(light, _TO_709), np.float32)
    if transfer != "sdr":
        light = _rolled_off(light)
    return _screen()[(np.clip(light, 0, 1) * _FINE + 0.5).astype(np.uint16)]


def _light(signal: Floats, transfer: Transfer) -> Floats:
    steps = (np.clip(signal, 0, 1) * _STEPS + 0.5).astype(np.uint16)
    light = _table(transfer)[steps]
    if transfer != "hlg":
        return light
    scene = cv2.transform(light, np.array([_LUMA_2020], np.float32))
    gain = cv2.pow(scene, _HLG_SYSTEM - 1) * (_PEAK / _WHITE)
    return np.asarray(light * gain[..., None], np.float32)


@cache
def _screen() -> NDArray[np.uint8]:
    """Light to the signal of a screen."""
    light = np.linspace(0, 1, _FINE + 1)
    return (255 * light ** (1 / _SCREEN_GAMMA) + 0.5).astype(np.uint8)


@cache
def _table(transfer: Transfer) -> Floats:
    signal = np.linspace(0, 1, _STEPS + 1)
    made = {"sdr": _sdr_light, "pq": _pq_light, "hlg": _hlg_scene}[transfer]
    return made(signal).astype(np.float32)


def _sdr_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(signal**_SCREEN_GAMMA)


def _pq_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    root = signal ** (1 / _PQ_M2)
    light = np.maximum(root - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * root)
    return np.asarray(light ** (1 / _PQ_M1) * (_PQ_PEAK / _WHITE))


def _hlg_scene(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    bright = (np.exp((signal - _HLG_C) / _HLG_A) + _HLG_B) / 12
    return np.where(signal <= 0.5, signal**2 / 3, bright)


def _rolled_off(light: Floats) -> Floats:
    """Every colour by its largest part, so that no hue turns."""
    red, green, blue = cv2.split(light)
    largest = np.asarray(cv2.max(cv2.max(red, green), blue), np.float32)
    bright = largest > _KNEE
    if not bright.any():
        return light
    above = (largest[bright] - _KNEE) / (1 - _KNEE)
    most = (_PEAK / _WHITE - _KNEE) / (1 - _KNEE)
    kept = _KNEE + (1 - _KNEE) * above * (1 + above / most**2) / (1 + above)
    light[bright] *= (kept / largest[bright])[:, None]
    return light
