"""How the samples are made: portraits → motion → frames → files."""
