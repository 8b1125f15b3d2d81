"""`python -m workers.exporter`: the fleet's figures for Prometheus, from the ledger and Redis."""

import sys

from prometheus_client import CollectorRegistry, start_http_server

from infra.resources import resources
from tasks.metrics import LedgerCollector
from tasks.metrics.broker import Broker
from unmask.errors import TryAgain, Unusable
from workers.life import set_up_logging, told_to_stop


def main() -> int:
    """Serve until told to stop."""
    stop = told_to_stop()
    try:
        tools = resources()
    except (Unusable, TryAgain) as error:
        print(f"exporter: {error}", file=sys.stderr)
        return 2
    settings = tools.settings
    set_up_logging(settings.log_level)
    registry = CollectorRegistry()
    broker = Broker(settings.redis_url.get_secret_value())
    LedgerCollector(tools.ledger, broker, registry, window=settings.window_items)
    try:
        server, thread = start_http_server(
            settings.exporter_port, settings.exporter_address, registry
        )
    except OSError as error:
        where = f"{settings.exporter_address}:{settings.exporter_port}"
        print(f"exporter: can't serve on {where}: {error.strerror}", file=sys.stderr)
        return 2
    stop.wait()
    server.shutdown()
    thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
