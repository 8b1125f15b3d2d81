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

__all__ = ["SHIPPED", "Detector", "Face", "detector", "look"]

_MAKERS: dict[str, Callable[[], Detector]] = {
    "centerface": CenterFace,
    "blazeface": BlazeFace,
    "yunet": YuNet,
    "hog": Hog,
    "cnn": Cnn,
}
#: Those whose weights come with the installation.
SHIPPED = ("centerface", "blazeface", "hog", "cnn")


@cache
def detector(name: str) -> Detector:
    if name not in _MAKERS:
        raise Unusable(f"there is no face detector `{name}`; there are {', '.join(_MAKERS)}")
    return _MAKERS[name]()


def look(picture: Picture, find: Detector, longest: int) -> list[Face]:
    """Faces in pixels of the picture as shown, found in a small copy of it."""
    small = picture.small_rgb(longest)
    width, height = picture.view.size
    x, y = width / small.shape[1], height / small.shape[0]
    return [face.scaled(x, y) for face in find(small)]
