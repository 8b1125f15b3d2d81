"""The made-up media library, in a keeper whose guests never have the time to meet memory ahead."""

from unittest.mock import patch

from tests.app import made_up_media

patch("infra.sandbox.guest.PAGES_AHEAD", 0).start()

warm, extract = made_up_media.warm, made_up_media.extract
