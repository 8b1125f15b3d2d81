"""`python -m bench fast_path MODEL FOLDER`: what the fast path costs in quality, on labelled media.

FOLDER holds pictures and videos below `fake/` and `real/`, or tars of labelled face crops, of which
the test part is taken. Each is cut once and scored twice: in float32, and as this machine serves
it. The AUC is over files, each at its most suspicious window, or over crops.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import torch

from bench.held_out import asked, crops
from unmask.errors import Refused
from unmask.media import warm
from unmask.media.values import Limits
from unmask.model.bundle import Bundle
from unmask.model.clips import PersonFrames
from unmask.model.persons import all_frames
from unmask.model.predict import Predictor, load
from unmask.model.shelf import find_bundle
from unmask.scan import extracted
from unmask.train.metrics import auc

LABELS = ("fake", "real")


def main() -> None:
    given = asked("fast_path", __doc__, "with fake/ and real/ in it, or tars")
    print(json.dumps(compared(find_bundle(given.model), given.folder)))


def compared(bundle: Bundle, folder: Path) -> dict[str, object]:
    warm((bundle.spec.detector,))
    exact, fast = load(bundle, precision="fp32"), load(bundle)
    fake, slow, quick = list[bool](), list[float](), list[float]()
    for is_fake, people in labelled(bundle, folder):
        fake.append(is_fake)
        slow.append(_highest(exact, people))
        quick.append(_highest(fast, people))
    if len(set(fake)) < len(LABELS):
        raise SystemExit(f"{folder}: it needs both: faces in fake/ and in real/, or in tars")
    one, other = auc(slow, fake), auc(quick, fake)
    return {
        "machine": torch.cuda.get_device_name() if fast.device != "cpu" else "cpu",
        "precision": fast.precision,
        "files": len(fake),
        "auc_fp32": one,
        "auc_fast": other,
        "auc_loss": one - other,
        "largest_change": max(abs(a - b) for a, b in zip(slow, quick, strict=True)),
    }


def labelled(bundle: Bundle, folder: Path) -> Iterator[tuple[bool, list[PersonFrames]]]:
    """Files in which somebody is found; the others say nothing of a network."""
    if any(folder.glob("*.tar")):
        yield from ((is_fake, [person]) for is_fake, person in crops(folder))
        return
    for label in LABELS:
        for path in sorted(path for path in (folder / label).rglob("*") if path.is_file()):
            people = _people(bundle, path)
            if people:
                yield label == LABELS[0], people


def _people(bundle: Bundle, path: Path) -> list[PersonFrames]:
    try:
        return all_frames(*extracted(path, bundle.spec, Limits()))
    except Refused as refusal:
        print(f"{path}: {refusal}")
        return []


def _highest(predictor: Predictor, people: list[PersonFrames]) -> float:
    return max(score.raw for own in predictor.score(people) for score in own)
