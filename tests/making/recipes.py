"""Recipes that end in seconds."""

PAIRS = {
    "name": "tiny",
    "about": "for a test",
    "learns_from": "pairs",
    "width": 16,
    "rate": 0.004,
    "batch": 8,
    "epochs": 3,
    "average": 0.9,
    "dropout": 0.1,
    "pairing": {"given_fakes": 1.0, "spoiling": {"jpeg": 0.3, "resolution": 0.0, "blur": 0.0}},
}

CLIPS = {
    "name": "tiny-clips",
    "about": "for a test",
    "learns_from": "clips",
    "width": 8,
    "optimiser": "adam",
    "schedule": "plateau",
    "batch": 2,
    "epochs": 1,
    "frames": 3,
}
