"""What papers do otherwise: configurations, heads, contests, search. The main road needs none."""
