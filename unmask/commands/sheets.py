"""Evidence of a scanned file: a sheet per person, and the whole frame that tells most of them."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.media.budget import Budget
from unmask.media.source import opened
from unmask.media.values import Box, Limits
from unmask.model.bundle import Bundle
from unmask.model.clips import Frames, PersonFrames
from unmask.model.drawing import captioned, jpeg
from unmask.model.evidence import FACES, evidence_sheet
from unmask.model.heat import HeatMap, Warmed, on_frame, overlay
from unmask.model.looks import kind_of
from unmask.model.predict import Predictor
from unmask.model.telling import Moment, most_telling
from unmask.model.variants import ATTENTIVE
from unmask.scan import Scanned
from unmask.verdict import WindowScore, lasts
from unmask.wording import likely, printable

if TYPE_CHECKING:
    from unmask.model.variants.looking import Looking

#: The longer side of a whole frame that is kept as evidence.
FRAME_PX = 1280
#: Time stamps in a manifest are this exact.
_INSTANT_S = 1e-4


def write_sheets(scanned: Scanned, predictor: Predictor, folder: Path, of: str) -> Iterator[Path]:
    """Writes `OF-personN.jpg` and `OF-personN-frame.jpg` for everybody who was judged."""
    folder.mkdir(parents=True, exist_ok=True)
    looking = _looking(predictor.bundle)
    everybody = [on_one_scale(score, predictor.bundle) for each in scanned.scores for score in each]
    for person, scores in zip(scanned.persons, scanned.scores, strict=True):
        number = person.person + 1
        name = f"{of}-person{number}"
        title = f"{printable(scanned.path.name)}, person {number}: {_verdict(scanned, person)}"
        sheet = evidence_sheet(
            person,
            everybody,
            title=title,
            judgement=predictor.bundle.judgement,
            heat=warmed(predictor, person),
        )
        yield _written(folder / f"{name}.jpg", sheet)
        if looking is not None:
            attention = _attention(looking, person, scores, title)
            yield _written(folder / f"{name}-attention.jpg", attention)
        frame = telling_frame(scanned, predictor, person, scores, title)
        if frame is not None:
            yield _written(folder / f"{name}-frame.jpg", jpeg(frame))


def on_one_scale(score: WindowScore, bundle: Bundle) -> WindowScore:
    """Frames beside their stretch: what they say alone goes through the same curve."""
    if bundle.calibration is None:
        return score
    frames = tuple(map(bundle.calibration.window, score.frame_scores))
    return dataclasses.replace(score, frame_scores=frames)


def _looking(bundle: Bundle) -> "Looking | None":
    """What says where attention heads look, of a bundle that has some."""
    if bundle.architecture.trunk != ATTENTIVE:
        return None
    from unmask.model.variants.looking import Looking

    return Looking(bundle)


def _attention(
    looking: "Looking", person: PersonFrames, scores: Sequence[WindowScore], title: str
) -> bytes:
    """Where each attention head looks in the most telling faces."""
    from unmask.model.variants.looking import attention_sheet

    faces = [moment.face for moment in most_telling(person, scores, FACES)]
    return attention_sheet(faces, looking.at(faces), f"{title}; where each head looks")


def warmed(
    predictor: Predictor, person: PersonFrames
) -> Callable[[Sequence[Moment]], list[Frames]]:
    """Lays heat over moments of this person."""

    def heat(moments: Sequence[Moment]) -> list[Frames]:
        maps = _heat(predictor, person, moments)
        return [overlay(moment.face, each) for moment, each in zip(moments, maps, strict=True)]

    return heat


def telling_frame(
    scanned: Scanned,
    predictor: Predictor,
    person: PersonFrames,
    scores: Sequence[WindowScore],
    title: str,
) -> Frames | None:
    """The original frame of the most telling moment, heat where the face is, and words below."""
    [moment] = most_telling(person, scores, most=1)
    [heat] = _heat(predictor, person, [moment])
    with scanned.path.open("rb") as file, opened(file, Budget(Limits())) as source:
        picture = next(iter(source.pictures(max(0.0, moment.time_s - _INSTANT_S))), None)
        if picture is None:
            return None
        frame = picture.small_rgb(FRAME_PX)
        scale = frame.shape[1] / picture.view.size[0]
    found = "warm where the reasons for “fake” lie" if heat.any() else "no reasons for “fake” found"
    moves = lasts(score for each in scanned.scores for score in each)
    words = f"{title}{f', at {moment.time_s:.2f} s' if moves else ''}; {found}"
    return captioned(on_frame(frame, _scaled(_box(scanned, person, moment), scale), heat), words)


def _heat(predictor: Predictor, person: PersonFrames, moments: Sequence[Moment]) -> list[HeatMap]:
    """In the order of the moments; each window goes through the network once."""
    windows = {window.number: window for window in person.windows}
    frames: dict[int, list[int]] = {}
    for moment in moments:
        frames.setdefault(moment.window, []).append(moment.index)
    kind = kind_of(person)
    found = predictor.heat([Warmed(kind, windows[number], own) for number, own in frames.items()])
    maps = {
        (number, index): each
        for (number, own), hot in zip(frames.items(), found, strict=True)
        for index, each in zip(own, hot, strict=True)
    }
    return [maps[moment.window, moment.index] for moment in moments]


def _box(scanned: Scanned, person: PersonFrames, moment: Moment) -> Box:
    assert scanned.manifest is not None
    [page] = [each for each in scanned.manifest.persons if each.person == person.person]
    own = [frame for frame in page.frames if frame.window == moment.window]
    return own[moment.index].box


def _scaled(box: Box, scale: float) -> Box:
    return dataclasses.replace(
        box,
        x=box.x * scale,
        y=box.y * scale,
        width=box.width * scale,
        height=box.height * scale,
    )


def _written(target: Path, data: bytes) -> Path:
    target.write_bytes(data)
    return target


def _verdict(scanned: Scanned, person: PersonFrames) -> str:
    assert scanned.verdict is not None
    [judged] = [each for each in scanned.verdict.persons if each.index == person.person]
    sure = "" if judged.probability is None else f", {likely(judged.probability)}"
    return f"{judged.outcome}{sure}"
