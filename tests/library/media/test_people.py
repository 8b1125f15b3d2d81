"""Who is who: cuts, meetings, leaving and coming back."""

import dataclasses
from functools import partial
from typing import Any

import numpy as np
import pytest

from bench.made.boxes import EVERY_FRAME, face_square, squared
from bench.made.faces import ADMIRAL_FACE, ASTRONAUT_FACE, admiral, astronaut, head
from bench.made.film import Scene, backdrop, coded, one_face, paste
from tests.making.extracted import extracted
from unmask.media import road
from unmask.media.colour import Rgb
from unmask.media.geometry import iou
from unmask.media.people import people
from unmask.media.portrait import Encoding, encoding
from unmask.media.values import FaceFrame, Person
from unmask.outcomes import Outcome

#: Above this one face hides the other, and their places are the same.
COVERED = 0.6


def _two(count: int, *, crossing: bool) -> Scene:
    heads = {
        "astronaut": head(astronaut(), ASTRONAUT_FACE),
        "admiral": head(admiral(), ADMIRAL_FACE),
    }
    scene, back = Scene(), backdrop(640, 360)
    for index in range(count):
        way = index / (count - 1)
        across = {"astronaut": 130 + 380 * way, "admiral": 510 - 380 * way}
        if not crossing:
            across = {"astronaut": 150 + 20 * way, "admiral": 480}
        canvas, faces = back.copy(), {}
        for name, (cut, face) in heads.items():
            faces[name] = paste(canvas, cut, face, 90, (across[name], 180))
        scene.pictures.append(canvas)
        scene.faces.append(faces)
    return scene


def _names(person: Person, scene: Scene) -> set[str]:
    """Everybody whose face the person's frames show."""
    found = set()
    for frame in person.frames:
        truth = scene.faces[round(frame.time_s * 25)]
        if iou(*truth.values()) > COVERED:
            continue
        square = face_square(frame, EVERY_FRAME)
        found.add(max(truth, key=lambda name: iou(square, squared(truth[name]))))
    return found


def test_two_people_side_by_side() -> None:
    scene = _two(40, crossing=False)
    _, manifest = extracted(coded(scene.pictures))
    assert [len(person.frames) for person in manifest.persons] == [40, 40]
    assert [len(_names(person, scene)) for person in manifest.persons] == [1, 1]


def test_nobody_is_taken_for_another_when_two_cross() -> None:
    scene = _two(75, crossing=True)
    _, manifest = extracted(coded(scene.pictures))
    assert len(manifest.persons) == 2
    names = [_names(person, scene) for person in manifest.persons]
    assert sorted(map(len, names)) == [1, 1]
    assert names[0] != names[1]
    assert min(len(person.frames) for person in manifest.persons) >= 40


def test_one_person_over_a_cut_and_back() -> None:
    close = one_face(20, lambda _: (320, 180), side=lambda _: 140).pictures
    wide = one_face(20, lambda _: (150, 150), side=lambda _: 70).pictures
    away = [backdrop(640, 360, seed=5)] * 10
    _, manifest = extracted(coded([*close, *away, *wide]))
    assert [len(person.frames) for person in manifest.persons] == [40]


def test_people_beyond_the_bound_are_counted() -> None:
    scene = _two(20, crossing=False)
    _, manifest = extracted(coded(scene.pictures), dataclasses.replace(EVERY_FRAME, persons=1))
    assert (len(manifest.persons), manifest.left_out) == (1, 1)


def test_who_is_seen_too_briefly_is_told_of() -> None:
    """The second face is there in three frames; ten are needed."""
    scene = _two(20, crossing=False)
    alone = one_face(20, lambda i: (150 + i / 19 * 20, 180)).pictures
    pictures = [*scene.pictures[:3], *alone[3:]]
    _, manifest = extracted(coded(pictures), dataclasses.replace(EVERY_FRAME, min_frames=10))
    assert (len(manifest.persons), manifest.left_out) == (1, 0)
    assert manifest.notes == ("1 more face was seen in fewer than 10 frames, too few to judge",)


def test_where_all_are_seen_too_briefly_the_outcome_says_it_alone() -> None:
    film = coded(one_face(4, lambda _: (320, 180)).pictures)
    _, manifest = extracted(film, dataclasses.replace(EVERY_FRAME, min_frames=10))
    assert (manifest.outcome, manifest.notes) == (Outcome.TOO_SHORT, ())


