"""Heat lies where the reasons are, and evidence sheets are pictures."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.making.bundles import CALIBRATION, person, window, write_bundle
from unmask.commands.sheets import on_one_scale
from unmask.judgement import Calibration, Judgement, Logistic, Rule, Thresholds
from unmask.media.values import Box
from unmask.model import golden
from unmask.model.bundle import BadBundle, open_bundle
from unmask.model.chart import draw_chart
from unmask.model.clips import Frames
from unmask.model.drawing import page, wrapped
from unmask.model.evidence import GAP, STILL, evidence_sheet, rests_on
from unmask.model.heat import Warmed, on_frame, overlay, scaled
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
    [beside, found] = predictor.heat(
        [Warmed("films", window(3, seed=9), [1]), Warmed("films", clip, range(4))]
    )
    assert len(beside) == 1
    assert np.stack(found) == pytest.approx(known, abs=1e-3)


def test_bf16_heat_is_finite(predictor: Predictor) -> None:
    [[heat]] = load(predictor.bundle, "cpu", "bf16").heat([Warmed("films", window(6, seed=2), [3])])
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


def test_the_hottest_spot_is_the_same_on_the_crop_and_on_the_whole_frame() -> None:
    heat = scaled(np.random.default_rng(4).random((4, 4)).astype(np.float32) ** 3)
    face = np.full((60, 60, 3), 100, np.uint8)
    frame = np.full((200, 300, 3), 100, np.uint8)
    placed = on_frame(frame, Box(x=40, y=50, width=60, height=60), heat)[50:110, 40:100]
    inside = (slice(3, -3), slice(3, -3))  # within the box that is drawn around it
    assert (placed[inside] == overlay(face, heat)[inside]).all()


def test_nothing_is_hotter_than_the_strongest_reason() -> None:
    """Between two strong ones nothing is made up: the hottest spot stays where the stronger is."""
    heat = np.full((5, 5), 0.2, np.float32)
    heat[2, 2:4] = 1.0, 0.95
    shown = overlay(np.zeros((225, 225, 3), np.uint8), heat).astype(int).sum(axis=2)
    row, column = np.nonzero(shown == shown.max())
    assert (row.mean(), column.mean()) == pytest.approx((112, 112), abs=4)


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


def test_the_sheet_of_a_picture_is_as_wide_as_what_is_on_it(predictor: Predictor) -> None:
    """It has no course in time; its only face is larger, and the heat stands beside it."""
    still = person(window(1, 1))
    [scores] = predictor.score([still])
    alone = _drawn(evidence_sheet(still, scores, title="picture.jpg, person 1: real, 12 %"))
    warm = _drawn(evidence_sheet(still, scores, heat=lambda some: [255 - m.face for m in some]))
    assert alone.shape[1] == STILL + 2 * GAP
    assert warm.shape[1] == 2 * STILL + 3 * GAP
    for sheet, faces in ((alone, 1), (warm, 2)):
        rows = sheet.shape[0] - GAP - STILL, sheet.shape[0] - GAP
        for left in range(GAP, GAP + faces * (STILL + GAP), STILL + GAP):
            face = sheet[slice(*rows), left : left + STILL]
            assert face.std() > 20, "a face"
        assert sheet[-GAP + 2 :].min() > 220, "and below it nothing"


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


THRESHOLDS = Thresholds(
    real=0.2,
    fake=0.96,
    real_called_fake=0.01,
    fake_called_real=0.05,
    real_unsure=0.2,
    fake_unsure=0.2,
)


#: Of a chart that is 996 pixels wide.
RIGHT_OF_PLOT = slice(996 - 127, None)


def chart(raw: float, thresholds: Thresholds | None) -> Frames:
    on = page(996, 170)
    seen = [score(number, raw, (raw,) * 5) for number in range(7)]
    draw_chart(on, seen, top=8, height=130, thresholds=thresholds)
    return on


@pytest.mark.parametrize("near", [THRESHOLDS, dataclasses.replace(THRESHOLDS, real=0.93)])
def test_nothing_is_drawn_over_what_the_thresholds_say(near: Thresholds) -> None:
    """Bars lie about a threshold near 1, and so does the line at 1 and another threshold."""
    high, low, bare = chart(0.97, near), chart(0.1, near), chart(0.97, None)
    words = (low != bare).any(axis=2)[:, RIGHT_OF_PLOT]
    assert words.any(axis=1).sum() > 16, "two lines of words"
    assert (high[:, RIGHT_OF_PLOT] == low[:, RIGHT_OF_PLOT]).all(), "wherever the bars are"
    assert (bare[:, RIGHT_OF_PLOT] > 250).all(), "and neither bars nor lines stand there"
    starts = np.flatnonzero(np.diff(words.any(axis=1).astype(int)) == 1)
    assert len(starts) >= 2, "with white between them"


@pytest.mark.parametrize(
    ("rule", "sharp", "said"),
    [
        (Rule(), 3, "The verdict is the mean of all stretches."),
        (Rule(top=2), 3, "The verdict is the mean of the 2 highest stretches."),
        (Rule(top=1), 3, "The verdict is the mean of the highest stretch."),
        (Rule(), 2, "The verdict is the mean of all stretches that are sharp enough."),
        (
            Rule(sharpness=2.0),
            3,
            "The verdict is the mean of all stretches, the higher ones counting more.",
        ),
    ],
)
def test_a_sheet_says_why_the_verdict_is_no_stretchs_number(
    rule: Rule, sharp: int, said: str
) -> None:
    plain = Calibration(window=Logistic(), item=Logistic())
    judgement = Judgement(untrained=False, calibration=plain, rule=rule, least_sharpness=15.0)
    stretches = [
        dataclasses.replace(score(n, 0.5, ()), sharpness=80.0 if n < sharp else 3.0)
        for n in range(3)
    ]
    assert list(rests_on(stretches, judgement)) == [said]
    once_more = Calibration(window=Logistic(), item=Logistic(slope=2.0))
    again = dataclasses.replace(judgement, calibration=once_more)
    assert list(rests_on(stretches, again)) == [said[:-1] + ", calibrated once more."]
    assert not list(rests_on(stretches[:1], judgement)), "one stretch is the verdict"


def test_a_sheet_with_a_verdict_says_more(predictor: Predictor) -> None:
    clips = person(*(window(4, n, number=n) for n in range(3)))
    [scores] = predictor.score([clips])
    told = [dataclasses.replace(one, probability=one.raw) for one in scores]
    plain = Calibration(window=Logistic(), item=Logistic())
    judgement = Judgement(untrained=False, calibration=plain)
    with_words = _drawn(evidence_sheet(clips, told, judgement=judgement))
    without = _drawn(evidence_sheet(clips, told))
    assert (with_words[:50, :900] != without[:50, :900]).any()


def test_words_are_broken_between_lines() -> None:
    words = "one two three four five six seven"
    lines = wrapped(words, px=9, width=90, most=9)
    assert " ".join(lines) == words
    assert len(lines) > 2
    assert wrapped(words, px=9, width=90, most=2) == [lines[0], words[len(lines[0]) + 1 :]]
    assert wrapped("", px=9, width=90, most=2) == []


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
