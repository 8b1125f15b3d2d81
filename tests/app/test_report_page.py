"""report.html: what a person finds in it, and what a stranger's text can't do to it."""

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.objects import Store
from producer.report import pictures, write_reports
from producer.report.pictures import Gallery
from producer.report.timeline import Thresholds, clock, timeline
from producer.report.words import WORDS
from schemas.records import ResultRow
from tests.app.made_up import JPEG, NAME, Pictures, Rows, campaign, judged, person, row
from unmask.model.shelf import find_bundle
from unmask.outcomes import Outcome
from unmask.wording import percent

#: Elements without an end.
VOID = {"meta", "link", "img", "input"}
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "outcomes.md"


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += data

    def all(self, tag: str, kind: str = "") -> list[dict[str, str | None]]:
        return [
            attrs
            for name, attrs in self.elements
            if name == tag and (attrs.get("class") or "").startswith(kind)
        ]


def written(
    folder: Path, rows: list[ResultRow], held: Pictures | None = None, **changes: str
) -> str:
    store = cast("Store", held or Pictures())
    write_reports(Rows(rows, campaign(**changes)), store, NAME, folder)
    return (folder / "report.html").read_text(encoding="utf-8")


def test_every_outcome_has_its_word() -> None:
    assert set(WORDS) == set(Outcome)


def test_every_outcome_has_its_line_in_the_reference() -> None:
    said = REFERENCE.read_text(encoding="utf-8")
    assert [one for one in Outcome if f"| `{one.value}` |" not in said] == []


def test_all_items_stand_in_the_page_the_suspicious_ones_first(tmp_path: Path) -> None:
    rows = [row(at, one) for at, one in enumerate(Outcome, start=1)] + [row(99, None)]
    rows += [judged(50, [person(1, [0.85], {}, every_s=1)])]
    rows += [judged(51, [person(1, [0.99], {}, every_s=1)])]
    page = Page(written(tmp_path, rows))
    items = page.all("details", "item")
    assert len(items) == len(rows)
    assert [one["data-item"] for one in items[:2]] == ["51", "50"]
    assert [one["data-outcome"] for one in items[:6]] == [
        *["fake"] * 3,
        "unsure",
        "dead",
        "real",
    ]
    assert items[-1]["data-outcome"] == "open"
    assert all(WORDS[one].name in page.text for one in Outcome)


def test_the_page_says_who_judged_and_where_its_lines_lie(tmp_path: Path) -> None:
    bundle = find_bundle("lite")
    made = campaign()
    options = dataclasses.replace(made.options, model="lite", model_digest=bundle.digest)
    same = dataclasses.replace(made, options=options)
    rows = [judged(1, [person(1, [0.5], {}, every_s=1)])]
    store = cast("Store", Pictures())
    write_reports(Rows(rows, same), store, NAME, tmp_path, bundle)
    said = Page((tmp_path / "report.html").read_text()).text.replace("\u00a0", " ")
    assert "Below 35 % likely fake it says real, from 80 % on fake" in said
    assert bundle.digest in said
    assert "models/lite/CARD.md" in said
    assert "of 10,000 items, 100 of them fake (1 %), it would call" in said

    other = Page(written(tmp_path, rows)).text.replace("\u00a0", " ")
    assert "Below 35 % likely fake" in other
    assert "10,000 items" not in other, "figures of another model"


def test_only_its_own_script_and_style_may_run(tmp_path: Path) -> None:
    text = written(tmp_path, [row(1)])
    [policy] = [one["content"] for one in Page(text).all("meta") if "http-equiv" in one]
    assert policy is not None
    for tag in ("style", "script"):
        [inside] = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_nothing_is_fetched_and_nothing_is_styled_in_place(tmp_path: Path) -> None:
    page = Page(written(tmp_path, [row(1, uri="https://media.example/a.mp4")]))
    for _, attrs in page.elements:
        assert "style" not in attrs
        assert not any(name.startswith("on") for name in attrs)
        for name in ("src", "href"):
            assert (attrs.get(name) or "data:").startswith(("data:", "#"))


