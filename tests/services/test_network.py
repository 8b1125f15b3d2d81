"""Whether the network is there, asked of real sockets on this machine."""

import socket
from collections.abc import Iterator

import pytest

from tasks.network import answers, network_answers


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def silent() -> Iterator[int]:
    """Takes no connection and refuses none: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        waiting = []
        try:
            for _ in range(4):
                one = socket.socket()
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
                waiting.append(one)
            yield port
        finally:
            for one in waiting:
                one.close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_who_takes_a_connection_answers(listening: int) -> None:
    assert answers(f"127.0.0.1:{listening}")


def test_who_refuses_one_answers_too() -> None:
    assert answers(f"127.0.0.1:{closed_port()}")


def test_who_is_silent_does_not(silent: int) -> None:
    assert not network_answers([f"127.0.0.1:{silent}"])


def test_one_answer_is_enough(listening: int, silent: int) -> None:
    assert network_answers([f"127.0.0.1:{silent}", f"127.0.0.1:{listening}"])


def test_without_anybody_to_ask_nobody_answers() -> None:
    assert not network_answers([])


@pytest.mark.parametrize(
    ("code", "there"), [(socket.EAI_AGAIN, False), (socket.EAI_NONAME, True), (None, True)]
)
def test_a_resolver_that_knows_no_such_name_is_alive(
    code: int | None, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: object, **__: object) -> list[object]:
        if code is not None:
            raise socket.gaierror(code, "as the test says")
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert network_answers(["example.com"]) is there
