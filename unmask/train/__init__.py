"""Data sets → splits → pairs → fit → evaluate → bundle."""