HOSTILE = (
    "</summary><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}\x1b[2J\x00"
)


def test_a_strangers_text_stays_text(tmp_path: Path) -> None:
    calm = Page(written(tmp_path, [full_of("x")]))
    text = written(tmp_path, [full_of(HOSTILE)], reason=HOSTILE, state="paused")
    page = Page(text)
    assert len(page.all("script")) == 1
    assert page.all("img") == calm.all("img")
    assert "{{ 7 * 7 }}" in page.text
    assert "<script>alert(1)</script>" in page.text
    assert "\x1b" not in text
    assert "\x00" not in text


def full_of(text: str) -> ResultRow:
    return judged(
        1,
        [person(1, [0.9], {}, every_s=1)],
        uri=f"https://media.example/{text}",
        final_uri=text,
        source=text,
        reason=text,
        notes=[text],
        extra={text: text},
        media_kind=text,
    )


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text())
def test_any_text_leaves_the_page_well_formed(tmp_path: Path, text: str) -> None:
    page = Page(written(tmp_path, [full_of(text)]))
    assert len(page.all("details", "item")) == 1
    assert len(page.all("script")) == 1


def test_evidence_is_inside_with_its_moment(tmp_path: Path) -> None:
    held = Pictures()
    keys = {at: held.keep(JPEG + bytes([at]), person=1, window=at) for at in range(2)}
    page = Page(written(tmp_path, [judged(1, [person(1, [0.97, 0.5], keys, every_s=70)])], held))
    sources = [one["src"] for one in page.all("img")]
    inside = [
        f"data:image/jpeg;base64,{base64.b64encode(JPEG + bytes([at])).decode()}" for at in (0, 1)
    ]
    assert sources == [inside[0], *inside]  # the first is the thumbnail
    assert "1:10" in page.text
    assert "97 %" in page.text


def test_heat_and_the_scores_of_frames_stand_below_their_face(tmp_path: Path) -> None:
    held = Pictures()
    keys = {at: held.keep(JPEG + bytes([at]), person=1, window=at) for at in range(2)}
    hot = held.keep(JPEG + b"hot", person=1, window=1001)
    suspect = person(1, [0.5, 0.97], keys, every_s=70)
    suspect["segments"][1] |= {"heat": hot, "frame_scores": [0.0, 1.0, 0.5]}
    page = Page(written(tmp_path, [judged(1, [suspect])], held))
    inside = f"data:image/jpeg;base64,{base64.b64encode(JPEG + b'hot').decode()}"
    assert [one["src"] for one in page.all("img")][-1] == inside
    assert [one["points"] for one in page.all("polyline")] == ["0.0,24.0 50.0,0.0 100.0,12.0"]
    assert "warm where the model found its reasons" in page.text


def test_a_person_too_blurred_to_judge_is_said_to_be(tmp_path: Path) -> None:
    faint = person(2, [0.97], {}, every_s=5) | {"blurred": True}
    page = Page(written(tmp_path, [judged(1, [person(1, [0.1], {}, every_s=5), faint])]))
    assert "97 % likely fake, seen only blurred" in page.text
    assert page.text.count("only blurred") == 1


def test_an_untrained_model_is_said_and_nobody_gets_a_number(tmp_path: Path) -> None:
    rows = [
        judged(
            1,
            [person(1, [None, None], {}, every_s=5)],
            reason="untrained model",
            threshold_real=None,
            threshold_fake=None,
        )
    ]
    page = Page(written(tmp_path, rows))
    assert "This model is untrained: it judges nobody." in page.text
    assert "not scored" in page.text
    assert not re.search(r"\d %", page.text)
    assert "untrained" not in Page(written(tmp_path, [row(1)])).text


