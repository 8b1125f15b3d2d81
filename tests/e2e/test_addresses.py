"""Items that come from servers and buckets, through the same command."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.e2e.conftest import ROOT, Bench, results
from tests.making.bundles import write_bundle

SAMPLES = ROOT / "samples"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Nothing on the terminal."""

    def log_error(self, *_: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def web() -> Iterator[str]:
    """The samples on a server of this machine."""
    handler = functools.partial(Quiet, directory=str(SAMPLES))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_list_of_addresses(local: Bench, web: str) -> None:
    port = web.rpartition(":")[2]
    write_bundle(local.folder / "models" / "blank", name="blank")
    bench = local.but(
        UNMASK_MODELS_DIR=str(local.folder / "models"),
        UNMASK_DOWNLOAD_ALLOW_NETWORKS='["127.0.0.0/8"]',
        UNMASK_DOWNLOAD_PORTS=f"[80,443,{port}]",
    )
    listed = local.folder / "list.jsonl"
    lines = [
        f'{{"url": "{web}/picture.jpg?token=planted-secret", "case": 7}}',
        f'{{"url": "{web}/nowhere.mp4"}}',
        '{"url": "http://169.254.169.254/latest/meta-data.mp4"}',
    ]
    listed.write_text("\n".join(lines))
    done = bench.scan(listed, "--model", "blank")
    assert done.returncode == 0, done.stderr
    assert "classifying on the " in done.stderr
    rows = {Path(str(row["uri"]).partition("?")[0]).name: row for row in results(bench)}
    assert rows["picture.jpg"]["stage"] == "done"
    # Nothing was ever learned by this one, and it makes nothing up.
    picture = rows["picture.jpg"]
    assert (picture["outcome"], picture["reason"]) == ("unsure", "untrained model")
    assert (picture["probability"], picture["band"]) == (None, None)
    assert rows["picture.jpg"]["extra"] == {"case": 7}
    assert rows["picture.jpg"]["bytes_fetched"] == (SAMPLES / "picture.jpg").stat().st_size
    assert rows["nowhere.mp4"]["outcome"] == "unreachable"
    assert "404" in rows["nowhere.mp4"]["reason"]
    assert rows["meta-data.mp4"]["outcome"] == "blocked"
    shown = [*bench.results.iterdir(), *(bench.state / "run").glob("*.log")]
    assert [path.name for path in shown if b"planted-secret" in path.read_bytes()] == []
    assert "planted-secret" not in done.stdout + done.stderr


def test_a_bucket(local: Bench, s3_server: str) -> None:
    bucket = servers.make_bucket(s3_server)
    client = servers.s3_client(s3_server)
    for name in ("picture.jpg", "not-a-video.mp4"):
        client.put_object(Bucket=bucket, Key=f"tapes/{name}", Body=(SAMPLES / name).read_bytes())
    client.put_object(Bucket=bucket, Key="elsewhere/no-face.mp4", Body=b"not asked for")
    bench = local.but(
        **servers.S3_ENVIRONMENT,
        UNMASK_S3_ENDPOINT_URL=s3_server,
        UNMASK_S3_PATH_STYLE="true",
        UNMASK_S3_SOURCE_BUCKETS=f'["{bucket}"]',
    )
    done = bench.scan(f"s3://{bucket}/tapes/")
    assert done.returncode == 0, done.stderr
    outcomes = {Path(str(row["uri"])).name: row["outcome"] for row in results(bench)}
    assert outcomes["not-a-video.mp4"] == "not_media"
    assert outcomes["picture.jpg"] in {"fake", "real", "unsure"}
    assert len(outcomes) == 2

    refused = bench.but(UNMASK_S3_SOURCE_BUCKETS="[]").scan(f"s3://{bucket}/tapes/")
    assert refused.returncode == 2
    assert "UNMASK_S3_SOURCE_BUCKETS" in refused.stderr
