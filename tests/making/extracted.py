"""Extraction as a test wants it: clips and manifest apart."""

import io

from bench.made.boxes import EVERY_FRAME
from unmask.media import extract
from unmask.media.values import Clip, Limits, Manifest
from unmask.spec import ScanSpec


def extracted(
    data: bytes, spec: ScanSpec = EVERY_FRAME, limits: Limits | None = None
) -> tuple[list[Clip], Manifest]:
    *clips, manifest = extract(io.BytesIO(data), spec, limits or Limits())
    assert isinstance(manifest, Manifest)
    assert all(isinstance(clip, Clip) for clip in clips)
    return [clip for clip in clips if isinstance(clip, Clip)], manifest
