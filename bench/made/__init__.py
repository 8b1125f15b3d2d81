"""Faces and films of known truth, made on the spot: for the benches and the tests alike."""
