"""Every speed or size that the documents claim, as a command that compares two things."""
