"""The box that is cut for a face: square with a margin, or squashed as the papers do."""

from unmask.media.geometry import square_around
from unmask.media.values import Box
from unmask.spec import ScanSpec


def crop_box(face: Box, spec: ScanSpec) -> Box:
    """What a clip frame shows of the picture; it may reach over the edge."""
    if spec.box == "square":
        return square_around(face, max(face.width, face.height) * (1 + 2 * spec.margin))
    beside, above = face.width * spec.margin, face.height * spec.margin
    return Box(
        x=face.x - beside,
        y=face.y - above,
        width=face.width + 2 * beside,
        height=face.height + 2 * above,
    )


def face_px(face: Box) -> int:
    return int(min(face.width, face.height))
