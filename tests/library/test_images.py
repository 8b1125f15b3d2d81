"""The images' recipe, read without an engine: pinned, unprivileged, fit for the compose file."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.dockerfile import stages, steps

ROOT = Path(__file__).resolve().parents[2]
ENTRY = ROOT / "infra" / "docker" / "entrypoint"
STAGES = {"cpu", "gpu"}
#: Three numbers, or the two that some projects count by.
VERSION = re.compile(r":v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$")


def only(stage: str, word: str) -> list[str]:
    return [rest for one, rest in stages()[stage] if one == word]


def applications() -> dict[str, Any]:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return {name: one for name, one in services.items() if "build" in one}


def test_there_are_stages_for_both_images() -> None:
    assert stages().keys() >= STAGES
    assert {one["build"]["target"] for one in applications().values()} == STAGES


def test_every_base_is_pinned() -> None:
    known = set(stages())
    defaults = dict(rest.split("=", 1) for word, rest in steps() if word == "ARG")
    bases = {rest.partition(" ")[0] for word, rest in steps() if word == "FROM"}
    outside = {re.sub(r"\$\{(\w+)\}", lambda one: defaults[one[1]], base) for base in bases - known}
    assert outside
    assert [base for base in outside if not VERSION.search(base)] == []


def test_every_image_of_others_is_pinned() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    images = {one["image"] for one in services.values() if "build" not in one}
    assert len(images) >= 5
    assert [image for image in images if not VERSION.search(image)] == []


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_an_image_runs_as_nobody_special_by_one_entry_point(stage: str) -> None:
    (user,) = only(stage, "USER")
    (entry,) = only(stage, "ENTRYPOINT")
    assert int(user.partition(":")[0]) > 0
    assert {one["user"] for one in applications().values()} == {user}
    assert entry == '["sh", "/app/infra/docker/entrypoint"]'
    assert ENTRY.is_file()
    words = [word for word, _ in stages()[stage]]
    assert words.index("USER") > max(at for at, word in enumerate(words) if word == "RUN")


def test_what_builds_an_environment_stays_out_of_the_image() -> None:
    """Multi-stage: of the stage that installs, only its result is taken over."""
    for stage in STAGES:
        copied = [rest for rest in only(stage, "COPY") if rest.startswith("--from=")]
        assert f"--from={stage}-environment /app/.venv /app/.venv" in copied
        assert not any(rest.endswith("-environment /app ./") for rest in copied)
        assert not any("pip" in rest or "apt" in rest for rest in only(stage, "RUN"))


def test_the_cpu_image_installs_no_torch() -> None:
    (install,) = only("cpu-environment", "RUN")
    assert install.endswith("requirements-cpu.txt")


def test_the_cpu_image_takes_the_code_without_weights() -> None:
    assert "COPY" in {word for word, _ in stages()["code-without-weights"]}
    assert only("code-without-weights", "RUN") == ["find models -name '*.safetensors' -delete"]
    assert "--from=code-without-weights /app ./" in only("cpu", "COPY")
    assert ". ." not in only("cpu", "COPY")
    assert ". ." in only("gpu", "COPY")


def test_the_way_without_docker_says_what_it_needs(tmp_path: Path) -> None:
    """`infra/docker/image`, which takes minutes, root and a network, is run by hand."""
    for program in ("sh", "dirname"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    done = subprocess.run(
        ["sh", str(ROOT / "infra" / "docker" / "image")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    for program in ("buildah", "debootstrap", "unshare", "apt install"):
        assert program in done.stderr


def test_the_way_without_docker_knows_both_images_and_no_other() -> None:
    script = ["sh", str(ROOT / "infra" / "docker" / "image"), "cup"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cpu or gpu, not cup" in done.stderr


def test_what_is_copied_is_there() -> None:
    copied = [
        rest.split()[:-1] for word, rest in steps() if word == "COPY" and "--from" not in rest
    ]
    assert [one for names in copied for one in names if not (ROOT / one).exists()] == []


def test_the_entry_point_knows_every_service() -> None:
    roles = set(re.findall(r"^    (\w+)\) exec", ENTRY.read_text(), re.MULTILINE))
    assert {one["command"][0] for one in applications().values()} == roles


def test_the_unprivileged_user_can_write_where_it_is_told_to() -> None:
    """On a read-only root: a volume whose place in the image is that user's, or memory."""
    made = " ".join(only("base", "RUN"))
    places = set()
    for name, one in applications().items():
        given = one["environment"].get("TMPDIR", "/tmp")
        volumes = [each for each in one.get("volumes", ()) if isinstance(each, dict)]
        assert given in {each["target"] for each in volumes} | {
            each.partition(":")[0] for each in one["tmpfs"]
        }, name
        places |= {each["target"] for each in volumes}
    assert places == {"/scratch"}
    (user,) = {one["user"] for one in applications().values()}
    owner, _, group = user.partition(":")
    assert f"install -d -o {owner} -g {group} -m 0700 /scratch" in made


def test_no_secret_and_no_state_goes_into_an_image() -> None:
    ignored = set((ROOT / ".dockerignore").read_text().split())
    assert {".env", ".git", ".venv", "state", "results"} <= ignored
