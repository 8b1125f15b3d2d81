"""A page that shows everybody in a file in motion: no script, nothing fetched, one file."""

import base64
import statistics
from collections.abc import Sequence
from itertools import pairwise

import cv2
import jinja2
import numpy as np

from unmask.media.clips import decode_frames
from unmask.media.colour import Rgb
from unmask.media.values import Clip, Manifest, Person
from unmask.wording import counted

#: A JPEG is at most 65,535 pixels high; more frames than fit are left out evenly.
_TALLEST = 65_000
_QUALITY = 88
#: Shown at twice its size.
_ZOOM = 2
#: Where a person has one frame only.
_USUAL_STEP_S = 0.04
_HOW = "Each face runs as it was filmed; where it jumps, time was skipped. Point at one to halt it."


def moving_page(title: str, manifest: Manifest, clips: Sequence[Clip]) -> str:
    """One sprite sheet per person, which the page runs through as time went by."""
    people = [
        _shown(person, decode_frames(clip.data, person))
        for person, clip in zip(manifest.persons, clips, strict=True)
    ]
    template = jinja2.Environment(autoescape=True).from_string(_TEMPLATE)
    return template.render(title=title, people=people, told=_told(manifest))


def _told(manifest: Manifest) -> str:
    """An empty page would look as if it had failed."""
    if not manifest.persons:
        return f"There is nobody to show: {manifest.reason}."
    if not manifest.left_out:
        return _HOW
    rest = counted(manifest.left_out, "more person was", "more people were")
    return f"{_HOW} {rest} left out."


def _shown(person: Person, pictures: Rgb) -> dict[str, object]:
    most = _TALLEST // pictures.shape[1]
    if len(pictures) > most:
        pictures = pictures[np.linspace(0, len(pictures) - 1, most).round().astype(int)]
    frames, side = pictures.shape[:2]
    return {
        "number": person.person + 1,
        "frames": frames,
        "side": side * _ZOOM,
        "height": frames * side * _ZOOM,
        "seconds": round(_step(person) * len(person.frames), 3),
        "sprites": base64.b64encode(_sprites(pictures)).decode(),
        "windows": _windows(person),
    }


def _sprites(pictures: Rgb) -> bytes:
    """All frames, one below the other."""
    strip = cv2.cvtColor(pictures.reshape(-1, *pictures.shape[2:]), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", strip, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()


def _step(person: Person) -> float:
    """The usual time from one frame to the next; between windows time is skipped."""
    steps = [
        other.time_s - one.time_s
        for one, other in pairwise(person.frames)
        if one.window == other.window
    ]
    return statistics.median(steps) if steps else _USUAL_STEP_S


def _windows(person: Person) -> list[str]:
    told = []
    for window in sorted({frame.window for frame in person.frames}):
        times = [frame.time_s for frame in person.frames if frame.window == window]
        told.append(f"{min(times):.2f} – {max(times):.2f} s")
    return told


_TEMPLATE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{{ title }}: faces</title>
<meta name="viewport" content="width=device-width">
<style>
  body { margin: 24px; background: #202020; color: #e6e6e6; font: 15px/1.5 system-ui, sans-serif; }
  h1 { font-size: 18px; overflow-wrap: anywhere; } h2 { font-size: 15px; margin: 0 0 6px; }
  main { display: flex; flex-wrap: wrap; gap: 28px; }
  ul { margin: 8px 0 0; padding: 0; list-style: none; color: #b4b4b4; }
  .face { background-repeat: no-repeat; border-radius: 6px; }
  .face:hover, .face:focus { animation-play-state: paused !important; }
  @keyframes play { to { background-position-y: var(--end); } }
  @media (prefers-reduced-motion: reduce) { .face { animation: none !important; } }
</style>
<h1>{{ title }}</h1>
<p>{{ told }}</p>
<main>
{% for person in people %}<section>
<h2>Person {{ person.number }}, {{ person.frames }} frames</h2>
<div class="face" tabindex="0" role="img" aria-label="the face of person {{ person.number }}"
 style="width: {{ person.side }}px; height: {{ person.side }}px; --end: -{{ person.height }}px;
 background-size: {{ person.side }}px {{ person.height }}px;
 background-image: url(data:image/jpeg;base64,{{ person.sprites }});
 animation: play {{ person.seconds }}s steps({{ person.frames }}) infinite"></div>
<ul>{% for window in person.windows %}<li>{{ window }}</li>{% endfor %}</ul>
</section>
{% endfor %}</main>
</html>
"""