def _shots() -> list[Any]:
    close = one_face(12, lambda _: (320, 180), side=lambda _: 140).pictures
    wide = one_face(12, lambda _: (150, 150), side=lambda _: 70).pictures
    return [*close, *[backdrop(640, 360, seed=5)] * 6, *wide]


@pytest.mark.parametrize(
    ("pictures", "encodings"),
    [
        (one_face(24, lambda i: (200 + 4 * i, 180)).pictures, 0),
        (_two(12, crossing=False).pictures, 2),
        (_shots(), 2),
    ],
    ids=["one face in one shot", "two faces", "two shots"],
)
def test_faces_are_encoded_only_where_somebody_could_be_somebody_else(
    pictures: list[Any], encodings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list[Encoding]()

    def noted(portrait: Rgb) -> Encoding:
        made.append(encoding(portrait))
        return made[-1]

    monkeypatch.setattr(road, "people", partial(people, encode=noted))
    _, manifest = extracted(coded(pictures))
    assert manifest.persons
    assert len(made) == encodings


def test_a_zoom_dark_and_soft_film_is_followed() -> None:
    scene = one_face(50, lambda _: (320, 180), side=lambda i: 66 + 2 * i)
    dim = [(picture * 0.4).astype(np.uint8) for picture in scene.pictures]
    _, manifest = extracted(coded(dim))
    frames = manifest.persons[0].frames
    overlaps = [
        iou(face_square(frame, EVERY_FRAME), squared(truth["astronaut"]))
        for frame, truth in zip(frames, scene.faces, strict=True)
    ]
    assert np.quantile(overlaps, 0.05) >= 0.7


def test_somebody_leaves_and_comes_back() -> None:
    """In one shot: the face goes out of the picture, and later comes in on the other side."""
    gone = [backdrop(640, 360)] * 20
    leaving = one_face(30, lambda i: (560 + 8 * i, 180)).pictures
    coming = one_face(30, lambda i: (-80 + 8 * i, 180)).pictures
    _, manifest = extracted(coded([*leaving, *gone, *coming]))
    (person,) = manifest.persons
    times = [frame.time_s for frame in person.frames]
    assert min(times) == 0
    assert max(times) == pytest.approx(79 / 25)
    assert not [time for time in times if 34 / 25 < time < 46 / 25]


def test_two_people_in_turns_over_many_shots() -> None:
    """As interviews are cut: each has the same number whenever they are seen."""
    heads = {
        "astronaut": head(astronaut(), ASTRONAUT_FACE),
        "admiral": head(admiral(), ADMIRAL_FACE),
    }
    scene = Scene()
    for shot in range(6):
        name = ("astronaut", "admiral")[shot % 2]
        back, (cut, face) = backdrop(640, 360, seed=shot), heads[name]
        for index in range(12):
            canvas = back.copy()
            middle = (200 + 40 * shot + index, 150 + 10 * shot)
            scene.faces.append({name: paste(canvas, cut, face, 80 + 8 * shot, middle)})
            scene.pictures.append(canvas)
    _, manifest = extracted(coded(scene.pictures))
    shown = [{_only(scene, frame) for frame in person.frames} for person in manifest.persons]
    assert sorted(map(sorted, shown)) == [["admiral"], ["astronaut"]]
    assert [len(person.frames) for person in manifest.persons] == [36, 36]


def _only(scene: Scene, frame: FaceFrame) -> str:
    (name,) = scene.faces[round(frame.time_s * 25)]
    return name


def test_a_crowd_is_counted_beyond_those_who_are_followed() -> None:
    """Ten faces; one is judged, three are followed."""
    cut, face = head(astronaut(), ASTRONAUT_FACE)
    canvas = backdrop(960, 540)
    for number in range(10):
        side = 60 + 3 * number
        paste(canvas, cut, face, side, (100 + 185 * (number % 5), 130 + 260 * (number // 5)))
    _, manifest = extracted(coded([canvas] * 6), dataclasses.replace(EVERY_FRAME, persons=1))
    (person,) = manifest.persons
    assert manifest.left_out == 9
    assert person.frames[0].face_px >= 80
