"""Faults on real processes: whatever dies, nothing is lost and nothing is there twice."""
