"""Every application service of docker-compose.yml starts, serves, is found well, and stops."""

import functools
import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from compose_spec import PyCompose

from infra.ledger import open_ledger
from producer.local.redis_server import free_port
from schemas.stages import ENDS
from tests import servers
from tests.e2e import compose
from tests.e2e.compose import Fleet, Unset
from tests.e2e.processes import of_marker
from tests.polling import until

SECRETS = {
    "REDIS_PASSWORD": "redis-secret",
    "POSTGRES_PASSWORD": "postgres-secret",
    "S3_ACCESS_KEY": "test",
    "S3_SECRET_KEY": "test",
    "FLOWER_PASSWORD": "flower-secret",
    "GRAFANA_PASSWORD": "grafana-secret",
}
WORKING = ("cpu-worker", "gpu-worker-on-cpu", "sweep", "flower", "exporter")
MEDIA = "media"
#: Nobody's face was replaced: anything that is a judgement but `fake`.
GENUINE = ("real", "unsure")


@pytest.mark.parametrize("missing", SECRETS)
def test_no_secret_has_a_default(missing: str) -> None:
    with pytest.raises(Unset, match=missing):
        compose.read({name: value for name, value in SECRETS.items() if name != missing})


def test_the_file_keeps_to_the_specification() -> None:
    PyCompose.from_json(json.dumps(compose.read(SECRETS))).validate()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stop_grace_perod": "60s"}, "stop_grace_perod"),
        ({"restart": "sometimes"}, "unknown variant `sometimes`"),
        ({"networks": ["insight"]}, "network `insight`"),
        ({"deploy": {"resources": {"limits": {"memory": "plenty"}}}}, "`plenty`"),
    ],
)
def test_what_the_specification_does_not_know_is_seen(
    change: dict[str, object], words: str
) -> None:
    read = compose.read(SECRETS)
    read["services"]["exporter"] |= change
    with pytest.raises(ValueError, match=words):
        PyCompose.from_json(json.dumps(read)).validate()


WITH_OBJECTS = {
    *("migrate", "cpu-worker", "gpu-worker", "gpu-worker-on-cpu", "sweep", "producer"),
}
INTERNAL = {"inside", "objects", "figures"}


