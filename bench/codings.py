"""`python -m bench codings`: how a face clip may be coded, and what each way costs.

Decoding to RGB on one core, mean error, size of 150 frames, and how much scores change against
crops that were never coded. Faces come from real films where UNMASK_DATA names a folder that holds
`ffpp_c23`, otherwise from films made here; CODINGS_MODEL names the bundle (`lite`).
"""

import dataclasses
import io
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.made.film import coded
from bench.made.truth import CONDITIONS
from bench.real_films import FILMS
from bench.timing import quiet
from unmask.media import extract, warm
from unmask.media.coding import decode, encode
from unmask.media.values import Clip, Limits, Manifest
from unmask.model.clips import PersonFrames
from unmask.model.persons import all_frames
from unmask.model.predict import Predictor, load
from unmask.model.shelf import find_bundle
from unmask.spec import ScanSpec
from unmask.verdict import WindowScore, judge

MODEL = os.environ.get("CODINGS_MODEL", "lite")
REAL_FILMS = 6
FILM_FRAMES = 160
#: Of each film, so that the model does not keep the machine for an hour.
WINDOWS, PEOPLE = 2, 1
TIMED_FRAMES, RUNS = 300, 5
#: What is wanted of the chosen coding.
WANTED, CHANGE_ALLOWED = 5_000, 0.005

Frames = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Coding:
    """A way to bytes and back, for all frames of a clip."""

    name: str
    write: Callable[[Frames], list[bytes]]
    read: Callable[[list[bytes]], list[Any]]


def main() -> None:
    warm()
    cv2.setNumThreads(1)
    # In full precision: rounding to bf16 changes scores more than a good coding does.
    predictor = load(find_bundle(MODEL), device="cpu", precision="fp32")
    # A PNG keeps every bit: what is cut under this spec was never coded.
    uncoded = dataclasses.replace(
        predictor.bundle.spec, coding="png", windows=WINDOWS, persons=PEOPLE
    )
    items = [found for film in _films() if (found := _people(film, uncoded))]
    frames = np.concatenate([w.frames for item in items for p in item for w in p.windows])
    kind = f"{len(items)} {'real' if FILMS else 'made'} films, {len(frames)} faces"
    trained = "untrained" if predictor.bundle.untrained else "trained"
    print(f"{kind}; model {predictor.bundle.name} ({trained}); {quiet()}")
    print(f"{'coding':20} {'frames/s':>9} {'error':>6} {'kB/150':>7}", end="")
    print(f" {'window: mean, most':>15} {'verdict: mean, most':>15} flips")
    before = [_scores(predictor, item) for item in items]
    rows = [_row(coding, frames, items, predictor, before) for coding in CODINGS]
    print(json.dumps({"model": predictor.bundle.digest, "codings": rows}))


