"""The pure library: media to face clips, clips to verdicts. No queue, database or settings."""
