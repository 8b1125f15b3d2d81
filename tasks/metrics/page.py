"""Make docs/reference/metrics.md: `python -m tasks.metrics.page`."""

from pathlib import Path

from tasks.metrics.catalogue import CATALOGUE

FILE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
HEAD = """\
# Metrics

`python -m workers.exporter` serves them at `UNMASK_EXPORTER_ADDRESS:UNMASK_EXPORTER_PORT`
(`127.0.0.1:9540`) for Prometheus. They are read from the ledger and from Redis whenever somebody
asks; run one exporter, and keep its port inside: campaign names stand in it. Counters begin at the
exporter's start. The dashboard is `infra/monitoring/grafana/dashboards/unmask.json`, the alerts
`infra/monitoring/alerts.yml`, and what to do for each stands in
[the operating guide](../how-to/operate.md).

| metric | kind | labels | it means | what to do |
|---|---|---|---|---|
"""


def written() -> str:
    lines = [
        f"| `{one.series[0].removesuffix('_bucket')}` | {one.kind} "
        f"| {', '.join(f'`{label}`' for label in one.labels) or '–'} | {one.means} | {one.do} |"
        for one in CATALOGUE
    ]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(written())
    print(FILE)
