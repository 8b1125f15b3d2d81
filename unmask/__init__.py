"""The pure library: media to face clips, clips to verdicts. It knows no queue, no database and no settings."""
