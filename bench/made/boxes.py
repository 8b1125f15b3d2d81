"""Where a face lies, in the form that found ones and true ones are compared in."""

from unmask.media.values import Box, FaceFrame
from unmask.spec import ScanSpec

EVERY_FRAME = ScanSpec(
    name="every", moments="first", windows=1, frames=1000, spacing_s=None, persons=2
)


def face_square(frame: FaceFrame, spec: ScanSpec) -> Box:
    """The square round the face, without the margin."""
    side = frame.box.width / (1 + 2 * spec.margin)
    rest = (frame.box.width - side) / 2
    return Box(x=frame.box.x + rest, y=frame.box.y + rest, width=side, height=side)


def squared(face: Box) -> Box:
    side = max(face.width, face.height)
    x, y = face.x + face.width / 2, face.y + face.height / 2
    return Box(x=x - side / 2, y=y - side / 2, width=side, height=side)
