"""What papers do otherwise: configurations, attention, mixes, search. The main road needs none."""
