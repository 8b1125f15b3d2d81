"""Make docs/reference/metrics.md: `python -m tasks.metrics.page`."""

from pathlib import Path

from tasks.metrics.catalogue import CATALOGUE

FILE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
HEAD = """\
# Metrics

`python -m workers.exporter` serves them at `UNMASK_EXPORTER_ADDRESS:UNMASK_EXPORTER_PORT`
(`127.0.0.1:9540`) for Prometheus. They are read from the ledger and from Redis whenever somebody
asks; run one exporter, and keep its port inside: campaign names stand in it.

Where a counter begins:

- outcomes, footage, CPU and GPU seconds and bytes are totals of the ledger, and go on from there
  whatever is started again;
- moves, returned leases, charged attempts and times at a stage begin at the exporter's start;
- batches begin at their GPU worker's start;
- refused messages are counted on Redis, until somebody deletes that count.

The dashboard is `infra/monitoring/grafana/dashboards/unmask.json`, the alerts
`infra/monitoring/alerts.yml`, and what to do for each stands in
[the operating guide](../how-to/operate.md).

**What was tried.** Tests compare dashboard and alerts with this table, and every label value they
ask for with a page of the real exporter. `promtool`, where it is installed, also reads the
configuration and every expression, and lets each alert fire and keep still on made-up series;
without it these two tests are skipped. It is optional: Debian's package `prometheus` carries it.
The dashboard was never loaded in Grafana.

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
