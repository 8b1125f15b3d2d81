"""Flower's own settings. `/metrics` is closed here: Unmask's exporter serves the figures."""

from flower.urls import handlers

from settings import load

_settings = load()

address = _settings.flower_address
port = _settings.flower_port
max_tasks = 100_000
# The page asks workers for their state; a busy one needs more than the default second.
inspect_timeout = 3_000.0
persistent = False
tasks_columns = "name,uuid,state,args,result,received,started,runtime,worker"

if _settings.flower_password is not None:
    basic_auth = [f"{_settings.flower_user}:{_settings.flower_password.get_secret_value()}"]
elif address not in ("127.0.0.1", "::1", "localhost"):
    raise SystemExit(
        f"Flower on {address} needs a password: set UNMASK_FLOWER_PASSWORD, "
        "or UNMASK_FLOWER_ADDRESS=127.0.0.1"
    )

handlers[:] = [one for one in handlers if not (isinstance(one, tuple) and one[0] == "/metrics")]
