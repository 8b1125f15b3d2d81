"""The one-machine default: private Redis, workers, sweep and Flower as supervised child processes."""

from producer.local.machine import Machine

__all__ = ["Machine"]
