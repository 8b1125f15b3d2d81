"""Strangers' text, made plain for people: the same here as in the library."""

from unmask.wording import printable

__all__ = ["printable"]
