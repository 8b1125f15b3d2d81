"""Prometheus metrics, read from the ledger and Redis whenever somebody asks."""

from tasks.metrics.catalogue import CATALOGUE
from tasks.metrics.collector import LedgerCollector

__all__ = ["CATALOGUE", "LedgerCollector"]
