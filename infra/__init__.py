"""The outside world: SQL, object storage, the network, the room for strangers' bytes."""