def _films() -> Iterator[bytes]:
    if FILMS:
        step = max(1, len(FILMS) // REAL_FILMS)
        yield from (film.path.read_bytes() for film in FILMS[::step])
        return
    for condition in CONDITIONS.values():
        yield coded(condition.film(FILM_FRAMES).pictures)


def _people(film: bytes, spec: ScanSpec) -> list[PersonFrames]:
    *clips, manifest = extract(io.BytesIO(film), spec, Limits())
    assert isinstance(manifest, Manifest)
    return all_frames(
        manifest, {clip.sha256: clip.data for clip in clips if isinstance(clip, Clip)}
    )


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What is shown of a file: every window, the file itself, and the word for it."""

    windows: list[float]
    item: float
    outcome: str


def _scores(predictor: Predictor, item: Sequence[PersonFrames]) -> Scores:
    by_person, judgement = predictor.score(item), predictor.bundle.judgement
    verdict = judge([score for person in by_person for score in person], judgement)
    shown = [[_shown(score) for score in person] for person in by_person]
    # Nothing is shown of an uncalibrated model; its raw scores stand in.
    raw = max(judgement.rule(person) for person in shown)
    return Scores(
        windows=[score for person in shown for score in person],
        item=raw if verdict.probability is None else verdict.probability,
        outcome=verdict.outcome,
    )


def _shown(score: WindowScore) -> float:
    return score.raw if score.probability is None else score.probability


def _row(
    coding: Coding,
    frames: Frames,
    people: Sequence[Sequence[PersonFrames]],
    predictor: Predictor,
    before: Sequence[Scores],
) -> dict[str, Any]:
    written = coding.write(frames)
    shown = np.stack(coding.read(written))
    after = [_scores(predictor, [_through(coding, person) for person in item]) for item in people]
    pairs = list(zip(before, after, strict=True))
    windows = [
        abs(one - other)
        for old, new in pairs
        for one, other in zip(old.windows, new.windows, strict=True)
    ]
    items = [abs(old.item - new.item) for old, new in pairs]
    row: dict[str, Any] = {
        "coding": coding.name,
        "frames_per_s": round(_speed(coding, frames[:TIMED_FRAMES])),
        "error": round(float(np.abs(shown.astype(np.int16) - frames).mean()), 2),
        "kb_per_150": round(sum(map(len, written)) / len(frames) * 150 / 1000),
        "window_mean": round(statistics.fmean(windows), 4),
        "window_most": round(max(windows), 4),
        "verdict_mean": round(statistics.fmean(items), 4),
        "verdict_most": round(max(items), 4),
        "flips": sum(old.outcome != new.outcome for old, new in pairs),
    }
    row["fits"] = row["frames_per_s"] >= WANTED and row["verdict_most"] <= CHANGE_ALLOWED
    print(
        f"{coding.name:20} {row['frames_per_s']:9,} {row['error']:6.2f} {row['kb_per_150']:7,} "
        f"{row['window_mean']:7.4f} {row['window_most']:7.4f} "
        f"{row['verdict_mean']:7.4f} {row['verdict_most']:7.4f} {row['flips']:5} "
        f"{'fits' if row['fits'] else ''}",
        flush=True,
    )
    return row


def _through(coding: Coding, person: PersonFrames) -> PersonFrames:
    windows = tuple(
        window._replace(frames=np.stack(coding.read(coding.write(window.frames))))
        for window in person.windows
    )
    return dataclasses.replace(person, windows=windows)


def _speed(coding: Coding, frames: Frames) -> float:
    written = coding.write(frames)
    taken = []
    for _ in range(RUNS):
        started = time.process_time()
        coding.read(written)
        taken.append(time.process_time() - started)
    return len(frames) / statistics.median(taken)


def _still(name: str, kind: str, *options: int) -> Coding:
    def write(frames: Frames) -> list[bytes]:
        bgr = (cv2.cvtColor(frame, cv2.COLOR_RGB2BGR) for frame in frames)
        return [cv2.imencode(kind, each, options)[1].tobytes() for each in bgr]

    return Coding(name=name, write=write, read=_read_stills)


def _ours(name: str) -> Coding:
    return Coding(
        name=name,
        write=lambda frames: [encode(frame, name) for frame in frames],
        read=_read_stills,
    )


def _quick_webp(frames: Frames) -> list[bytes]:
    """OpenCV writes the slow way only."""
    written = []
    for frame in frames:
        target = io.BytesIO()
        Image.fromarray(frame).save(target, "WEBP", lossless=True, method=0, quality=0)
        written.append(target.getvalue())
    return written


def _read_stills(written: list[bytes]) -> list[Any]:
    return [decode(each) for each in written]


def _video(name: str, codec: str, pixels: str, **options: str) -> Coding:
    def write(frames: Frames) -> list[bytes]:
        target = io.BytesIO()
        with av.open(target, "w", format="matroska") as output:
            stream: Any = output.add_stream(codec, rate=25, options=options)
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt, stream.codec_context.thread_count = pixels, 1
            for index, frame in enumerate(frames):
                picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
                picture.pts, picture.time_base = index, Fraction(1, 25)
                output.mux(stream.encode(picture))
            output.mux(stream.encode(None))
            output.close()
            return [target.getvalue()]

    return Coding(name=name, write=write, read=_read_video)


def _read_video(written: list[bytes]) -> list[Any]:
    with av.open(io.BytesIO(written[0]), "r") as film:
        film.streams.video[0].codec_context.thread_count = 1
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


_FULL, _HALF = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
_SAMPLING, _QUALITY = cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_QUALITY

CODINGS = [
    _ours("jpeg444-q90"),
    *(
        _still(f"JPEG 4:4:4 q{quality}", ".jpg", _QUALITY, quality, _SAMPLING, _FULL)
        for quality in (80, 85, 95, 98, 100)
    ),
    *(
        _still(f"JPEG 4:2:0 q{quality}", ".jpg", _QUALITY, quality, _SAMPLING, _HALF)
        for quality in (90, 95)
    ),
    _ours("mjpg"),
    _still("WebP q80", ".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
    _still("WebP q90", ".webp", cv2.IMWRITE_WEBP_QUALITY, 90),
    _still("WebP lossless", ".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
    _ours("qoi"),
    _ours("png"),
    _still("PNG level 3", ".png", cv2.IMWRITE_PNG_COMPRESSION, 3),
    Coding(name="WebP lossless quick", write=_quick_webp, read=_read_stills),
    _video("H.264 4:2:0 crf 18", "libx264", "yuv420p", preset="medium", crf="18"),
    _video("H.264 4:4:4 crf 12", "libx264", "yuv444p", preset="medium", crf="12"),
    _video("VP9 4:2:0 crf 20", "libvpx-vp9", "yuv420p", crf="20", deadline="realtime"),
]


if __name__ == "__main__":
    main()
