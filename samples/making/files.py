"""Frames → files, small and the same every time."""

from collections.abc import Iterable
from pathlib import Path

import av
from PIL import Image

from samples.making.portraits import Picture

RATE = 25
_QUALITY = "24"


def write_video(path: Path, frames: Iterable[Picture], *, index_first: bool = True) -> None:
    """H.264 in MP4; one thread, because more of them make other bytes each time."""
    flags = {"movflags": "+faststart"} if index_first else {}
    with av.open(str(path), "w", options=flags | {"fflags": "+bitexact"}) as container:
        coding = {"crf": _QUALITY, "preset": "slow", "threads": "1"}
        stream = container.add_stream("libx264", rate=RATE, options=coding)
        stream.pix_fmt = "yuv420p"
        first, *rest = frames
        stream.height, stream.width = first.shape[:2]
        for picture in (first, *rest):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def write_animation(path: Path, frames: Iterable[Picture], *, rate: int) -> None:
    first, *rest = [Image.fromarray(frame) for frame in frames]
    first.save(
        path,
        save_all=True,
        append_images=rest,
        duration=1000 // rate,
        loop=0,
        quality=60,
        method=6,
    )


def write_picture(path: Path, picture: Picture) -> None:
    Image.fromarray(picture).save(path, quality=88)


def write_beginning(path: Path, of: Path, share: float) -> None:
    """The first part of a file, as a broken download leaves it."""
    whole = of.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
