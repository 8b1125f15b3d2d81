"""Labelled videos, small enough to be made anew."""

from functools import partial
from pathlib import Path

from bench.made.film import coded, one_face


def _drifting(start: float, frame: int) -> tuple[float, float]:
    return start + frame, 180.0


def write_videos(folder: Path) -> Path:
    """Eight videos of eight people; the fake ones have a hard-edged chin. A list of them."""
    lines = ["path,label,identities,method,part"]
    for number in range(8):
        fake = number % 2 == 1
        scene = one_face(8, partial(_drifting, 250.0 + 12 * number), size=(480, 360))
        if fake:
            for picture in scene.pictures:
                picture[205:235, 250:300] = 255 - picture[205:235, 250:300]
        (folder / f"{number}.mp4").write_bytes(coded(scene.pictures))
        part = "validation" if number >= 4 else "train"
        lines.append(f"{number}.mp4,{'fake' if fake else 'real'},p{number},made,{part}")
    (folder / "list.csv").write_text("\n".join(lines) + "\n")
    return folder / "list.csv"
