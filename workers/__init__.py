"""The processes that do the work: `celery -A workers.cpu worker` and its kin."""
