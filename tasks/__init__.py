"""One file per stage of an item's way; Celery entries are thin: parse, call, return."""
