"""Data sets small enough to be made anew: smooth pictures, fakes with a hard-edged patch."""

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 48


def picture(seed: int, *, fake: bool, side: int = SIDE) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    few = rng.integers(40, 215, (4, 4, 3), dtype=np.uint8)
    smooth = np.asarray(cv2.resize(few, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
    if fake:
        x, y = rng.integers(6, side - 22, 2)
        patch = smooth[y : y + 16, x : x + 16].astype(np.int16)
        smooth[y : y + 16, x : x + 16] = (patch + 70 * (-1) ** seed).clip(0, 255)
    return smooth


def write_tar(path: Path, entries: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in entries.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def write_crops(folder: Path, groups: int, first: int = 0) -> Path:
    """One real and one fake crop for each group."""
    folder.mkdir(parents=True, exist_ok=True)
    entries: dict[str, bytes] = {}
    for group in range(first, first + groups):
        for label in ("real", "fake"):
            name = f"{label}{group:04d}"
            pixels = picture(2 * group + (label == "fake"), fake=label == "fake")
            entries[f"{name}.jpg"] = jpeg(pixels)
            said = {"label": label, "group": f"group{group:04d}"}
            entries[f"{name}.json"] = json.dumps(said).encode()
    return write_tar(folder / f"part-{first:04d}.tar", entries)


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    done, coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert done
    return coded.tobytes()
