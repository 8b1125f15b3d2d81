"""The GPU worker, whose model is a stand-in."""

import functools

import tasks.classify
from tests.chaos.patience import soon_restored
from tests.chaos.stand_in import MadeUpModels, made_up
from workers.gpu import app

__all__ = ["app"]

vars(tasks.classify)["resources"] = functools.cache(made_up)
vars(tasks.classify)["Models"] = lambda *_: MadeUpModels()
soon_restored(app)
