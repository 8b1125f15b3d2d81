"""`python -m bench recall`: what each detector finds and how long it takes; then the whole road.

First on films of known truth, then on real ones where UNMASK_DATA names a folder that holds
`ffpp_c23`. There the truth is what at least two of the other detectors agree on.
"""

import io
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bench.made.boxes import EVERY_FRAME, face_square
from bench.made.film import coded
from bench.made.truth import CONDITIONS, SAME_FACE, Condition, overlap
from bench.real_films import FILMS
from unmask.errors import Unusable
from unmask.media import extract, warm
from unmask.media.colour import Rgb
from unmask.media.faces import Detector, detector
from unmask.media.values import Box, Limits, Manifest

#: Each detector at the longer sides of the picture that it is shown; dlib's double it themselves.
SHOWN = (
    ("centerface", 640),
    ("centerface", 320),
    ("blazeface", 640),
    ("yunet", 640),
    ("yunet", 320),
    ("hog", 640),
    ("cnn", 640),
)
#: Of the pictures, the CNN sees one in so many: it needs seconds for each.
CNN_SEES = 10
FILM_FRAMES = 60
CHECKED = range(0, FILM_FRAMES, 6)
REAL_CHECKED = (0, 75, 149)
#: So many others must see a face where nobody knows the truth.
WITNESSES = 2


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A picture, and who is on it where that is known."""

    picture: Rgb
    truth: Sequence[Box] | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a detector said of one picture."""

    boxes: list[Box]
    seconds: float


Answers = dict[tuple[str, int], dict[int, Answer]]


def main() -> None:
    warm()
    cv2.setNumThreads(1)
    detectors = _report("films of known truth", list(_made()))
    road = {name: _followed(name, condition) for name, condition in CONDITIONS.items()}
    if FILMS:
        detectors |= _report(f"{len(FILMS)} real films", list(_real()))
    else:
        print("real films: skipped, UNMASK_DATA names no folder with ffpp_c23")
    print(json.dumps({"recall": detectors, "road": road}))


def _made() -> Iterator[Shown]:
    for condition in CONDITIONS.values():
        scene = condition.film(FILM_FRAMES)
        for index in CHECKED:
            yield Shown(picture=scene.pictures[index], truth=list(scene.faces[index].values()))


def _real() -> Iterator[Shown]:
    for film in FILMS:
        for picture in film.frames(REAL_CHECKED):
            yield Shown(picture=picture.small_rgb(640))


def _report(title: str, pictures: Sequence[Shown]) -> dict[str, float]:
    answers = {key: found for key in SHOWN if (found := _asked(*key, pictures))}
    print(f"{title}, {len(pictures)} pictures, one thread")
    print(f"{'detector':11} {'px':>4} {'faces':>6} {'recall':>7} {'alone':>6} {'IoU':>5} {'ms':>8}")
    return {
        f"{title}: {name} {side}": _row(name, side, pictures, answers) for name, side in answers
    }


def _asked(name: str, side: int, pictures: Sequence[Shown]) -> dict[int, Answer]:
    try:
        find = detector(name)
    except Unusable as missing:
        print(f"{name}: {missing}")
        return {}
    step = CNN_SEES if name == "cnn" else 1
    return {
        index: _answer(find, pictures[index].picture, side)
        for index in range(0, len(pictures), step)
    }


def _answer(find: Detector, picture: Rgb, side: int) -> Answer:
    scale = side / max(picture.shape[:2])
    small = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    started = time.perf_counter()
    found = find(small.astype(np.uint8, copy=False))
    taken = time.perf_counter() - started
    return Answer(boxes=[face.scaled(1 / scale, 1 / scale).box for face in found], seconds=taken)


def _row(name: str, side: int, pictures: Sequence[Shown], answers: Answers) -> float:
    own, best, alone = answers[name, side], list[float](), 0
    for index, answer in own.items():
        others = _others(name, index, answers)
        truth = pictures[index].truth
        wanted = _agreed(others) if truth is None else truth
        known = [box for boxes in others for box in boxes] if truth is None else truth
        best += [_best(box, answer.boxes) for box in wanted]
        alone += sum(_best(box, known) < SAME_FACE for box in answer.boxes)
    hits = [each for each in best if each >= SAME_FACE]
    recall, near = len(hits) / max(len(best), 1), statistics.fmean(hits or [0.0])
    milliseconds = 1000 * statistics.median(answer.seconds for answer in own.values())
    print(
        f"{name:11} {side:4} {len(best):6} {recall:7.3f} {alone:6} {near:5.2f} {milliseconds:8.1f}"
    )
    return round(recall, 4)


def _others(name: str, index: int, answers: Answers) -> list[list[Box]]:
    """What each other detector saw, at the larger picture it was shown."""
    first: dict[str, list[Box]] = {}
    for (other, _), found in answers.items():
        if other != name and index in found:
            first.setdefault(other, found[index].boxes)
    return list(first.values())


def _agreed(others: Sequence[Sequence[Box]]) -> list[Box]:
    """Faces that enough of them see, each once."""
    agreed: list[Box] = []
    for boxes in others:
        for box in boxes:
            witnesses = sum(_best(box, each) >= SAME_FACE for each in others)
            if witnesses >= WITNESSES and _best(box, agreed) < SAME_FACE:
                agreed.append(box)
    return agreed


def _best(box: Box, among: Sequence[Box]) -> float:
    return max((overlap(box, each) for each in among), default=0.0)


def _followed(name: str, condition: Condition) -> dict[str, float]:
    """The whole road over every frame: recall, and how well boxes lie, tracked ones too."""
    scene = condition.film(FILM_FRAMES)
    data = coded(scene.pictures)
    *_, manifest = extract(io.BytesIO(data), EVERY_FRAME, Limits())
    assert isinstance(manifest, Manifest)
    overlaps: dict[bool, list[float]] = {True: [], False: []}
    for frame in manifest.persons[0].frames:
        (truth,) = scene.faces[round(frame.time_s * 25)].values()
        overlaps[frame.detected].append(overlap(face_square(frame, EVERY_FRAME), truth))
    hits = sum(each >= SAME_FACE for each in (*overlaps[True], *overlaps[False]))
    figures = {
        "recall": hits / FILM_FRAMES,
        "detected_iou": _low(overlaps[True]),
        "tracked_iou": _low(overlaps[False]),
    }
    print(f"road, {name:24} " + "  ".join(f"{key} {value:.2f}" for key, value in figures.items()))
    return {key: round(value, 3) for key, value in figures.items()}


def _low(overlaps: Sequence[float]) -> float:
    """What nineteen in twenty reach."""
    return float(np.quantile(overlaps, 0.05)) if overlaps else 0.0


if __name__ == "__main__":
    main()
