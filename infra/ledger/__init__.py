"""SQL is the truth: submit, offer, claim, renew, release, finish, sweep."""

from infra.ledger.ledger import Ledger
from infra.ledger.migration import Schema, check, migrate
from infra.ledger.open import open_ledger
from infra.ledger.policy import Policy

__all__ = ["Ledger", "Policy", "Schema", "check", "migrate", "open_ledger"]