def test_a_paused_campaign_says_why(tmp_path: Path) -> None:
    text = Page(written(tmp_path, [row(1)], state="paused", reason="nearly all fail")).text
    assert "The campaign is paused. nearly all fail" in text


def test_more_rows_than_a_page_should_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producer.report.page.MOST", 3)
    rows = [row(at, Outcome.REAL) for at in range(20)] + [row(20, Outcome.FAKE)]
    page = Page(written(tmp_path, rows))
    assert len(page.all("details", "item")) == 3
    assert page.all("details", "item")[0]["data-outcome"] == "fake"
    assert "This page shows 3 of 21 items, the most suspicious first." in page.text


def test_pictures_that_are_not_shown_are_told(tmp_path: Path) -> None:
    held = Pictures()
    keys = {0: held.keep(JPEG, person=1, window=0), 1: held.keep(b"<svg/>", person=1, window=1)}
    keys[2] = held.keep(JPEG, person=1, window=2)
    del held.held[keys[2]]
    text = Page(written(tmp_path, [judged(1, [person(1, [0.9] * 3, keys, every_s=5)])], held)).text
    assert "2 evidence pictures are not in this page (1 are):" in text
    assert "1 gone from the object store, or changed in it" in text
    assert "1 of a kind or size that a page should not carry" in text
    assert "2 more pictures not in this page; their keys are in results.jsonl." in text


def test_the_pictures_of_a_page_have_a_bound() -> None:
    held = Pictures()
    keys = [held.keep(JPEG + bytes([at]), person=1, window=at) for at in range(5)]
    gallery = Gallery(cast("Store", held), budget=60)
    assert [gallery.picture(key) is not None for key in keys] == [True, True, False, False, False]
    assert gallery.missing == {"beyond the size this page may have": 3}
    large = held.keep(JPEG.ljust(pictures.LARGEST + 1), person=2, window=0)
    assert Gallery(cast("Store", held)).picture(large) is None


THRESHOLDS = Thresholds(real=0.35, fake=0.8)


def test_a_timeline_shows_when_and_how_likely() -> None:
    [person_] = [person(1, [0.9, 0.1, None], {}, every_s=50)]
    drawn = timeline(person_["segments"], 200.0, THRESHOLDS)
    assert drawn is not None
    assert [(bar.x, bar.tone) for bar in drawn.bars] == [
        (0.0, "fake"),
        (250.0, "real"),
        (500.0, "plain"),
    ]
    heights = [bar.height for bar in drawn.bars]
    assert heights[0] > heights[1]
    assert drawn.end == "3:20"
    assert drawn.says.startswith("0:00.0–0:00.8, 90 % likely fake; 0:50.0–0:50.8, 10 % likely")
    assert timeline([{"start_s": 0, "end_s": 0}], None, THRESHOLDS) is None


@given(
    starts=st.lists(st.floats(0, 1e6), min_size=1, max_size=9),
    length=st.floats(0, 1e6),
    probability=st.none() | st.floats(0, 1),
)
def test_every_bar_lies_inside_the_drawing(
    starts: list[float], length: float, probability: float | None
) -> None:
    segments = [
        {"start_s": one, "end_s": one + length, "probability": probability} for one in starts
    ]
    drawn = timeline(segments, 10.0, THRESHOLDS)
    assert drawn is not None
    for bar in drawn.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= 1000.2
        assert bar.y >= 0
        assert 0 < bar.height <= 48


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00.0"), (59.97, "1:00"), (60, "1:00"), (3599.6, "1:00:00"), (3723, "1:02:03")],
)
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("probability", "shown"),
    [(0.0, "<1 %"), (0.0049, "<1 %"), (0.5, "50 %"), (0.997, ">99 %"), (1.0, ">99 %")],
)
def test_no_estimate_is_certain(probability: float, shown: str) -> None:
    assert percent(probability) == shown
