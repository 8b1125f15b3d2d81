"""The one-machine default: private Redis, workers, sweep and Flower as supervised children."""

from producer.local.machine import Machine

__all__ = ["Machine"]
