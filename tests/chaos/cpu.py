"""The CPU worker, whose network and media are stand-ins."""

import functools

import tasks.extract
from tests.chaos.patience import soon_restored
from tests.chaos.stand_in import made_up
from workers.cpu import app

__all__ = ["app"]

vars(tasks.extract)["resources"] = functools.cache(made_up)
soon_restored(app)
