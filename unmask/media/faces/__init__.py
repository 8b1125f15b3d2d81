"""Face detectors behind one port, each loaded once per process."""

from collections.abc import Callable
from functools import cache

from unmask.errors import Unusable
from unmask.media.faces.blazeface import BlazeFace
from unmask.media.faces.centerface import CenterFace
from unmask.media.faces.dlib_faces import Cnn, Hog
from unmask.media.faces.port import Detector, Face
from unmask.media.faces.yunet import YuNet
from unmask.media.picture import Picture

__all__ = ["SHIPPED", "Detector", "Face", "detector", "full_look_px", "look"]

_MAKERS: dict[str, Callable[[], Detector]] = {
    "centerface": CenterFace,
    "blazeface": BlazeFace,
    "yunet": YuNet,
    "hog": Hog,
    "cnn": Cnn,
}
#: Those whose weights come with the installation.
SHIPPED = ("centerface", "blazeface", "hog", "cnn")
#: BlazeFace sees one size only, and the CNN would take a quarter of a minute for a look.
_GROWING = frozenset({"centerface", "yunet", "hog"})
#: Pictures up to this side are what a spec's `detector_px` is meant for: 640 of 2,048 keep 20 of a
#: face's 64 pixels, from where CenterFace finds it. At most so many times as large: a look of 1,600
#: pixels takes 430 MB.
_MEANT_FOR, _MOST_TIMES = 2048, 2.5


@cache
def detector(name: str) -> Detector:
    if name not in _MAKERS:
        raise Unusable(f"there is no face detector `{name}`; there are {', '.join(_MAKERS)}")
    return _MAKERS[name]()


def full_look_px(name: str, shown: tuple[int, int], detector_px: int) -> int:
    """Longer side of the picture for a full look: more where small faces would be lost in it.

    >>> [full_look_px("centerface", (width, 1000), 640) for width in (1920, 3840, 8000)]
    [640, 1200, 1600]
    """
    times = max(shown) / _MEANT_FOR if name in _GROWING else 1.0
    return round(detector_px * min(max(1.0, times), _MOST_TIMES))


def look(picture: Picture, find: Detector, longest: int) -> list[Face]:
    """Faces in pixels of the picture as shown, found in a small copy of it."""
    small = picture.small_rgb(longest)
    width, height = picture.view.size
    x, y = width / small.shape[1], height / small.shape[0]
    return [face.scaled(x, y) for face in find(small)]
