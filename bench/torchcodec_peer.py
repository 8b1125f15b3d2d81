"""TorchCodec, where it is installed: its first frames, in a process of its own.

It brings no FFmpeg, so it gets PyAV's, under the names it looks for. Those names must be on the
library path before the process starts. Install one whose wheel fits a torch without CUDA with
`pip install --no-deps torchcodec==0.12.0`.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import av

from bench.media_parts import Cost, cost_of

#: libavcodec-5e6b81c2.so.62.28.102 is libavcodec.so.62.
_HASHED = re.compile(r"(lib\w+)-[0-9a-f]+\.so\.(\d+)")
_OWN_THREADS = 2


def torchcodec_first(film: Path, frames: int) -> Callable[[], Cost] | None:
    """A side that tells its seconds, or None where TorchCodec is not installed."""
    return partial(_cost, film, frames) if find_spec("torchcodec") else None


def _cost(film: Path, frames: int) -> Cost:
    libraries = Path(av.__file__).parents[1] / "av.libs"
    with tempfile.TemporaryDirectory() as links:
        for library in libraries.iterdir():
            if found := _HASHED.match(library.name):
                Path(links, f"{found[1]}.so.{found[2]}").symlink_to(library)
        command = [sys.executable, "-m", "bench.torchcodec_peer", str(film), str(frames)]
        path = {"LD_LIBRARY_PATH": f"{links}:{libraries}"}
        done = subprocess.run(command, check=True, capture_output=True, env=os.environ | path)
    return Cost(**json.loads(done.stdout))


def _read(film: str, frames: int) -> None:
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(film, num_ffmpeg_threads=_OWN_THREADS, seek_mode="approximate")
    decoder.get_frames_in_range(0, frames)


if __name__ == "__main__":
    # The first reading loads what the second one finds loaded.
    costs = [cost_of(_read, sys.argv[1], int(sys.argv[2])) for _ in range(2)]
    print(json.dumps(costs[-1].__dict__))
