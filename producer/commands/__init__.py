"""The command line. Each command is thin: parse, call, show."""

from producer.commands.app import app

__all__ = ["app"]
