"""What a person or a cron job starts."""
