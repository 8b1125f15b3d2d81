"""The queue on Redis as seen from inside: nothing on it is believed."""

from infra.doorbell.refusals import Refusals, read_refusals
from infra.doorbell.tls import broker_tls

__all__ = ["Refusals", "broker_tls", "guard_transport", "read_refusals"]


def guard_transport() -> None:
    """From here on `redis://` and `rediss://` mean the guarded transport, in this process."""
    from kombu.transport import TRANSPORT_ALIASES

    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = "infra.doorbell.transport:Transport"
