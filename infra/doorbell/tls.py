"""TLS to Redis, by options of its address: `rediss://…?ssl_ca_certs=/path/ca.pem`."""

import ssl
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from unmask.errors import Unusable

#: What an address may say. That certificates are checked is not up to it.
OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_CHECKED = {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}


def broker_tls(url: str) -> dict[str, Any] | None:
    """Celery's `broker_use_ssl`. Without it kombu checks no certificate and no name."""
    parts = urlsplit(url)
    if parts.scheme != "rediss":
        return None
    given = {name: value for name, value in parse_qsl(parts.query) if name.startswith("ssl_")}
    for name, value in given.items():
        _check(name, value)
    chosen = {name: given[name] for name in OPTIONS if name in given}
    return chosen | {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}


def _check(name: str, value: str) -> None:
    if name in _CHECKED and value.lower() != _CHECKED[name]:
        raise Unusable(
            f"UNMASK_REDIS_URL says {name}={value}: certificates are always checked; "
            "name your own authority with ssl_ca_certs=/path/ca.pem"
        )
    if name not in (*OPTIONS, *_CHECKED):
        raise Unusable(f"UNMASK_REDIS_URL says {name}, of which Unmask knows nothing")
