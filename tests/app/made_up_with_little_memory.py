"""The made-up media library, in a keeper whose guests can meet no memory ahead."""

from unittest.mock import patch

from tests.app import made_up_media

#: No machine has as much.
patch("infra.sandbox.guest._LARGE_PAGE", 1 << 60).start()

warm, extract = made_up_media.warm, made_up_media.extract
