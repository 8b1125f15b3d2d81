"""Another network is asked about pictures or about films, and about nothing else."""

import json
from pathlib import Path

import numpy as np
import pytest
from torch.nn import functional
from typer.testing import CliRunner

from tests.making.bundles import CALIBRATION, THRESHOLDS, person, window, write_bundle
from unmask.commands.model import app
from unmask.errors import Unusable
from unmask.model.bundle import BadBundle, Bundle, open_bundle
from unmask.model.clips import PersonFrames
from unmask.model.heat import Warmed, scaled
from unmask.model.predict import Predictor, load
from unmask.model.write import OPINION_FILE, with_opinion

SHARE = 0.25
LOOKS = [{"mirrored": True}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`first`, `other`, and `both`: the first, which asks the other."""
    made = tmp_path_factory.mktemp("models")
    first = write_bundle(
        made / "first",
        untrained=False,
        calibration=CALIBRATION,
        thresholds=THRESHOLDS,
        looks=LOOKS,
    )
    other = write_bundle(
        made / "other",
        looks=LOOKS,
        architecture={"trunk": "efficientnet_lite0", "width": 8},
        weights={"encoding": "seeded", "seed": 11},
    )
    both = with_opinion(made / "both", first, other, on=["pictures"], share=SHARE, encoding="fp32")
    grey = write_bundle(
        made / "grey",
        colours="grey",
        architecture={"trunk": "compact", "width": 8},
        weights={"encoding": "seeded", "seed": 5},
    )
    write_bundle(
        made / "grey looking twice",
        colours="grey",
        looks=LOOKS,
        architecture={"trunk": "compact", "width": 8},
        weights={"encoding": "seeded", "seed": 5},
    )
    with_opinion(made / "three", both, grey, on=["films", "pictures"], share=0.5, encoding="fp32")
    return made


def predictor(folder: Path, name: str) -> Predictor:
    return load(open_bundle(folder / name), "cpu", "fp32")


def margin(judge: Predictor, clip: PersonFrames) -> float:
    [[score]] = judge.score([clip])
    return float(np.log(score.raw / (1 - score.raw)))


def test_a_picture_scores_the_weighed_mean_of_both(folder: Path) -> None:
    picture = person(window(1, seed=3))
    own, its = (margin(predictor(folder, name), picture) for name in ("first", "other"))
    assert abs(own - its) > 0.01
    wanted = (1 - SHARE) * own + SHARE * its
    assert margin(predictor(folder, "both"), picture) == pytest.approx(wanted, abs=1e-3)


def test_a_film_is_judged_by_the_first_alone(folder: Path) -> None:
    film = person(window(5, seed=4))
    assert margin(predictor(folder, "both"), film) == pytest.approx(
        margin(predictor(folder, "first"), film), abs=1e-4
    )


def test_each_counts_its_share_where_it_is_asked(folder: Path) -> None:
    film, picture = person(window(5, seed=4)), person(window(1, seed=4))
    three = predictor(folder, "three")
    three.self_test()
    own, grey = (margin(predictor(folder, name), film) for name in ("first", "grey"))
    assert abs(own - grey) > 0.01
    assert margin(three, film) == pytest.approx(0.5 * own + 0.5 * grey, abs=1e-3)
    own, its, grey = (
        margin(predictor(folder, name), picture)
        for name in ("first", "other", "grey looking twice")
    )
    wanted = (0.5 - SHARE) * own + SHARE * its + 0.5 * grey
    assert margin(three, picture) == pytest.approx(wanted, abs=1e-3)


def test_films_that_several_judge_are_as_sure_as_it_says(folder: Path, tmp_path: Path) -> None:
    film, picture = person(window(5, seed=4)), person(window(1, seed=4))
    surer = copied(folder / "three", tmp_path / "surer")
    said = json.loads((surer / "model.json").read_text())
    (surer / "model.json").write_text(json.dumps(said | {"films_gain": 1.5}))
    one, other = predictor(folder, "three"), predictor(tmp_path, "surer")
    assert margin(other, film) == pytest.approx(1.5 * margin(one, film), abs=1e-4)
    assert margin(other, picture) == pytest.approx(margin(one, picture), abs=1e-6)


def test_who_sees_light_alone_tells_no_colours_apart(folder: Path) -> None:
    """A red and a green of one light, to within a fiftieth of a level."""
    red, blue = (
        person(window(2, seed=1)._replace(frames=np.full((2, 112, 112, 3), colour, np.uint8)))
        for colour in ((57, 0, 0), (0, 29, 0))
    )
    grey, colourful = predictor(folder, "grey"), predictor(folder, "first")
    assert margin(grey, red) == pytest.approx(margin(grey, blue), abs=1e-5)
    assert abs(margin(colourful, red) - margin(colourful, blue)) > 1e-3


def test_who_leaves_the_network_itself_no_word_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder / "both", tmp_path / "copy")
    said = json.loads((copy / "model.json").read_text())
    said["opinions"] *= 4
    (copy / "model.json").write_text(json.dumps(said))
    with pytest.raises(BadBundle, match="leave the network itself no word"):
        open_bundle(copy)


def test_pictures_among_films_keep_their_scores(folder: Path) -> None:
    both = predictor(folder, "both")
    clips = [person(window(3, 1)), person(window(1, 2)), person(window(2, 3)), person(window(1, 4))]
    together = [scores[0].raw for scores in both.score(clips)]
    assert together == pytest.approx([both.score([one])[0][0].raw for one in clips], abs=1e-4)


def test_bundles_of_before_are_read(folder: Path, tmp_path: Path) -> None:
    """They named one network for pictures, or none."""
    picture = person(window(1, seed=3))
    before = copied(folder / "both", tmp_path / "before")
    said = json.loads((before / "model.json").read_text())
    [asked] = said.pop("opinions")
    second = {name: asked[name] for name in ("architecture", "weights", "share", "golden_margin")}
    (before / "model.json").write_text(json.dumps(said | {"second_opinion": second}))
    assert margin(predictor(tmp_path, "before"), picture) == pytest.approx(
        margin(predictor(folder, "both"), picture), abs=1e-6
    )
    (before / "model.json").write_text(json.dumps(said | {"second_opinion": None}))
    assert margin(predictor(tmp_path, "before"), picture) == pytest.approx(
        margin(predictor(folder, "first"), picture), abs=1e-6
    )
    deep = '{"second_opinion": ' + "[" * 200_000
    for odd in (
        json.dumps(said | {"second_opinion": 7}),
        json.dumps(said | {"second_opinion": None, "opinions": [asked]}),
    ):
        (before / "model.json").write_text(odd)
        with pytest.raises(BadBundle, match="second_opinion"):
            open_bundle(before)
    (before / "model.json").write_text(deep)
    with pytest.raises(BadBundle):
        open_bundle(before)


def test_films_among_others_keep_their_scores_of_two_networks(folder: Path) -> None:
    three = predictor(folder, "three")
    clips = [
        person(window(7, 1)),
        person(window(1, 2)),
        person(window(2, 3)),
        person(window(12, 4)),
    ]
    together = [scores[0] for scores in three.score(clips)]
    alone = [three.score([one])[0][0] for one in clips]
    for one, other in zip(together, alone, strict=True):
        assert one.raw == pytest.approx(other.raw, abs=1e-4)
        assert one.frame_scores == pytest.approx(other.frame_scores, abs=1e-4)


def test_a_deadline_stops_the_second_network_too(folder: Path) -> None:
    """As often as the first looks at it, and once more."""
    seen: list[int] = []

    def count() -> None:
        seen.append(1)

    film = [person(window(5, seed=4))]
    predictor(folder, "first").score(film, count)
    limit, three = len(seen), predictor(folder, "three")

    def stop() -> None:
        seen.append(1)
        if len(seen) > 2 * limit:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        three.score(film, stop)


def test_heat_is_of_all_that_are_asked(folder: Path) -> None:
    """Each by its share, before what speaks for `real` is cut away."""
    film = window(3, seed=4)
    three, first, grey = (predictor(folder, name) for name in ("three", "first", "grey"))
    wanted = [Warmed("films", film, [0, 2])]
    own, its = (one._cams(one._engine, wanted, None) for one in (first, grey))
    its = functional.interpolate(its[:, None], size=own.shape[1:], mode="bilinear")[:, 0]
    mixed = (0.5 * own + 0.5 * its).relu().numpy()
    [found] = three.heat(wanted)
    for heat, cam in zip(found, mixed, strict=True):
        assert np.allclose(heat, scaled(cam), atol=1e-3)
    assert not np.allclose(found[0], first.heat(wanted)[0][0], atol=1e-2)


def test_it_is_a_new_model_without_calibration(folder: Path) -> None:
    first, both = (open_bundle(folder / name) for name in ("first", "both"))
    assert first.calibration is not None
    assert both.calibration is None
    assert both.thresholds is None
    assert both.digest != first.digest


def test_a_machine_that_computes_the_second_wrongly_refuses_to_serve(folder: Path) -> None:
    both = predictor(folder, "both")
    both.self_test()
    both._others[0][1]._network.linear.bias.data[0] += 5.0
    with pytest.raises(BadBundle, match="golden clip"):
        both.self_test()


def test_damaged_weights_of_the_second_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder / "both", tmp_path / "copy")
    file = OPINION_FILE.format(1)
    raw = bytearray((copy / file).read_bytes())
    raw[-1] ^= 1
    (copy / file).write_bytes(raw)
    with pytest.raises(BadBundle, match=file):
        load(open_bundle(copy), "cpu", "fp32")


def test_other_pixels_are_refused(folder: Path, tmp_path: Path) -> None:
    odd = write_bundle(tmp_path / "odd", mean=(0.5, 0.5, 0.5))
    with pytest.raises(Unusable, match="sees pixels otherwise"):
        with_opinion(
            tmp_path / "x", opened(folder), odd, on=["pictures"], share=SHARE, encoding="fp32"
        )


def test_encoded_anew_it_says_the_same(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "anew"
    asked = CliRunner().invoke(
        app, ["encode", str(folder / "both"), str(target), "--encoding", "bf16"]
    )
    assert asked.exit_code == 0, asked.output
    picture = person(window(1, seed=3))
    assert margin(predictor(tmp_path, "anew"), picture) == pytest.approx(
        margin(predictor(folder, "both"), picture), abs=0.02
    )


def test_the_command_makes_one_and_inspect_tells_of_it(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "made"
    names = [str(folder / "first"), str(folder / "other"), str(target)]
    made = CliRunner().invoke(app, ["second", *names, "--share", str(SHARE)])
    assert made.exit_code == 0, made.output
    shown = CliRunner().invoke(app, ["inspect", str(target)])
    wanted = "looked at 2 times; another opinion, efficientnet_lite0 seeing rgb, counts 25%"
    assert wanted in " ".join(shown.output.split())


def test_a_share_that_leaves_no_word_is_refused_in_words(folder: Path, tmp_path: Path) -> None:
    names = [str(folder / "three"), str(folder / "grey"), str(tmp_path / "made")]
    made = CliRunner().invoke(app, ["second", *names, "--share", "0.3"])
    assert made.exit_code == 1
    said = " ".join(made.output.split())
    assert "itself has 25% of the word" in said
    assert not (tmp_path / "made").exists()


def test_the_command_adds_one_that_is_asked_about_both(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "made"
    names = [str(folder / "both"), str(folder / "grey"), str(target)]
    made = CliRunner().invoke(app, ["second", *names, "--on", "both"])
    assert made.exit_code == 0, made.output
    assert "which asks tiny about pictures and films" in made.output
    shown = " ".join(CliRunner().invoke(app, ["inspect", str(target)]).output.split())
    told = "another opinion, compact seeing grey, counts 35%"
    assert f"efficientnet_lite0 seeing rgb, counts 25%; {told}" in shown
    assert f"looked at once; {told}" in shown


def opened(folder: Path) -> Bundle:
    return open_bundle(folder / "first")


def copied(source: Path, target: Path) -> Path:
    target.mkdir()
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target
