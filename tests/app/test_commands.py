"""The command line as it is typed: what it teaches, and what it says of campaigns."""

import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner, Result

import settings
from infra.ledger import open_ledger
from infra.ledger.policy import Policy
from producer.card import place_of
from producer.commands import app
from producer.commands.examples import EXAMPLES
from producer.commands.hints import typeable, typed
from schemas.stages import Stage
from unmask.errors import Unusable
from unmask.model.shelf import SHELF

Submit = Callable[..., Result]


@pytest.fixture
def submit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Submit:
    """`producer submit` on a ledger of its own, in a folder with two lists."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").symlink_to(SHELF)
    for name, lines in {"one": ("a", "b"), "other": ("a", "c", "d")}.items():
        text = "".join(f"https://example.org/{line}.mp4\n" for line in lines)
        (tmp_path / f"{name}.txt").write_text(text)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["submit", *arguments], obj=settings)

    return run


def name_in(result: Result) -> str:
    found = re.findall(r"^campaign (\S+): \d+ new", result.output, re.MULTILINE)
    assert len(found) == 1, result.output
    return str(found[0])


def commands() -> Mapping[str, TyperCommand]:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    found = {name: one for name, one in group.commands.items() if isinstance(one, TyperCommand)}
    assert found.keys() == group.commands.keys()
    return found


def test_every_command_shows_examples() -> None:
    assert set(EXAMPLES) == set(commands())
    for name, examples in EXAMPLES.items():
        said = CliRunner().invoke(app, [name, "--help"], obj=settings, terminal_width=100).output
        flat = " ".join(said.split())
        assert all(f"python -m producer {example}" in flat for example in examples), said


@pytest.mark.parametrize("example", [one for group in EXAMPLES.values() for one in group])
def test_every_example_is_understood(example: str) -> None:
    name, *words = shlex.split(example.partition(" < ")[0])
    command = commands()[name]
    assert command.make_context(name, words).params


def test_a_list_on_stdin_that_begins_like_another_is_told(
    submit: Submit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def piped(name: str) -> Result:
        with (tmp_path / f"{name}.txt").open("rb") as file:
            monkeypatch.setattr("producer.sources.opening._stdin", lambda: file)
            return submit("-")

    first, other = piped("one"), piped("other")
    assert "goes on" not in first.output
    assert name_in(first) == name_in(other)
    assert f"campaign {name_in(first)} goes on: it holds 2 items, of which 0 ended" in other.output
    assert "if this is another list, give it a --campaign of its own" in other.output
    assert "2 new, 1 already there" in other.output


@pytest.mark.parametrize(
    "terms", [["--priority", "bulk"], ["--keep-clips", "7"], ["--keep-evidence", "30"]]
)
def test_other_terms_are_another_campaign_and_it_is_said(submit: Submit, terms: list[str]) -> None:
    plain = submit("one.txt")
    own, again = submit("one.txt", *terms), submit("one.txt", *terms)
    assert (plain.exit_code, own.exit_code, again.exit_code) == (0, 0, 0)
    assert name_in(own) != name_in(plain)
    assert f"campaign {name_in(plain)} holds the same media with another priority" in own.output
    assert name_in(again) == name_in(own)
    assert "0 new, 2 already there" in again.output
    assert name_in(submit("one.txt", "--priority", "normal")) == name_in(plain)


def test_a_named_campaign_keeps_the_priority_it_has(submit: Submit) -> None:
    assert submit("one.txt", "--campaign", "june", "--priority", "bulk").exit_code == 0
    more = submit("other.txt", "--campaign", "june")
    assert "2 new, 1 already there" in more.output
    assert "campaign june goes on: it holds 2 items" in more.output
    refused = submit("other.txt", "--campaign", "june", "--priority", "live")
    assert "priority is bulk, not live" in str(refused.exception)


@pytest.mark.parametrize("command", ["scan", "submit"])
def test_a_cancelled_campaign_is_refused_before_anything_is_begun(
    submit: Submit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def begun(*_: object) -> None:
        raise AssertionError("a process was to be started")

    monkeypatch.setattr("producer.commands.scan.Machine", begun)
    submit("one.txt", "--campaign", "off")
    CliRunner().invoke(app, ["cancel", "--campaign", "off"], obj=settings)
    refused = CliRunner().invoke(app, [command, "one.txt", "--campaign", "off"], obj=settings)
    assert isinstance(refused.exception, Unusable)
    assert "campaign 'off' was cancelled" in str(refused.exception)
    assert "`--campaign NAME`" in str(refused.exception)
    assert refused.output == "", "it does not go on"
    assert not (tmp_path / "results").exists()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def begin(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A scan whose processes are stopped before they start, by an account that hides nothing."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    def run() -> None:
        done = CliRunner().invoke(app, ["scan", "one.txt", "--campaign", "june"], obj=settings)
        assert done.exit_code == 130

    monkeypatch.setattr("producer.commands.scan.Machine", stopped)
    before = os.umask(0)
    yield run
    os.umask(before)


def test_other_accounts_see_neither_ledger_nor_results(
    begin: Callable[[], None], tmp_path: Path
) -> None:
    begin()
    for folder in ("state", "results", "results/june"):
        assert mode(tmp_path / folder) == 0o700, folder
    assert mode(tmp_path / "state" / "unmask.db") == 0o600


def test_a_folder_that_was_there_keeps_its_mode(begin: Callable[[], None], tmp_path: Path) -> None:
    for folder in ("state", "results"):
        (tmp_path / folder).mkdir(mode=0o755)
    begin()
    assert (mode(tmp_path / "state"), mode(tmp_path / "results")) == (0o755, 0o755)
    assert mode(tmp_path / "state" / "unmask.db") == 0o600
    assert mode(tmp_path / "results" / "june") == 0o700


def test_hints_name_the_ledger_that_is_meant(submit: Submit, tmp_path: Path) -> None:
    elsewhere = tmp_path / "my state"
    assert typed("status", elsewhere).endswith(f"-m producer status --state '{elsewhere}'`")
    advice = "stop the workers, then run `python -m producer migrate`"
    assert typeable(advice, elsewhere).endswith(f"producer migrate --state '{elsewhere}'`")
    nothing = CliRunner().invoke(app, ["status", "--state", str(elsewhere)], obj=settings)
    assert f"producer scan --state '{elsewhere}'` begins" in str(nothing.exception)


@pytest.mark.parametrize("media", ["ftp://example.org/a.mp4", "rtsp://example.org/live"])
def test_an_address_of_another_kind_is_refused_in_one_sentence(submit: Submit, media: str) -> None:
    scheme = media.partition(":")[0]
    assert str(submit(media).exception) == (
        f"{media}: {scheme}: addresses are not fetched; use http, https, s3 or a file name"
    )


def test_a_file_may_be_named_by_its_address(submit: Submit, tmp_path: Path) -> None:
    assert "2 new" in submit((tmp_path / "one.txt").as_uri(), "--campaign", "uri").output


def test_an_empty_folder_is_said(submit: Submit, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "nothing to scan" in str(submit("empty").exception)
    listed = CliRunner().invoke(app, ["status", "--json"], obj=settings)
    assert listed.output == ""
    assert "nothing has been scanned here yet" in str(listed.exception)


def test_an_absent_column_names_those_there_are(submit: Submit, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("video,title\nhttps://example.org/a.mp4,one\n")
    said = str(submit("list.csv", "--column", "address").exception)
    assert "it has: video, title" in said


@pytest.mark.parametrize("name", ["../../evil", "a/b", ".hidden", "x" * 200])
def test_a_campaign_is_no_path(submit: Submit, tmp_path: Path, name: str) -> None:
    assert "is no name for a campaign" in str(submit("one.txt", "--campaign", name).exception)
    assert not (tmp_path / "state").exists()


def test_what_was_asked_for_is_pinned_and_shown(submit: Submit, tmp_path: Path) -> None:
    asked = ["--frames", "60", "--stride", "10", "--priority", "live", "--extract-only"]
    asked += ["--coding", "jpeg444-q90"]
    assert submit("one.txt", "--campaign", "june", "--model", "lite", *asked).exit_code == 0
    wanted = {"frames": 60, "moments": "stride", "stride": 10, "priority": "live"}
    wanted |= {"extract_only": True}

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--campaign", "june"], obj=settings)

    status = json.loads(call("status", "--json").output)
    assert {name: status[name] for name in wanted} == wanted
    assert status["coding"] == "jpeg444-q90"
    assert call("report", "--out", "out").exit_code == 0
    rows = [json.loads(line) for line in (tmp_path / "out/results.jsonl").read_text().splitlines()]
    assert [{name: row[name] for name in wanted} for row in rows] == [wanted, wanted]
    assert submit("one.txt", "--campaign", "july", "--first").exit_code == 0
    assert '"moments": "first"' in (
        CliRunner().invoke(app, ["status", "--json", "--campaign", "july"], obj=settings).output
    )


def watched(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> list[str]:
    """The states that a watch of the campaign `off` shows; `meanwhile` happens after the first."""
    looks: list[float] = []

    def waited(seconds: float) -> None:
        looks.append(seconds)
        assert len(looks) == 1, "it goes on and on"
        meanwhile()

    # Not the clock of the whole process, by which threads of other tests still sleep.
    monkeypatch.setattr("producer.commands.campaign.time", SimpleNamespace(sleep=waited))
    shown = CliRunner().invoke(
        app, ["status", "--campaign", "off", "--watch", "--json"], obj=settings
    )
    assert shown.exit_code == 0
    return [json.loads(line)["state"] for line in shown.output.splitlines()]


def test_a_watch_ends_when_all_has_ended(submit: Submit, monkeypatch: pytest.MonkeyPatch) -> None:
    submit("one.txt", "--campaign", "off")

    def taken_back() -> None:
        CliRunner().invoke(app, ["cancel", "--campaign", "off"], obj=settings)

    assert watched(monkeypatch, taken_back) == ["running", "cancelled"]


def test_a_watch_ends_when_the_brake_stopped_it(
    submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit("one.txt", "--campaign", "off")

    def stopped() -> None:
        with closing(open_ledger(settings.load().database_url.get_secret_value())) as ledger:
            ledger.pause("off", "the network is gone")

    assert watched(monkeypatch, stopped) == ["running", "paused"]


CARD, BUILT_FOR_IT = "nvidiactl", "lib/libtorch_cuda.so"


@pytest.mark.parametrize(
    ("device", "files", "said"),
    [
        ("auto", (CARD, BUILT_FOR_IT), "the GPU"),
        ("cuda:1", (BUILT_FOR_IT,), "the GPU"),
        ("auto", (BUILT_FOR_IT,), "the CPU: there is no GPU here"),
        ("auto", (CARD,), "the CPU: there is a GPU, but torch here was built without CUDA"),
        ("cpu", (CARD, BUILT_FOR_IT), "the CPU, as UNMASK_DEVICE says"),
    ],
)
def test_it_is_said_where_the_classifier_computes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    files: tuple[str, ...],
    said: str,
) -> None:
    (tmp_path / "lib").mkdir()
    for file in files:
        (tmp_path / file).touch()
    monkeypatch.setattr("producer.card.GPU_DEVICE", tmp_path / CARD)
    torch = ModuleSpec("torch", None)
    torch.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: torch)
    assert place_of(device) == said


def test_dead_items_are_listed_in_words_and_in_json(submit: Submit, tmp_path: Path) -> None:
    submit("one.txt", "--campaign", "june")
    none = CliRunner().invoke(app, ["status", "--dead"], obj=settings)
    assert (none.exit_code, none.output.strip()) == (0, "no item is dead")
    with closing(open_ledger(f"sqlite:///{tmp_path / 'state' / 'unmask.db'}")) as ledger:
        ledger.policy = Policy(max_attempts=1)
        ledger.offer(window=10, lease_s=60)
        claim = ledger.claim(1, Stage.WAITING, owner="test", lease_s=60)
        assert claim is not None
        ledger.fail(claim, "the disk is on fire", log="smoke\nfire")
    words = ["status", "--campaign", "june", "--dead"]
    text = CliRunner().invoke(app, words, obj=settings).output
    assert all(part in text for part in ("june  item 1", "the disk is on fire", "| fire")), text
    told = json.loads(CliRunner().invoke(app, [*words, "--json"], obj=settings).output)
    assert (told["item"], told["reason"], told["log"]) == (1, "the disk is on fire", "smoke\nfire")
    assert CliRunner().invoke(app, [*words, "--watch"], obj=settings).exit_code == 2


def test_cancel_takes_back_what_has_not_ended(submit: Submit) -> None:
    submit("one.txt", "--campaign", "off")
    done = CliRunner().invoke(app, ["cancel", "--campaign", "off"], obj=settings)
    assert "2 items cancelled" in done.output
    shown = CliRunner().invoke(app, ["status", "--campaign", "off", "--json"], obj=settings)
    assert '"cancelled": 2' in shown.output
