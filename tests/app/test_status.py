"""What a person reads of a campaign: status, live view and closing table, at every width."""

import dataclasses
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from producer.closing import summary
from producer.scan import Watching
from producer.status import (
    cost,
    dead_json,
    dead_text,
    resting_line,
    span,
    status_json,
    status_text,
)
from producer.view import LiveView, line, render
from schemas.pace import left_s, rate_per_s
from schemas.records import CampaignStatus, Failure, Priority, Resting, ResultRow
from schemas.stages import Stage
from tests.app.made_up import AT, NAME, Rows, campaign, judged, person, row
from unmask.outcomes import Outcome

WIDTHS = (60, 80, 120)
EVIL = "https://x.example/\x1b[2J[bold]a-very-long-name-that-goes-on-and-on-interview.mp4"
OUTCOMES = Path(__file__).resolve().parents[2] / "docs" / "reference" / "outcomes.md"
FAILURE = Failure(item=4, uri="a.mp4", at=AT, outcome=Outcome.DEAD, reason="killed", log="why")
RESTING = Resting(name="slow.example", reason="HTTP 503\x1b[2J[bold]", for_s=30, trouble=3)
ROWS = [
    judged(1, [person(1, [0.99], {}, every_s=3)], reason="person 1: >99 % likely fake"),
    judged(2, [person(1, [0.5, 0.6], {}, every_s=3)], reason="person 1: 60 % likely fake"),
    judged(3, [person(1, [0.1], {}, every_s=3)]),
    row(4, Outcome.UNREACHABLE, uri=EVIL, reason="HTTP 404\x1b]0;x\x07"),
    row(5, Outcome.DEAD, reason="killed"),
    row(6, None),
]


def status(rows: list[ResultRow] | None = None, **changes: Any) -> CampaignStatus:
    made = Rows(ROWS if rows is None else rows, campaign()).status(NAME)
    return dataclasses.replace(made, **changes)


