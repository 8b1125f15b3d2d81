"""What is agreed on between processes: stages, messages, records and tables."""
