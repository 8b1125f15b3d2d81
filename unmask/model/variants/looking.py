"""Where each attention head of a multi-attentional network looks, as a page of pictures."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unmask.errors import Unusable
from unmask.model import drawing
from unmask.model.bundle import Bundle
from unmask.model.clips import Frames
from unmask.model.evidence import FACES, GAP, SIDE
from unmask.model.heat import HeatMap, overlay
from unmask.model.pixels import Pixels
from unmask.model.predict import build
from unmask.model.variants.attention import HEADS, MultiAttention

#: (faces, heads, s, s), each value a head's sigmoid, from 0 to 1.
Attention = NDArray[np.float32]

_TOP, _LEFT, _STEP = 54, 116, SIDE + GAP
_WIDTH = _LEFT + FACES * _STEP
#: A head whose values lie nearer to each other than this looks everywhere alike.
_FLAT = 1e-3
_EXPLAINED = (
    "Each picture on its own scale: plain where its head looks least, bright where it looks most. "
    "At the left, the range of its values, which lie between 0 and 1."
)


class Looking:
    """The network of a bundle with heads, in float32 on the CPU."""

    def __init__(self, bundle: Bundle) -> None:
        trunk = build(bundle).trunk
        if not isinstance(trunk, MultiAttention):
            raise Unusable(f"{bundle.name} has no attention heads: its trunk is a plain one")
        self._trunk, self._pixels = trunk, Pixels(bundle.description)

    def at(self, faces: Sequence[Frames]) -> Attention:
        with torch.inference_mode():
            pictures = self._pixels(torch.from_numpy(np.stack(faces)))
            found = self._trunk.seen(pictures).attention.numpy()
        return np.asarray(found, np.float32)


def stretched(attention: Attention) -> HeatMap:
    """One head on one face: from 0 where it looks least to 1 where it looks most.

    A head says how much it looks at each place, and may look nearly as much at every one.
    """
    least, most = float(attention.min()), float(attention.max())
    if most - least < _FLAT:
        return np.zeros_like(attention)
    return (attention - np.float32(least)) / np.float32(most - least)


def attention_sheet(faces: Sequence[Frames], attention: Attention, title: str) -> bytes:
    """A JPEG: the faces above, and below them a row for each head."""
    sheet = drawing.page(_WIDTH, _TOP + (1 + HEADS) * _STEP)
    drawing.text(sheet, title, GAP, 26, px=13, width=_WIDTH - GAP)
    drawing.text(sheet, _EXPLAINED, GAP, 44, px=9, colour=drawing.GREY)
    for row in range(HEADS):
        middle = _TOP + (row + 1) * _STEP + SIDE // 2
        drawing.text(sheet, f"head {row + 1}", GAP, middle, px=9)
        drawing.text(sheet, _range(attention[:, row]), GAP, middle + 16, colour=drawing.GREY)
    for column, (face, heads) in enumerate(zip(faces, attention, strict=True)):
        shown = [face, *(overlay(face, stretched(head)) for head in heads)]
        for row, picture in enumerate(shown):
            drawing.picture(sheet, picture, _LEFT + column * _STEP, _TOP + row * _STEP, SIDE)
    return drawing.jpeg(sheet)


def _range(values: Attention) -> str:
    return f"{values.min():.3f} to {values.max():.3f}"
