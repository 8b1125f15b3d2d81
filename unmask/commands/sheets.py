"""Evidence sheets of a scanned file: one per person, and the frame each was told by."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from unmask.model.clips import Frames, PersonFrames
from unmask.model.evidence import evidence_sheet
from unmask.model.heat import HeatMap, overlay
from unmask.model.predict import Predictor
from unmask.model.telling import Moment
from unmask.scan import Scanned


def write_sheets(scanned: Scanned, predictor: Predictor, folder: Path) -> Iterator[Path]:
    """Writes `NAME-personN.jpg` for everybody who was judged."""
    folder.mkdir(parents=True, exist_ok=True)
    for person, scores in zip(scanned.persons, scanned.scores, strict=True):
        sheet = evidence_sheet(
            person,
            scores,
            title=f"{scanned.path.name}, person {person.person}: {_verdict(scanned, person)}",
            thresholds=predictor.bundle.thresholds,
            heat=warmed(predictor, person),
        )
        target = folder / f"{scanned.path.stem}-person{person.person}.jpg"
        target.write_bytes(sheet)
        yield target


def warmed(
    predictor: Predictor, person: PersonFrames
) -> Callable[[Sequence[Moment]], list[Frames]]:
    """Lays heat over moments of this person, each window's frames on one scale."""
    windows = {window.number: window for window in person.windows}

    def heat(moments: Sequence[Moment]) -> list[Frames]:
        maps: dict[tuple[int, int], HeatMap] = {}
        for number in {moment.window for moment in moments}:
            frames = [moment.index for moment in moments if moment.window == number]
            found = predictor.heat(windows[number], frames)
            maps |= {(number, i): each for i, each in zip(frames, found, strict=True)}
        return [overlay(m.face, maps[m.window, m.index]) for m in moments]

    return heat


def _verdict(scanned: Scanned, person: PersonFrames) -> str:
    assert scanned.verdict is not None
    [judged] = [each for each in scanned.verdict.persons if each.person == person.person]
    sure = "" if judged.probability is None else f" ({judged.probability:.0%})"
    return f"{judged.outcome}{sure}"
