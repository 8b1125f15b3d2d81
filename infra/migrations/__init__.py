"""The shape of the ledger, version by version; `infra.ledger.migration` runs these from code."""
