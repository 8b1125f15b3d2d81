"""`python -m bench looks MODEL FOLDER`: what further looks at a picture add.

FOLDER holds tars of labelled face crops, of which the test part is taken. Every crop is judged as
it is, mirrored and from nearer; printed is the AUC of each look, and of the mean of several.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.held_out import asked, crops
from unmask.model.clips import Window
from unmask.model.description import Look
from unmask.model.looks import seen
from unmask.model.predict import Predictor, load
from unmask.model.shelf import find_bundle
from unmask.train.metrics import auc

#: Shares of the side cut away at each edge: none, 4, 8 and 12 of 112 pixels.
CLOSER = (0.0, 0.0357, 0.0714, 0.1071)
#: Each by the numbers of the looks below: even as they are, odd mirrored.
MEANS = ((0, 1), (0, 3), (0, 3, 4), (0, 1, 2, 3), (0, 1, 2, 3, 4, 5), tuple(range(8)))

LOOKS = tuple(
    Look(mirrored=mirrored, closer=closer) for closer in CLOSER for mirrored in (False, True)
)


def main() -> None:
    given = asked("looks", __doc__, "of tars of labelled face crops")
    found = compared(load(find_bundle(given.model)), given.folder)
    for name, value in found.items():
        print(f"{value:.4f}  {name}")
    print(json.dumps(found))


def compared(predictor: Predictor, folder: Path) -> Mapping[str, float]:
    fake, people = zip(*crops(folder), strict=True)
    windows = [person.windows[0] for person in people]
    said = [_margins(predictor, windows, look) for look in LOOKS]
    alone = {_name(look): auc(list(own), fake) for look, own in zip(LOOKS, said, strict=True)}
    together = {
        "mean of " + ", ".join(_name(LOOKS[each]) for each in some): auc(
            list(np.mean([said[each] for each in some], axis=0)), fake
        )
        for some in MEANS
    }
    return alone | together


def _margins(predictor: Predictor, windows: Iterable[Window], look: Look) -> NDArray[np.float64]:
    shown = [window._replace(frames=seen(window.frames, look)) for window in windows]
    return np.array([margins.window for margins in predictor.margins(shown)])


def _name(look: Look) -> str:
    return f"{look.closer:g} nearer" + (" mirrored" if look.mirrored else "")


if __name__ == "__main__":
    main()
