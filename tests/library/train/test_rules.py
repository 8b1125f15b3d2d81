"""The rule that fits the data is found, and no more complicated one than needed."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from unmask.cli import app
from unmask.errors import Unusable
from unmask.judgement import Rule, from_log_odds
from unmask.train.rules import CANDIDATES, Labelled, choose, compare, learned, read_labelled


def items(hidden: str, count: int = 300) -> list[Labelled]:
    """Fakes are fake all the time, or in one window of seven that nothing else gives away."""
    rng = np.random.default_rng(7)
    made = []
    for number in range(count):
        fake = number % 2 == 0
        odds = rng.normal(0, 1, 7)
        if fake and hidden == "everywhere":
            odds += 0.5
        elif fake:
            odds[rng.integers(7)] += 4
        windows = tuple(from_log_odds(float(value)) for value in odds)
        made.append(Labelled(group=str(number // 2), fake=fake, persons=(windows,)))
    return made


def test_the_mean_wins_where_every_window_tells_a_little() -> None:
    assert choose(compare(items("everywhere"))).name == "mean"


def test_the_maximum_wins_where_one_window_tells_all() -> None:
    compared = compare(items("once"))
    chosen = choose(compared)
    [mean] = [each for each in compared if each.name == "mean"]
    assert chosen.rule.top == 1 or chosen.rule.sharpness >= 1
    assert mean.below > 3 * mean.error
    assert learned(items("once")).sharpness >= 1


def test_an_item_is_its_most_suspicious_person() -> None:
    item = Labelled(group="a", fake=True, persons=((0.1, 0.2), (0.9, 0.9)))
    assert item.score(Rule()) == pytest.approx(0.9)


def line(fake: object, raws: list[float], **more: object) -> str:
    segments = [{"raw": raw} for raw in raws]
    persons = [{"segments": segments}] if raws else []
    return json.dumps({"uri": "a.mp4", "fake": fake, "persons": persons} | more)


def test_scores_with_labels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(
        "\n".join([line(True, [0.9, 0.8], group="g"), line(False, [0.1]), line(False, [])])
    )
    first, second = read_labelled(path)
    assert first == Labelled(group="g", fake=True, persons=((0.9, 0.8),))
    assert second.group == "a.mp4"


@pytest.mark.parametrize("bad", ["{", "[]", "{}", line("yes", [0.5]), line(True, [0.5])])
def test_what_is_no_labelled_list_is_refused_with_its_line(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(bad)
    with pytest.raises(Unusable, match=r"scores\.jsonl"):
        read_labelled(path)


def test_the_command_prints_every_rule_and_names_one(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(
        "\n".join(
            line(item.fake, list(item.persons[0]), group=item.group)
            for item in items("everywhere", 60)
        )
    )
    result = CliRunner().invoke(app, ["model", "rule", str(path)])
    assert result.exit_code == 0, result.output
    assert all(name in result.stdout for name in CANDIDATES)
    assert '60 items; in model.json: "rule": {"top": ' in result.stdout
    missing = CliRunner().invoke(app, ["model", "rule", str(tmp_path / "nosuch")])
    assert missing.exit_code == 1
