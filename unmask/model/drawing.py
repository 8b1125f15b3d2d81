"""A white page, text, lines and bars: the little that evidence sheets need from OpenCV."""

import functools
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Page = NDArray[np.uint8]
Colour = tuple[int, int, int]

INK: Colour = (32, 36, 44)
GREY: Colour = (130, 136, 148)
RULE: Colour = (222, 225, 231)
ALARM: Colour = (200, 46, 46)
CALM: Colour = (38, 120, 190)

#: Height of a capital letter as a share of the size of Pillow's own font.
_CAPITAL = 0.7
_JPEG_QUALITY = 88
#: Height of the line below a picture.
_CAPTION = 28


def page(width: int, height: int) -> Page:
    return np.full((height, width, 3), 255, np.uint8)


def text(
    on: Page,
    words: str,
    x: int,
    y: int,
    *,
    px: int = 9,
    colour: Colour = INK,
    width: int | None = None,
) -> None:
    """`px` is the height of a capital letter; (x, y) is where the line begins, at its foot.

    What would reach over `width` is shortened in its middle: names differ at their ends.
    """
    words = words if width is None else _fitting(words, px, width - x)
    strip = on[max(0, y - 2 * px) : y + px]
    picture = Image.fromarray(strip)
    ImageDraw.Draw(picture).text(
        (x, y - max(0, y - 2 * px)), words, font=_font(px), fill=colour, anchor="ls"
    )
    strip[:] = np.asarray(picture)


def wrapped(words: str, *, px: int, width: int, most: int) -> list[str]:
    """In at most `most` lines, broken between words; what is left over is the last line's."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and (len(lines) == most or _font(px).getlength(longer) <= width):
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@functools.cache
def _font(px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(round(px / _CAPITAL))


def _fitting(words: str, px: int, width: int) -> str:
    kept = len(words)
    while kept > 1 and _font(px).getlength(shown := _shortened(words, kept)) > width:
        kept -= 1
    return shown if kept > 1 else words[:1]


def _shortened(words: str, most: int) -> str:
    if len(words) <= most:
        return words
    end = most // 2
    return f"{words[: most - end - 1]}…{words[-end:]}"


def line(on: Page, points: Any, colour: Colour, width: int = 1) -> None:
    corners = np.round(np.asarray(points, dtype=np.float64)).astype(np.int32)
    cv2.polylines(on, [corners.reshape(-1, 1, 2)], False, colour, width, cv2.LINE_AA)


def picture(on: Page, what: Page, x: int, y: int, side: int) -> None:
    shrinks = what.shape[0] > side
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    on[y : y + side, x : x + side] = cv2.resize(what, (side, side), interpolation=way)


def jpeg(of: Page) -> bytes:
    done, data = cv2.imencode(".jpg", of[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise ValueError(f"OpenCV could not encode a page of {of.shape}")
    return data.tobytes()


def captioned(of: Page, words: str) -> Page:
    """The picture with a line of words below it."""
    bar = page(of.shape[1], _CAPTION)
    text(bar, words, 8, _CAPTION - 9, width=of.shape[1] - 8)
    return np.concatenate([of, bar])
