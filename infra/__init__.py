"""The outside world: SQL, object storage, the network, and the room where strangers' bytes are decoded."""
