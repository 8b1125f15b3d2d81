"""Tables of figures from scores that are known, and intervals that hold groups together."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.making.figures import ITEMS, whole
from unmask.train.bootstrap import Interval, interval
from unmask.train.evaluation import Evaluation
from unmask.train.figures import by_method, curve, levels, outcomes, reliability
from unmask.train.page import plain, rendered, summary, write_report


def test_each_method_stands_against_all_reals() -> None:
    table = by_method(ITEMS)
    assert (table["Deepfakes"]["fakes"], table["Deepfakes"]["reals"]) == (2, 3)
    assert table["Deepfakes"]["auc"].value == pytest.approx(5 / 6)
    assert table["FaceSwap"]["auc"].value == pytest.approx(1 / 3)
    assert table["Deepfakes"]["auc of averaged frames"].value == pytest.approx(5 / 6)
    assert table["FaceSwap"]["added by time"].value == pytest.approx(1 / 3 - 1)


def test_levels_count_frames_windows_and_items() -> None:
    found = levels(ITEMS)
    assert {name: len(each.scores) for name, each in found.items()} == {
        "frame": 12,
        "window": 6,
        "video": 6,
    }
    figures = found["video"].figures(draws=20)
    assert figures["auc"].value == pytest.approx(6 / 9)
    assert figures["accuracy"].value == pytest.approx(4 / 6)
    assert found["video"].confusion() == {"hits": 2, "alarms": 1, "passed": 2, "misses": 1}


def test_outcomes_are_counted_by_label() -> None:
    found = outcomes(ITEMS)
    assert found["real"] == {"real": 1, "unsure": 1, "fake": 1}
    assert found["fake"] == {"real": 1, "unsure": 0, "fake": 2}
    assert found["reals called fake"].value == pytest.approx(1 / 3)


def test_reliability_says_what_is_true_of_each_part() -> None:
    parts = reliability(ITEMS, bins=2)
    assert [part["true"] for part in parts] == pytest.approx([1 / 3, 2 / 3])
    assert [part["said"] for part in parts] == pytest.approx([0.7 / 3, 2.7 / 3])
    assert curve(ITEMS)[0] == (0, 0)
    assert curve(ITEMS)[-1] == (1, 1)


def test_an_interval_is_wider_where_groups_are_few() -> None:
    values = np.random.default_rng(0).normal(size=400)

    def mean(some: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> float:
        return float(values[some].mean())

    apart = interval(mean, [str(i) for i in range(400)])
    # Two hundred members each: a group's draw moves half of the items at once.
    values = np.where(np.arange(400) < 200, values + 1, values - 1)
    together = interval(mean, [str(i // 200) for i in range(400)])
    assert apart.low is not None
    assert apart.high is not None
    assert together.low is not None
    assert together.high is not None
    assert together.high - together.low > 5 * (apart.high - apart.low)
    assert apart.low < apart.value < apart.high


def test_a_figure_that_most_draws_lack_has_no_interval() -> None:
    def picky(some: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> float:
        if len(set(some.tolist())) < 4:
            raise ValueError("too few")
        return 1.0

    assert interval(picky, ["a", "b", "c", "d"]) == Interval(1.0, None, None)


def test_one_group_alone_is_no_certainty() -> None:
    assert interval(lambda some: float(len(some)), ["a", "a", "a"]) == Interval(3.0, None, None)


def test_the_page_needs_nothing_from_outside_and_escapes_what_it_shows(tmp_path: Path) -> None:
    found = Evaluation(report=whole(), scored=ITEMS, faces={"f.mp4": "data:image/jpeg;base64,AA"})
    page, data, items = write_report(found, tmp_path)
    text = page.read_text()
    assert text.count('src="data:image/jpeg;base64,AA"') == 1
    assert items.read_text().splitlines()[3:5] == [
        "c.mp4,real,3,0.9,0.9,fake",
        "d.mp4,Deepfakes,1,0.95,0.95,fake",
    ]
    assert "http" not in text
    assert "made &lt;up&gt;" in text
    assert "Deepfakes" in text
    assert "<polyline" in text
    told = json.loads(data.read_text())
    assert told["by method"]["FaceSwap"]["auc"]["value"] == pytest.approx(0.33333)
    assert [one["source"] for one in told["worst mistakes"]] == ["c.mp4", "f.mp4"]
    assert "data:image" not in data.read_text()
    assert "data:image" not in rendered(whole())


def test_figures_stand_with_their_intervals() -> None:
    assert "0.912<small>0.880–0.940</small>" in rendered(
        whole() | {"robustness": {"JPEG": {"Deepfakes": Interval(0.912, 0.88, 0.94)}}}
    )
    assert plain({"a": (Interval(0.5, None, 1.0), 2)}) == {
        "a": [{"value": 0.5, "low": None, "high": 1.0}, 2]
    }
    assert any("FaceSwap: video auc 0.333" in line for line in summary(whole()))
