"""Alerts, dashboard and manual speak of metrics that exist, and of nothing else."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from infra.monitoring import dashboard
from tasks.metrics import CATALOGUE, page
from tests.monitoring import MONITORING, expressions, rules

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "how-to" / "operate.md"
SERIES = {series for metric in CATALOGUE for series in metric.series}
NAME = re.compile(r"\bunmask_[a-z0-9_]+\b")
LABEL = re.compile(r"\{([^}]*)\}")


def test_every_metric_in_use_exists() -> None:
    used = {name for one in expressions() for name in NAME.findall(one)}
    assert used - SERIES == set()


def test_every_metric_is_on_the_dashboard_or_in_an_alert() -> None:
    used = {name for one in expressions() for name in NAME.findall(one)}
    # How far the exporter is behind matters to whoever looks into it only.
    unused = {metric.name for metric in CATALOGUE if not used & set(metric.series)}
    assert unused <= {"unmask_exporter_moves_behind", "unmask_cpu_seconds", "unmask_gpu_seconds"}


def test_labels_in_use_exist() -> None:
    known = {label for metric in CATALOGUE for label in metric.labels} | {"job", "le", "alertstate"}
    pairs = [
        pair for one in expressions() for part in LABEL.findall(one) for pair in part.split(",")
    ]
    names = {re.split(r"[=!~]", pair)[0].strip() for pair in pairs}
    assert names - known == set()


def test_each_alert_has_its_entry_in_the_runbook() -> None:
    headings = set(re.findall(r"^### (\w+)$", GUIDE.read_text(), re.MULTILINE))
    assert {str(rule["alert"]) for rule in rules()} == headings
    for rule in rules():
        runbook = rule["annotations"]["runbook"]
        assert runbook == f"docs/how-to/operate.md#{str(rule['alert']).lower()}"


def test_dashboard_and_manual_are_as_made() -> None:
    assert dashboard.FILE.read_text() == dashboard.written(), "python -m infra.monitoring.dashboard"
    assert page.FILE.read_text() == page.written(), "python -m tasks.metrics.page"
    assert json.loads(dashboard.FILE.read_text())["uid"] == "unmask"


def test_figures_of_now_are_asked_for_now() -> None:
    """Over a range the last figure stays: of a dead exporter, of a campaign that has ended."""
    for panel in dashboard.dashboard()["panels"]:
        for target in panel.get("targets", []):
            assert target["instant"] == (panel["type"] in {"stat", "bargauge"}), panel["title"]
            assert target["range"] != target["instant"]


def test_somebody_who_looks_sees_a_dead_exporter_and_each_alert() -> None:
    shown = {
        panel["title"]: {target["expr"] for target in panel["targets"]}
        for panel in dashboard.dashboard()["panels"]
        if "targets" in panel
    }
    assert 'up{job="unmask"}' in shown["Services"]
    assert any("ALERTS" in one for one in shown["Alerts"])


def test_whom_to_tell_of_alerts_is_ready_to_be_filled_in() -> None:
    """Where its comment signs are taken away, the part is what Prometheus reads."""
    text = (MONITORING / "prometheus.yml").read_text()
    commented = re.search(r"^# alerting:\n(?:# .*\n)+", text, re.MULTILINE)
    assert commented
    part = yaml.safe_load(re.sub(r"^# ", "", commented[0], flags=re.MULTILINE))
    assert part["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert "alerting" not in yaml.safe_load(text), "there is none yet"


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard.dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= dashboard.ROW_CELLS
        taken |= cells


def test_each_alert_is_seen_to_fire_and_to_keep_still() -> None:
    cases = yaml.safe_load((MONITORING / "alerts_test.yml").read_text())["tests"]
    tried = [one for case in cases for one in case["alert_rule_test"]]
    alerts = {str(rule["alert"]) for rule in rules()}
    assert {one["alertname"] for one in tried if one["exp_alerts"]} == alerts
    assert {one["alertname"] for one in tried if not one["exp_alerts"]} == alerts


@pytest.fixture
def promtool() -> Callable[..., None]:
    """Prometheus' own checker, where it is installed; what stands above holds without it."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not here")

    def run(*words: str, given: str = "") -> None:
        done = subprocess.run(
            [program, *words], cwd=MONITORING, input=given, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def test_prometheus_accepts_the_rules_and_fires_them(promtool: Callable[..., None]) -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("test", "rules", "alerts_test.yml")


def test_prometheus_reads_every_expression_of_the_dashboard(
    promtool: Callable[..., None], tmp_path: Path
) -> None:
    panels = dashboard.dashboard()["panels"]
    shown = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    lines = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(shown)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": lines}]}))
    promtool("check", "rules", str(file))
