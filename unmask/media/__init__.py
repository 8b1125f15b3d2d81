"""From any file to face clips: probe → decode → faces → tracks → crop → clips."""
