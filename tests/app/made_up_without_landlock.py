"""The made-up media library, in a keeper without Landlock."""

from tests.app import made_up_media, no_landlock

no_landlock.take_away()

warm, extract = made_up_media.warm, made_up_media.extract
