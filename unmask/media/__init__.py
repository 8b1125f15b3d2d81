"""From any file to face clips: probe → decode → faces → tracks → crop → clips."""

from unmask.media.clips import decode_frames
from unmask.media.extract import extract
from unmask.media.manifest import BadManifest, read_manifest
from unmask.media.warm import warm

__all__ = ["BadManifest", "decode_frames", "extract", "read_manifest", "warm"]