def test_what_may_reach_what() -> None:
    read = compose.read(SECRETS)
    services = read["services"]
    assert {name for name, one in read["networks"].items() if one.get("internal")} == INTERNAL
    outside = {name for name, one in services.items() if set(one["networks"]) - INTERNAL}
    assert outside == {"cpu-worker", "producer", "sweep", "flower", "grafana"}
    published = {name: one["ports"] for name, one in services.items() if "ports" in one}
    assert set(published) == {"flower", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


@pytest.mark.parametrize(
    ("asked", "asking"),
    [
        ("s3", WITH_OBJECTS),
        ("redis", {"postgres", "flower", "exporter", *WITH_OBJECTS}),
        ("postgres", {"redis", "flower", "exporter", *WITH_OBJECTS}),
        ("prometheus", {"exporter", "grafana"}),
        ("grafana", {"exporter", "prometheus", "flower"}),
    ],
)
def test_only_who_must_can_reach(asked: str, asking: set[str]) -> None:
    services = compose.read(SECRETS)["services"]
    own = set(services[asked]["networks"])
    assert {name for name, one in services.items() if own & set(one["networks"])} - {
        asked
    } == asking


#: They end: nobody restarts them, and nobody asks how they are.
ONCE = {"migrate", "producer"}
#: As root, which without capabilities is only who owns its files: its image keeps them so.
ROOT_AT_HOME = {"s3"}
#: The cores of the smallest host that the file starts on: Docker refuses a limit above them.
SMALLEST_HOST = 2


def test_every_service_is_bounded() -> None:
    for name, one in compose.read(SECRETS)["services"].items():
        limits = one["deploy"]["resources"]["limits"]
        assert limits["memory"], name
        assert 0 < float(limits["cpus"]) <= SMALLEST_HOST, name
        assert ":latest" not in one["image"], name


def test_what_does_not_end_is_restarted_and_asked_how_it_is() -> None:
    for name, one in compose.read(SECRETS)["services"].items():
        if name in ONCE:
            continue
        assert one["restart"] == "unless-stopped", name
        assert one["healthcheck"]["test"], name


def test_no_service_has_rights_it_does_not_need() -> None:
    for name, one in compose.read(SECRETS)["services"].items():
        assert one["read_only"], name
        assert one["cap_drop"] == ["ALL"], name
        assert "cap_add" not in one, name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert (one["user"] in ("root", "0") or one["user"].startswith("0:")) is (
            name in ROOT_AT_HOME
        ), name


def test_an_application_is_not_killed_while_it_drains() -> None:
    for name, one in applications().items():
        assert int(one["environment"]["UNMASK_DRAIN_S"]) < int(one["stop_grace_period"][:-1]), name


KEYS = ("_ACCESS_KEY_ID", "_SECRET_ACCESS_KEY")


def test_who_reaches_no_objects_has_no_keys_to_them() -> None:
    for name, one in applications().items():
        keys = {variable for variable in one["environment"] if variable.endswith(KEYS)}
        assert bool(keys) is ("objects" in one["networks"]), name


def applications() -> dict[str, Any]:
    services = compose.read(SECRETS)["services"]
    return {name: one for name, one in services.items() if one["image"].startswith("unmask-")}


def test_the_advised_scale_leaves_postgresql_connections() -> None:
    """A pool process keeps up to two."""
    (scale,) = re.findall(r"--scale cpu-worker=(\d+)", compose.FILE.read_text())
    services = compose.read(SECRETS)["services"]
    (most,) = re.findall(r"max_connections=(\d+)", " ".join(services["postgres"]["command"]))
    processes = int(services["cpu-worker"]["environment"]["UNMASK_CPU_PROCESSES"])
    assert processes > 0, "one per core of the host"
    assert int(scale) * processes * 2 < int(most) / 2


def test_a_classifier_on_the_cpu_starts_no_more_threads_than_it_has_cores() -> None:
    one = compose.read(SECRETS | {"GPU_WORKER_CPUS": "6"})["services"]["gpu-worker-on-cpu"]
    assert one["deploy"]["resources"]["limits"]["cpus"] == "6"
    assert one["environment"]["UNMASK_GPU_THREADS"] == "6"


def test_the_example_names_every_variable_and_moves_no_command_of_the_checkout() -> None:
    text = (compose.ROOT / ".env.example").read_text()
    read = {found[1] for found in compose.VARIABLE.finditer(compose.FILE.read_text()) if found[1]}
    assert read <= set(re.findall(r"^#?(\w+)=", text, re.MULTILINE))
    given = re.findall(r"^(\w+)=", text, re.MULTILINE)
    assert set(given) == {"COMPOSE_PROFILES", *SECRETS}
    assert set(SECRETS) <= set(re.findall(r"^(\w+)=$", text, re.MULTILINE))


def test_a_check_asks_who_serves_others() -> None:
    services = compose.read(SECRETS)["services"]
    postgres = services["postgres"]["healthcheck"]["test"]
    at = postgres.index("-h")
    assert postgres[at + 1] == "127.0.0.1", "a socket alone is what the first start has"
    assert services["prometheus"]["healthcheck"]["test"][-1].endswith("/-/ready")


def store_command() -> list[str]:
    text = (compose.ROOT / "infra" / "s3" / "start").read_text().replace("\\\n", " ")
    (command,) = re.findall(r"^exec (weed .*)$", text, re.MULTILINE)
    return shlex.split(command)


def test_the_store_is_as_large_as_its_disk() -> None:
    assert "-volume.max=0" in store_command()


def test_the_store_listens_where_its_check_asks_and_outside_at_its_gate_alone() -> None:
    """`-ip` is where all of its parts listen, but for what a part of its own says."""
    words = dict(word.lstrip("-").partition("=")[::2] for word in store_command())
    check = (compose.ROOT / "infra" / "s3" / "serves").read_text()
    assert set(re.findall(r"http://([\d.]+):", check)) == {words["ip"]} == {"127.0.0.1"}
    assert {name for name in words if name.endswith("ip.bind")} == {"s3.ip.bind"}
    assert words["s3.ip.bind"] == "0.0.0.0"


def test_the_store_has_time_to_stop() -> None:
    words = dict(word.lstrip("-").partition("=")[::2] for word in store_command())
    grace = compose.read(SECRETS)["services"]["s3"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= int(words["volume.preStopSeconds"]) + 10


def test_the_head_of_the_file_makes_results_as_the_guide_does() -> None:
    guide = (compose.ROOT / "docs" / "how-to" / "operate.md").read_text()
    (line,) = re.findall(r"^sudo install .*?(?=  )", guide, re.MULTILINE)
    assert line in (compose.ROOT / "docker-compose.yml").read_text()


WGET = """#!/bin/sh
for address; do :; done
echo "$address" >> "$ASKED"
case "$address" in *"$DEAF"*) exit 1 ;; esac
"""


@pytest.mark.parametrize(
    ("deaf", "status"),
    [("nobody", 0), (":8333/", 1), (":9333/", 1), (":8080/", 1), (":8888/", 1)],
)
def test_a_store_is_well_only_while_all_of_it_answers(
    tmp_path: Path, deaf: str, status: int
) -> None:
    (tmp_path / "wget").write_text(WGET)
    (tmp_path / "wget").chmod(0o755)
    s3 = compose.read(SECRETS)["services"]["s3"]
    kind, *words = s3["healthcheck"]["test"]
    (mounted,) = [volume for volume in s3["volumes"] if volume.startswith("./")]
    here, there, _ = mounted.split(":")
    done = subprocess.run(
        [word.replace(there, str(compose.ROOT / here)) for word in words],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "ASKED": str(tmp_path / "asked"),
            "DEAF": deaf,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (kind, done.returncode) == ("CMD", status)
    assert (deaf in done.stderr.replace("from ", ":")) is (status == 1)
    if not status:
        assert len((tmp_path / "asked").read_text().splitlines()) == 4


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with ExitStack() as stack:
        redis = urlsplit(stack.enter_context(servers.redis(tmp_path)))
        database = stack.enter_context(servers.database(stack.enter_context(servers.postgresql())))
        endpoint = stack.enter_context(servers.s3())
        variables = SECRETS | {
            "REDIS_PASSWORD": str(redis.password),
            "UNMASK_S3_SOURCE_BUCKETS": MEDIA,
        }
        made = Fleet(
            services=compose.read(variables)["services"],
            places={
                "redis:6379": f"127.0.0.1:{redis.port}",
                "postgresql://unmask:postgres-secret@postgres:5432/unmask": database,
                "http://s3:8333": endpoint,
            },
            here={
                "UNMASK_FLOWER_PORT": str(free_port()),
                "UNMASK_EXPORTER_PORT": str(free_port()),
                "UNMASK_CPU_PROCESSES": "1",
            },
            folder=tmp_path,
        )
        put_media(endpoint)
        yield made
    left = of_marker(str(tmp_path))
    for process in left:
        process.kill()
    assert not left, f"processes left behind: {[process.command for process in left]}"


def put_media(endpoint: str) -> None:
    servers.make_bucket(endpoint, MEDIA)
    client = servers.s3_client(endpoint)
    for name in ("talking-head.mp4", "picture.jpg", "no-face.mp4", "not-a-video.mp4"):
        client.upload_file(str(compose.ROOT / "samples" / name), MEDIA, name)


def test_the_fleet_of_the_file_answers_submitted_media(fleet: Fleet) -> None:
    made = fleet.run("migrate")
    assert made.returncode == 0
    assert "the bucket unmask is there" in made.stdout
    assert fleet.run("migrate").returncode == 0, "a second start finds everything there"
    with ExitStack() as stack:
        started = {name: stack.enter_context(fleet.up(name)) for name in WORKING}
        done = fleet.run("producer", "producer", "submit", f"s3://{MEDIA}/", "--campaign", "june")
        assert "4 new" in done.stdout
        ledger = open_ledger(fleet.environment("sweep")["UNMASK_DATABASE_URL"])
        stack.callback(ledger.close)

        def ended() -> bool:
            assert all(process.poll() is None for process in started.values())
            stages = ledger.status("june").stages
            return sum(count for stage, count in stages.items() if stage in ENDS) == 4

        until(ended, within_s=180)
        outcomes = {Path(row.uri).name: row.outcome for row in ledger.results("june")}
        assert outcomes["no-face.mp4"] == "no_face"
        assert outcomes["not-a-video.mp4"] == "not_media"
        assert outcomes["talking-head.mp4"] in GENUINE
        assert outcomes["picture.jpg"] in GENUINE
        assert reported(fleet) == outcomes

        for name in WORKING:
            until(functools.partial(fleet.is_well, name), within_s=90)
        figures = httpx.get(f"http://127.0.0.1:{fleet.here['UNMASK_EXPORTER_PORT']}/metrics").text
        assert 'unmask_items{campaign="(ended)",stage="done"} 3.0' in figures
        assert 'unmask_up{service="redis"} 1.0' in figures
        flower = f"http://127.0.0.1:{fleet.here['UNMASK_FLOWER_PORT']}/api/tasks"
        assert httpx.get(flower).status_code == 401
        assert httpx.get(flower, auth=("unmask", "flower-secret")).status_code == 200

        for name in ("cpu-worker", "sweep"):
            os.kill(started[name].pid, signal.SIGSTOP)
            try:
                until(functools.partial(fleet.is_ill, name), within_s=90)
            finally:
                os.kill(started[name].pid, signal.SIGCONT)


def reported(fleet: Fleet) -> dict[str, str]:
    """What `producer report` writes, in a folder that stands for the one that is mounted."""
    folder = fleet.folder / "results"
    words = ["producer", "report", "--campaign", "june", "--out", str(folder)]
    assert fleet.run("producer", *words).returncode == 0
    assert (folder / "report.html").stat().st_size > 0
    lines = (folder / "results.jsonl").read_text().splitlines()
    return {Path(row["uri"]).name: row["outcome"] for row in map(json.loads, lines)}


def test_the_file_is_what_compose_reads() -> None:
    names = set(yaml.safe_load(compose.FILE.read_text())["services"])
    assert {"redis", "postgres", "s3", "migrate", "producer", "prometheus", "grafana"} <= names
    assert {"gpu-worker", *WORKING} <= names
