"""One file, from its bytes to a verdict, without queue or database."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import Refused
from unmask.media import extract
from unmask.media.values import Limits, Manifest
from unmask.model.clips import PersonFrames
from unmask.model.persons import all_frames
from unmask.model.predict import Predictor
from unmask.outcomes import Outcome
from unmask.spec import ScanSpec
from unmask.verdict import Verdict, WindowScore, judge


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """What became of a file. Without a verdict, `outcome` and `reason` say why there is none."""

    path: Path
    outcome: Outcome
    reason: str
    manifest: Manifest | None = None
    verdict: Verdict | None = None
    persons: Sequence[PersonFrames] = ()
    scores: Sequence[Sequence[WindowScore]] = ()


def scan_file(path: Path, predictor: Predictor, spec: ScanSpec, limits: Limits) -> Scanned:
    """Never raises for what is wrong with the file: that is its outcome."""
    try:
        manifest, clips = extracted(path, spec, limits)
    except Refused as refusal:
        return Scanned(path=path, outcome=refusal.outcome, reason=refusal.reason)
    except OSError as error:
        return Scanned(path=path, outcome=Outcome.UNREACHABLE, reason=f"{error.strerror}")
    if manifest.outcome is not None:
        return Scanned(
            path=path, outcome=manifest.outcome, reason=manifest.reason, manifest=manifest
        )
    return _judged(path, predictor, manifest, clips)


def extracted(path: Path, spec: ScanSpec, limits: Limits) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest of a file, and its clips by their hash."""
    clips: dict[str, bytes] = {}
    with path.open("rb") as file:
        for found in extract(file, spec, limits):
            if isinstance(found, Manifest):
                return found, clips
            clips[found.sha256] = found.data
    raise RuntimeError("extraction ended without a manifest")


def _judged(
    path: Path, predictor: Predictor, manifest: Manifest, clips: dict[str, bytes]
) -> Scanned:
    persons = all_frames(manifest, clips)
    scores = predictor.score(persons)
    flat = [score for each in scores for score in each]
    verdict = judge(flat, predictor.bundle.judgement)
    return Scanned(
        path=path,
        outcome=verdict.outcome,
        reason=verdict.reason,
        manifest=manifest,
        verdict=verdict,
        persons=persons,
        scores=scores,
    )
