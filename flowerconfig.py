"""Flower's own settings. `/metrics` is closed here: Unmask's exporter serves the figures."""

import os
import sys

from flower.urls import handlers
from tornado.options import options

from infra.addresses import is_loopback
from settings import load

_settings = load()

address = _settings.flower_address
port = _settings.flower_port
# Several windows of a large fleet. With the default of 100,000 it grew to 430 MB.
# Who wants to see an older item asks the ledger.
max_tasks = 5_000
# The page asks workers for their state; a busy one needs more than the default second.
inspect_timeout = 3_000.0
persistent = False
tasks_columns = "name,uuid,state,args,result,received,started,runtime,worker"

# Flower takes its command line after this file, where it could open what is closed here.
if any(word.lstrip("-").partition("=")[0] == "address" for word in sys.argv):
    raise SystemExit("Flower's --address is not heard here: set UNMASK_FLOWER_ADDRESS")

if _settings.flower_password is not None:
    basic_auth = [f"{_settings.flower_user}:{_settings.flower_password.get_secret_value()}"]
elif not (is_loopback(address) or options.basic_auth or options.auth):
    raise SystemExit(
        f"Flower on {address} needs a password: set UNMASK_FLOWER_PASSWORD, "
        "or UNMASK_FLOWER_ADDRESS=127.0.0.1"
    )

# With it, whoever reaches the port could stop workers and send them tasks.
os.environ.pop("FLOWER_UNAUTHENTICATED_API", None)

handlers[:] = [one for one in handlers if not (isinstance(one, tuple) and one[0] == "/metrics")]
