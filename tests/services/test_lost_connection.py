"""A worker thread that acknowledges late finds its connection gone, and the worker lives."""

from pathlib import Path
from typing import Any

import pytest

import settings
from tests import servers
from workers.app import make_app


def test_a_channel_without_its_connection_is_a_lost_connection(tmp_path: Path) -> None:
    with servers.redis(tmp_path) as url:
        connection = make_app(settings=settings.load(redis_url=url)).connection_for_read()
        channel: Any = connection.default_channel
        lost = connection.connection_errors
        connection.release()
        # What an acknowledgement begins with.
        with pytest.raises(lost, match="gone"), channel.conn_or_acquire():
            pass
