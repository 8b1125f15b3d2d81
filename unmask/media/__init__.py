"""From any file to face clips: probe → decode → faces → tracks → crop → clips.

Only what is used is loaded: whoever needs the values alone waits for no decoder and no detector.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unmask.media.clips import decode_frames
    from unmask.media.manifest import BadManifest, read_manifest
    from unmask.media.road import extract
    from unmask.media.warming import warm

__all__ = ["BadManifest", "decode_frames", "extract", "read_manifest", "warm"]

_HOMES = {
    "BadManifest": "manifest",
    "decode_frames": "clips",
    "extract": "road",
    "read_manifest": "manifest",
    "warm": "warming",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
