"""Malformed files, made by mutators that know the formats, and what becomes of them in the room."""
