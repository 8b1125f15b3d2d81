"""Figures against values worked out by hand."""

import math

import pytest

from unmask.train import metrics

SCORES = [0.9, 0.8, 0.7, 0.4, 0.3, 0.1]
FAKE = [True, True, False, True, False, False]


def test_auc_counts_pairs_in_the_right_order() -> None:
    assert metrics.auc(SCORES, FAKE) == pytest.approx(8 / 9)


def test_ties_count_half() -> None:
    assert metrics.auc([0.5, 0.5], [True, False]) == 0.5
    assert metrics.auc([0.5, 0.5, 0.9], [True, False, True]) == pytest.approx(0.75)


def test_equal_error_rate_lies_where_the_two_errors_meet() -> None:
    assert metrics.equal_error_rate(SCORES, FAKE) == pytest.approx(1 / 3)
    assert metrics.equal_error_rate([0.9, 0.1], [True, False]) == 0


def test_average_precision_weighs_precision_by_recall() -> None:
    assert metrics.average_precision(SCORES, FAKE) == pytest.approx((1 + 1 + 3 / 4) / 3)


def test_log_loss() -> None:
    assert metrics.log_loss([0.8, 0.4], [True, False]) == pytest.approx(
        -(math.log(0.8) + math.log(0.6)) / 2
    )


def test_confusion_and_what_follows_from_it() -> None:
    found = metrics.confusion(SCORES, FAKE, threshold=0.5)
    assert (found.hits, found.alarms, found.passed, found.misses) == (2, 1, 2, 1)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("scores", "labels", "says"),
    [
        ([0.1, 0.2], [True, True], "both fake and real"),
        ([0.1, math.nan], [True, False], "not finite"),
        ([0.1], [True, False], "labels"),
    ],
)
def test_what_can_not_be_measured_is_refused(
    scores: list[float], labels: list[bool], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        metrics.auc(scores, labels)
