"""What moves at a moment: the camera, the head, the jaw, the eyelids and the light."""

import math
from dataclasses import dataclass

#: Moments at which the eyes close, in seconds, again and again over this period.
_BLINKS, _BLINK_PERIOD_S, _BLINK_WIDTH_S = (0.9, 2.7, 3.05, 5.2), 6.5, 0.07
#: Speech comes in phrases: syllables a second, phrases a second.
_SYLLABLES_HZ, _PHRASES_HZ = 3.7, 0.31


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Shares are 0…1; distances are in face widths; angles in radians."""

    jaw: float
    eyelid: float
    head_tilt: float
    head_turn: float
    head_nod: float
    camera_x: float
    camera_y: float
    camera_tilt: float
    zoom: float
    #: Brightness added from the left edge to the right one, and everywhere.
    light_slope: float
    light: float


def pose(time_s: float, offset_s: float = 0.0) -> Pose:
    """Somebody talks to a camera held in a hand; two offsets are two people."""
    t = time_s + offset_s
    return Pose(
        jaw=_speech(t),
        eyelid=_blink(t),
        head_tilt=0.045 * _sway(t, 0.21) + 0.012 * _sway(t, 0.83),
        head_turn=0.055 * _sway(t, 0.27) + 0.012 * _sway(t, 0.9),
        head_nod=0.03 * _sway(t, 0.34) + 0.008 * _speech(t),
        camera_x=0.05 * _sway(t, 0.13) + 0.008 * _sway(t, 1.1),
        camera_y=0.03 * _sway(t, 0.17) + 0.006 * _sway(t, 1.3),
        camera_tilt=0.012 * _sway(t, 0.11),
        zoom=1.05 + 0.04 * _sway(t, 0.09),
        light_slope=0.14 * _sway(t, 0.16),
        light=0.06 * _sway(t, 0.12),
    )


def _sway(t: float, hertz: float) -> float:
    """Two waves whose rates don't divide each other: smooth, and not plainly periodic."""
    turn = 2 * math.pi * hertz * t
    return 0.7 * math.sin(turn + hertz * 11) + 0.3 * math.sin(turn * 1.618 + hertz * 5)


def _speech(t: float) -> float:
    phrase = max(0.0, min(1.0, 0.75 + math.sin(2 * math.pi * _PHRASES_HZ * t)))
    syllable = 0.5 + 0.5 * math.sin(2 * math.pi * _SYLLABLES_HZ * t + 1.3 * _sway(t, 0.7))
    return phrase * syllable * (0.65 + 0.35 * _sway(t, 0.53))


def _blink(t: float) -> float:
    within = t % _BLINK_PERIOD_S
    return max(math.exp(-(((within - at) / _BLINK_WIDTH_S) ** 2)) for at in _BLINKS)
