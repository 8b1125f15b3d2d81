from tasks.brake import ENOUGH, LATELY, Brake, Counts


def test_dead_items_trip_it_once_enough_are_dead() -> None:
    brake = Brake()
    assert brake.trips("one", Counts()) is None
    few = Counts(dead=ENOUGH - 1)
    assert brake.trips("one", few) is None
    assert brake.trips("one", Counts(dead=ENOUGH, done=2)) == "dead"


def test_failed_tries_trip_it_before_anything_is_dead() -> None:
    brake = Brake()
    brake.trips("one", Counts())
    assert brake.trips("one", Counts(failed=ENOUGH, done=1)) == "failed"


def test_failures_among_much_that_goes_well_do_not() -> None:
    brake = Brake()
    brake.trips("one", Counts())
    assert brake.trips("one", Counts(failed=2 * ENOUGH, done=2 * ENOUGH)) is None


def test_items_that_are_cut_well_count_before_anybody_judges_them() -> None:
    """The classifier starts, loads its model or is behind."""
    brake = Brake()
    brake.trips("one", Counts())
    assert brake.trips("one", Counts(dead=ENOUGH, failed=ENOUGH, cut=ENOUGH)) is None


def test_a_backlog_that_is_judged_well_counts_too() -> None:
    """One item in two dies of what was cut long ago: nothing new is cut, and much is answered."""
    brake = Brake()
    brake.trips("one", Counts(cut=10 * LATELY))
    left = 10 * LATELY - 2 * ENOUGH
    assert brake.trips("one", Counts(dead=ENOUGH, done=ENOUGH, cut=left)) is None


def test_a_classifier_that_kills_what_is_cut_trips_it() -> None:
    brake = Brake()
    brake.trips("one", Counts(cut=ENOUGH))
    assert brake.trips("one", Counts(dead=ENOUGH, cut=ENOUGH)) == "dead"


def test_what_is_queued_again_is_counted_anew() -> None:
    """Those that were dead stand among the cut ones again, and die once more."""
    brake = Brake()
    brake.trips("one", Counts(dead=ENOUGH, done=1))
    brake.trips("one", Counts(cut=ENOUGH, done=1))
    assert brake.trips("one", Counts(dead=ENOUGH, done=1)) == "dead"


def test_silence_trips_it_and_a_single_answer_in_ten_does_not() -> None:
    brake = Brake()
    brake.trips("one", Counts())
    assert brake.trips("one", Counts(silent=ENOUGH, answered=ENOUGH // 5)) is None
    assert brake.trips("one", Counts(silent=4 * ENOUGH, answered=ENOUGH // 5)) == "silent"


def test_who_resumes_begins_with_a_clean_count() -> None:
    brake = Brake()
    brake.trips("one", Counts())
    assert brake.trips("one", Counts(failed=ENOUGH)) == "failed"
    assert brake.trips("one", Counts(failed=ENOUGH)) is None
    assert brake.trips("one", Counts(failed=2 * ENOUGH)) == "failed"


def test_lately_is_lately() -> None:
    brake = Brake()
    brake.trips("one", Counts())
    well = Counts(done=LATELY)
    assert brake.trips("one", well) is None
    assert brake.trips("one", Counts(done=LATELY, failed=ENOUGH)) == "failed"


def test_campaigns_are_told_apart() -> None:
    brake = Brake()
    brake.trips("one", Counts())
    brake.trips("two", Counts(failed=10 * ENOUGH))
    assert brake.trips("two", Counts(failed=10 * ENOUGH)) is None
