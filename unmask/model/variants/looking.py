"""Where each attention head of a multi-attentional network looks, as a page of pictures."""

from collections.abc import Sequence

import numpy as np
import torch

from unmask.errors import Unusable
from unmask.model import drawing
from unmask.model.bundle import Bundle
from unmask.model.clips import Frames
from unmask.model.heat import HeatMap, overlay, scaled
from unmask.model.pixels import Pixels
from unmask.model.predict import build
from unmask.model.variants.attention import HEADS, MultiAttention

_SIDE, _GAP, _TOP, _LEFT = 152, 12, 40, 76


def attention_maps(bundle: Bundle, faces: Sequence[Frames]) -> list[list[HeatMap]]:
    """For each face one map a head, each on its own scale, in float32 on the CPU."""
    trunk = build(bundle).trunk
    if not isinstance(trunk, MultiAttention):
        raise Unusable(f"{bundle.name} has no attention heads: its trunk is a plain one")
    with torch.inference_mode():
        pictures = Pixels(bundle.description)(torch.from_numpy(np.stack(faces)))
        found = trunk.seen(pictures).attention.numpy()
    return [[scaled(head) for head in heads] for heads in found]


def attention_sheet(bundle: Bundle, faces: Sequence[Frames], title: str) -> bytes:
    """A JPEG: the faces above, and below them a row for each head."""
    maps = attention_maps(bundle, faces)
    step = _SIDE + _GAP
    sheet = drawing.page(_LEFT + len(faces) * step, _TOP + (1 + HEADS) * step)
    drawing.text(sheet, title, _GAP, 26, px=13)
    for row in range(HEADS):
        middle = _TOP + (row + 1) * step + _SIDE // 2
        drawing.text(sheet, f"head {row + 1}", _GAP, middle, px=9, colour=drawing.GREY)
    for column, (face, heads) in enumerate(zip(faces, maps, strict=True)):
        shown = [face, *(overlay(face, head) for head in heads)]
        for row, picture in enumerate(shown):
            drawing.picture(sheet, picture, _LEFT + column * step, _TOP + row * step, _SIDE)
    return drawing.jpeg(sheet)