def shown(content: RenderableType, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(content, highlight=False)
    return cast("io.StringIO", console.file).getvalue()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_closing_table_fits_and_names_every_verdict(width: int) -> None:
    lines = shown(summary(status(), ROWS), width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert len(lines) < 24
    text = "\n".join(lines)
    for verdict in ("fake", "unsure", "real", "unreachable", "dead", "not ended"):
        assert f" {verdict} " in text
    assert "killed" in text


def test_the_closing_table_shows_the_worst_first() -> None:
    lines = shown(summary(status(), ROWS), 120).splitlines()
    names = [line.split()[0] for line in lines[2:8]]
    assert names[:4] == [*(f"media.example/inbox/clip-{n:04}.mp4" for n in (1, 2, 5, 3))]
    assert "60 %  person 1, 3.0–3.8 s" in lines[3]


def test_a_picture_has_a_person_and_no_time() -> None:
    still = person(1, [0.5], {}, every_s=3)
    still["segments"][0] |= {"start_s": 0.0, "end_s": 0.0}
    text = shown(summary(status(), [judged(1, [still], reason="why not")]), 120)
    assert re.search(r"person 1 +why not", text)
    still["segments"][0] |= {"start_s": 3.5, "end_s": 3.5}
    text = shown(summary(status(), [judged(1, [still], reason="why not")]), 120)
    assert re.search(r"person 1, 3\.5 s +why not", text), "one frame of a film has its moment"
    assert "0.0 s" not in text


def test_an_older_version_of_a_file_is_said_to_be_one() -> None:
    old = judged(1, [person(1, [0.9], {}, every_s=3)], reason="look", superseded_by=7)
    text = shown(summary(status(), [old]), 120)
    assert "the file was changed since, see item 7; look" in " ".join(text.split())


def test_many_items_are_counted_not_listed() -> None:
    rows = [row(at, Outcome.REAL) for at in range(500)] + [row(900, Outcome.FAKE)]
    text = shown(summary(status(rows), iter(rows)), 100)
    assert len(text.splitlines()) < 50
    assert "clip-0900.mp4" in text
    assert "and 461 more; the report has them all" in text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("what", ["table", "view", "text", "line"])
def test_no_name_steers_the_terminal(width: int, what: str) -> None:
    failure = Failure(item=4, uri=EVIL, at=AT, outcome=Outcome.UNREACHABLE, reason="\x1b[31mred")
    now = status(failures=(failure,))
    text = {
        "table": shown(summary(now, ROWS), width),
        "view": shown(render(looked(now, resting=(RESTING,))), width),
        "text": status_text(now),
        "line": line(now),
    }[what]
    assert "\x1b" not in text
    assert "\x07" not in text


@pytest.mark.parametrize("width", WIDTHS)
def test_the_live_view_fits(width: int) -> None:
    failure = Failure(item=4, uri=EVIL, at=AT, outcome=None, reason="connection reset " * 9)
    now = status(failures=(failure,))
    text = shown(render(looked(now, reading=True, resting=(RESTING,))), width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert "5/6" in text
    assert len(text.splitlines()) <= 10


def test_the_live_view_has_a_bar_per_stage() -> None:
    rows = [*ROWS, row(7, None, stage=Stage.EXTRACTED), row(8, None, stage=Stage.CLASSIFYING)]
    lines = shown(render(looked(status(rows)))).splitlines()
    assert "7/8 0 at work" in lines[1]
    assert "5/8 1 at work" in lines[2]
    only = dataclasses.replace(campaign().options, extract_only=True)
    alone = dataclasses.replace(campaign(), options=only)
    assert "judge" not in shown(render(looked(status(rows, campaign=alone))))


def test_the_live_view_counts_outcomes_and_says_pace_failures_and_who_rests() -> None:
    recently = datetime.now(UTC) - timedelta(seconds=60)
    failure = Failure(item=4, uri="a.mp4", at=AT, outcome=Outcome.UNREACHABLE, reason="HTTP 404")
    now = status(first_started=recently, finished_last_minute=30, failures=(failure,))
    text = shown(render(looked(now, reading=True, resting=(RESTING,))), 120)
    assert "reading the list" in text
    assert "fake 1  unsure 1  dead 1  real 1  unreachable 1" in text
    assert re.search(r"0\.(49|5) items/s, 2 s left", text), text
    assert "a.mp4  unreachable: HTTP 404" in text
    assert "slow.example rests for 30 s more (3 failures in a row, the last: HTTP 503" in text
    assert "rests" not in shown(render(looked(now)))


class Ticking:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_a_line_comes_when_there_is_news() -> None:
    out, clock = io.StringIO(), Ticking()
    console = Console(file=out, width=200, force_terminal=False)
    with LiveView(device="the CPU", console=console, clock=clock) as view:
        for at, rows in _moments():
            clock.now = at
            view.show(watching(rows))
    said = out.getvalue().splitlines()
    assert said[0].endswith("the CPU")
    assert [text.split(" ·")[0] for text in said[1:]] == [
        "0 of 2 ended",
        "1 of 2 ended",  # news
        "1 of 2 ended",  # ten seconds without
        "2 of 2 ended",
    ]


def _moments() -> Iterator[tuple[float, list[ResultRow]]]:
    none, one = [row(1, None), row(2, None)], [row(1), row(2, None)]
    yield 0.0, none
    yield 0.5, one  # too soon after the last line
    yield 1.5, one
    yield 5.0, one
    yield 11.6, one
    yield 20.0, [row(1), row(2)]


def looked(
    now: CampaignStatus, *, reading: bool = False, resting: tuple[Resting, ...] = ()
) -> Watching:
    submission = SimpleNamespace(is_over=not reading)
    return Watching(status=now, submission=cast("Any", submission), resting=resting)


def watching(rows: list[ResultRow]) -> Watching:
    return looked(status(rows, first_started=None))


def test_without_a_terminal_who_rests_is_said_beside_the_counts() -> None:
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=False)
    with LiveView(device="the CPU", console=console) as view:
        view.show(dataclasses.replace(watching([row(1, None)]), resting=(RESTING,)))
    said = out.getvalue().splitlines()
    assert said[1] == "0 of 1 ended"
    assert said[2].startswith("slow.example rests for 30 s more")
    assert "\x1b" not in out.getvalue()


def test_who_rests_says_for_how_long_or_that_it_is_tried() -> None:
    why = r"(3 failures in a row, the last: HTTP 503\x1b[2J[bold])"
    assert resting_line(RESTING) == f"slow.example rests for 30 s more {why}"
    tried = resting_line(dataclasses.replace(RESTING, for_s=0.0))
    assert tried == f"slow.example is tried by one item at a time {why}"


def test_what_went_wrong_outside_is_said_in_the_view() -> None:
    out = io.StringIO()
    with LiveView(device="the CPU", console=Console(file=out, force_terminal=False)) as view:
        seen = watching([row(1)])
        view.show(dataclasses.replace(seen, notes=("the classifier ended (-9)\x1b[2J",)))
    assert "the classifier ended (-9)\\x1b[2J" in out.getvalue()


def test_json_has_every_count_zero_or_not() -> None:
    now = status(oldest_waiting_s={Priority.LIVE: 75.0})
    found = json.loads(status_json(now))
    assert set(found["outcomes"]) == {one.value for one in Outcome}
    assert set(found["stages"]) == {one.value for one in Stage}
    assert (found["items"], found["ended"], found["outcomes"]["fake"]) == (6, 5, 1)
    assert found["oldest_waiting_s"] == {"live": 75.0, "normal": None, "bulk": None}
    assert found["first_submitted"] == AT.isoformat()
    assert "\n" not in status_json(now)


def test_every_key_of_the_json_is_documented_and_every_state() -> None:
    page = OUTCOMES.read_text()
    table = page.partition("# `status --json`")[2].partition("\n# ")[0]
    keys = [
        key for cell in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for key in names(cell)
    ]
    assert sorted(keys) == sorted(json.loads(status_json(status())))
    for state in ("running", "finished", "empty", "paused", "cancelled"):
        assert f"`{state}`" in table
    (failure,) = json.loads(status_json(status(failures=(FAILURE,))))["failures"]
    assert all(f"`{key}`" in table for key in failure)


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_text_says_state_and_reason() -> None:
    paused = campaign(state="paused", reason="9 of 10 fail by our own fault")
    text = status_text(status(campaign=paused))
    assert text.startswith(f"{NAME}  (paused: 9 of 10 fail by our own fault)")
    assert "5 of 6 items ended" in text


def test_a_dead_item_has_its_reason_and_the_end_of_its_log() -> None:
    steps = "\n".join(f"  step {number}" for number in range(9))
    log = f"Traceback\n{steps}\nOSError: no\x1b[2J"
    died = Failure(
        item=5,
        uri="https://x.example/5",
        at=AT,
        outcome=Outcome.DEAD,
        reason="OSError: no",
        log=log,
    )
    now = status(failures=(died,))
    *_, reason, first, second, last = status_text(now).splitlines()
    assert "dead: OSError: no" in reason
    assert [one.split("| ")[1] for one in (first, second)] == ["step 7", "step 8"]
    assert last.endswith("| OSError: no\\x1b[2J")
    (told,) = json.loads(status_json(now))["failures"]
    assert (told["item"], told["log"]) == (5, log)


def test_dead_items_that_are_not_shown_are_counted_and_where_they_are_listed_is_said() -> None:
    now = status(outcomes={Outcome.DEAD: 41, Outcome.UNREACHABLE: 9}, failures=(FAILURE,))
    said = status_text(now).splitlines()[-1]
    assert said.split("dead")[1].strip().startswith("40 more; ")
    assert f"`python -m producer status --campaign {NAME} --dead`" in said
    assert "more" not in status_text(status(outcomes={Outcome.DEAD: 1}, failures=(FAILURE,)))


def test_a_dead_item_is_told_with_more_of_its_log_than_beside_others() -> None:
    died = dataclasses.replace(FAILURE, log="\n".join(f"step {n}\x1b" for n in range(40)))
    lines = dead_text(NAME, died).splitlines()
    assert lines[0].startswith(f"{NAME}  item 4  2026-03-14 09:26:53")
    assert [line.strip() for line in lines[1:3]] == ["a.mp4", "killed"]
    assert len(lines) > 10
    assert lines[-1].endswith("| step 39\\x1b")
    told = json.loads(dead_json(NAME, died))
    assert (told["campaign"], told["item"], told["log"]) == (NAME, 4, died.log)


def test_an_hour_of_footage_has_its_price() -> None:
    dear = status(footage_s=1800.0, cpu_seconds=90.0, gpu_seconds=4.5)
    assert cost(dear).startswith("an hour of footage cost 180 CPU s and 9 GPU s (30 min 00 s")
    pictures = status(footage_s=0.0, cpu_seconds=1.0, gpu_seconds=0.0)
    assert cost(pictures) == (
        "1.0 CPU s and 0.0 GPU s spent; too little footage to tell what an hour costs"
    )


def test_the_pace_is_of_the_last_minute_or_of_the_time_there_was() -> None:
    busy = status(finished_last_minute=30)
    assert rate_per_s(busy, AT + timedelta(seconds=10)) == 3.0
    assert rate_per_s(busy, AT + timedelta(hours=1)) == 0.5
    assert rate_per_s(status(first_started=None)) == 0.0
    assert left_s(status(finished_last_minute=0)) is None


def test_slow_work_has_a_pace_and_still_work_has_none() -> None:
    recently = datetime.now(UTC) - timedelta(seconds=60)
    slow = status(finished_last_minute=3, first_started=recently)
    for said in (status_text(slow), line(slow)):
        assert re.search(r"0\.0[45]\d?/s, 2\d s left", said), said
        assert "0.0/s" not in said
    still = dataclasses.replace(slow, campaign=campaign(state="cancelled"))
    assert "left" not in status_text(still) + line(still)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (3661, "1 h 01 min")]
)
def test_span(seconds: float, said: str) -> None:
    assert span(seconds) == said
