"""The box that is cut for a face: square with a margin, or squashed as the papers do."""

import dataclasses

from unmask.media.geometry import square_around
from unmask.media.values import Box
from unmask.spec import ScanSpec

#: `tight`: the side as a share of the box's longer side, and how far the middle lies below the
#: box's. That is how the DFDC face crops are cut: down to the chin, up to the brows.
_TIGHT, _LOWERED = 0.9, 0.056


def crop_box(face: Box, spec: ScanSpec) -> Box:
    """What a clip frame shows of the picture; it may reach over the edge."""
    if spec.box == "tight":
        longer = max(face.width, face.height)
        lowered = dataclasses.replace(face, y=face.y + _LOWERED * longer)
        return square_around(lowered, _TIGHT * longer * (1 + 2 * spec.margin))
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
