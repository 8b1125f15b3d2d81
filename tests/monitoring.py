"""What alerts and dashboard ask of Prometheus."""

from pathlib import Path
from typing import Any

import yaml

from infra.monitoring import dashboard

MONITORING = Path(__file__).resolve().parents[1] / "infra" / "monitoring"


def rules() -> list[dict[str, Any]]:
    read = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    return [rule for group in read["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    panels = dashboard.dashboard()["panels"]
    shown = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    return shown + [str(rule["expr"]) for rule in rules()]
