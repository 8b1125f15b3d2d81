"""Heat lies where the reasons are, and evidence sheets are pictures."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.making.bundles import CALIBRATION, person, window, write_bundle
from unmask.commands.sheets import on_one_scale
from unmask.media.values import Box
from unmask.model import golden
from unmask.model.bundle import BadBundle, open_bundle
from unmask.model.clips import Frames
from unmask.model.evidence import evidence_sheet
from unmask.model.heat import on_frame, overlay, scaled
from unmask.model.predict import Predictor, build, load
from unmask.model.telling import most_telling
from unmask.model.write import add_golden, write_description
from unmask.verdict import WindowScore


@pytest.fixture(scope="module", params=["time", "frame"])
def predictor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Predictor:
    architecture = {"trunk": "mobilenet_v2", "width": 32, "recurrence": request.param}
    return load(
        write_bundle(tmp_path_factory.mktemp("tiny"), architecture=architecture), "cpu", "fp32"
    )


def test_heat_is_the_gradient_of_the_margin(predictor: Predictor) -> None:
    """Against autograd through the network as it is trained, by the definition of Grad-CAM."""
    clip = window(4, seed=2)
    network = build(predictor.bundle)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pictures = ((torch.from_numpy(clip.frames) / 255 - mean) / deviation).permute(0, 3, 1, 2)
    maps = network.trunk(pictures).detach().requires_grad_()
    scores = network.score(maps.mean(dim=(2, 3))[None], torch.tensor([4]))
    alone = network.architecture.recurrence == "frame"
    logits = scores.frame_logits[0].sum(dim=0) if alone else scores.logits[0]
    [gradient] = torch.autograd.grad(logits[0] - logits[1], maps)
    cams = (gradient.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1).relu().detach().numpy()
    known = cams / cams.max(axis=(1, 2), keepdims=True)
    [beside, found] = predictor.heat([(window(3, seed=9), [1]), (clip, range(4))])
    assert len(beside) == 1
    assert np.stack(found) == pytest.approx(known, abs=1e-3)


def test_bf16_heat_is_finite(predictor: Predictor) -> None:
    [[heat]] = load(predictor.bundle, "cpu", "bf16").heat([(window(6, seed=2), [3])])
    assert np.isfinite(heat).all()
    assert 0 <= heat.min() <= heat.max() <= 1


def test_overlay_warms_only_the_hot_part() -> None:
    face = np.full((112, 112, 3), 100, np.uint8)
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 1
    shown = overlay(face, heat)
    assert (shown[80:, 80:] == 100).all()
    assert shown[5, 5, 0] > 150
    assert (overlay(face, np.zeros((4, 4), np.float32)) == face).all()


def test_heat_is_placed_back_where_the_face_is() -> None:
    frame = np.full((200, 300, 3), 100, np.uint8)
    heat = np.ones((4, 4), np.float32)
    shown = on_frame(frame, Box(x=40, y=50, width=60, height=60), heat)
    assert shown[80, 70, 0] > 150
    assert (shown[:45] == 100).all()
    assert (shown[:, 105:] == 100).all()
    beyond = on_frame(frame, Box(x=-30, y=170, width=60, height=60), heat)
    assert beyond[190, 5, 0] > 150
    assert (beyond[:165] == 100).all()
    assert (on_frame(frame, Box(x=400, y=0, width=60, height=60), heat) == frame).all()


def test_no_reasons_stay_no_reasons() -> None:
    assert scaled(np.zeros((4, 4), np.float32)).max() == 0


def score(number: int, raw: float, frames: tuple[float, ...]) -> WindowScore:
    return WindowScore(
        person=0, window=number, start_s=float(number), end_s=number + 0.2,
        frames=len(frames), raw=raw, frame_scores=frames,
    )  # fmt: skip


def test_the_most_telling_moments_are_spread() -> None:
    clips = person(*(window(6, seed, number=seed) for seed in range(3)))
    clips = person(*(w._replace(times=tuple(w.number + t for t in w.times)) for w in clips.windows))
    scores = [
        score(n, raw, (0.1, 0.2, 0.9, 0.8, 0.1, 0.1)) for n, raw in enumerate((0.2, 0.9, 0.5))
    ]
    moments = most_telling(clips, scores, most=3)
    assert [(moment.window, moment.index) for moment in moments] == [(0, 2), (1, 2), (2, 2)]
    assert [moment.window for moment in most_telling(clips, scores, most=1)] == [1]
    assert len(most_telling(clips, scores, most=18)) == 18


def test_evidence_sheet_is_a_picture_with_faces_and_heat(predictor: Predictor) -> None:
    frames = golden.drawn_clip(8)
    clips = person(*(window(8, n, number=n)._replace(frames=frames) for n in range(2)))
    [scores] = predictor.score([clips])
    plain = evidence_sheet(clips, scores)
    warm = evidence_sheet(
        clips,
        scores,
        heat=lambda moments: [overlay(m.face, np.ones((4, 4), np.float32)) for m in moments],
    )
    sizes = []
    for sheet in (plain, warm):
        picture = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        sizes.append(picture.shape)
    assert sizes[1][0] > sizes[0][0]
    assert sizes[0][1] == sizes[1][1]


def _drawn(sheet: bytes) -> Frames:
    picture = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_the_sheet_of_a_picture_has_no_course_in_time(predictor: Predictor) -> None:
    film, still = person(window(4, 1)), person(window(1, 1))
    tall, low = (_drawn(evidence_sheet(each, *predictor.score([each]))) for each in (film, still))
    assert low.shape[0] < tall.shape[0] - 100


def test_without_any_heat_no_second_row_pretends_to_some(predictor: Predictor) -> None:
    clips = person(window(4, 1))
    [scores] = predictor.score([clips])
    plain = _drawn(evidence_sheet(clips, scores))
    cold = _drawn(evidence_sheet(clips, scores, heat=lambda moments: [m.face for m in moments]))
    assert cold.shape == plain.shape
    assert (cold[:46] != plain[:46]).any(), "it is said so"


@pytest.mark.parametrize("title", ["m" * 400, "名" * 200, "a.mp4"])
def test_words_stay_on_the_sheet(predictor: Predictor, title: str) -> None:
    clips = person(window(4, 1))
    sheet = _drawn(evidence_sheet(clips, *predictor.score([clips]), title=title))
    assert sheet[:30, -8:].min() > 230, "the margin stays empty"
    assert sheet[:30, :200].min() < 120


def test_frames_are_told_on_the_scale_of_their_stretch(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, untrained=False, calibration=CALIBRATION)
    [[one]] = load(bundle, "cpu", "fp32").score([person(window(1, 1))])
    assert one.probability is not None
    assert one.frame_scores != pytest.approx((one.probability,))
    assert on_one_scale(one, bundle).frame_scores == pytest.approx((one.probability,), abs=1e-4)


def test_self_test_refuses_a_machine_that_answers_otherwise(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path)
    add_golden(bundle)
    bundle = open_bundle(tmp_path)
    load(bundle, "cpu", "fp32").self_test()
    load(bundle, "cpu", "bf16").self_test()
    assert bundle.golden is not None
    wrong = dataclasses.replace(bundle.golden, margin=bundle.golden.margin + 1)
    write_description(tmp_path, dataclasses.replace(bundle.description, golden=wrong))
    with pytest.raises(BadBundle, match="golden clip"):
        load(open_bundle(tmp_path), "cpu", "fp32").self_test()
