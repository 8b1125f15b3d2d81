"""Redis, PostgreSQL and S3 by TLS with an authority of one's own, by options of their addresses."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import psycopg
import pytest
import redis

import settings
from infra.ledger import migrate, open_ledger
from infra.objects import StoreOptions, open_store
from producer.doctor.broker import connect
from tests import servers
from tests.services.test_download_tls import Authority
from unmask.errors import TryAgain, Unusable
from workers.app import make_app

HOST = "localhost"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """With its own certificate in `ca.pem`, and a server's, with its key, in `server.pem`."""
    one = Authority(tmp_path)
    one.server(HOST)
    der = one.trusted().get_ca_certs(binary_form=True)[0]
    (tmp_path / "ca.pem").write_text(ssl.DER_cert_to_PEM_cert(der))
    return one


def certificate(authority: Authority) -> Path:
    return authority.folder / "server.pem"


def trusted(authority: Authority) -> Path:
    return authority.folder / "ca.pem"


def stranger(authority: Authority) -> Path:
    """Another authority, which signed nothing here."""
    folder = authority.folder / "other"
    folder.mkdir()
    der = Authority(folder).trusted().get_ca_certs(binary_form=True)[0]
    (folder / "ca.pem").write_text(ssl.DER_cert_to_PEM_cert(der))
    return folder / "ca.pem"


# --- the wheels' servers have no TLS, so they stand behind a front that has ---

Connect = Callable[[], socket.socket]
#: How a PostgreSQL client asks for TLS, and how a server agrees.
SSL_REQUEST, AGREED = b"\0\0\0\x08\x04\xd2\x16\x2f", b"S"


@contextmanager
def tls_front(certificate: Path, behind: Connect, asked_by: bytes = b"") -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(client: socket.socket) -> None:
        with suppress(OSError), client:
            if asked_by:
                assert client.recv(len(asked_by)) == asked_by
                client.sendall(AGREED)
            with context.wrap_socket(client, server_side=True) as sealed, behind() as plain:
                _join(sealed, plain)

    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=_accept, args=(listener, serve), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()


def _join(sealed: socket.socket, plain: socket.socket) -> None:
    back = threading.Thread(target=_pump, args=(plain, sealed), daemon=True)
    back.start()
    _pump(sealed, plain)
    plain.shutdown(socket.SHUT_RDWR)
    back.join(5)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)


def _to(port: int) -> Connect:
    return lambda: socket.create_connection(("127.0.0.1", port))


# --- Redis ---


@pytest.fixture
def redis_tls(authority: Authority) -> Iterator[str]:
    """Its address without options."""
    with servers.redis(authority.folder) as url:
        parts = urlsplit(url)
        assert parts.port
        with tls_front(certificate(authority), _to(parts.port)) as port:
            yield f"rediss://:{parts.password}@{HOST}:{port}/0"


def publish(url: str) -> None:
    app = make_app(settings=settings.load(redis_url=url))
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=10)
        channel: Any = connection.default_channel
        assert channel.queue_declare("cpu").message_count == 0
    app.close()


def test_redis_by_tls(redis_tls: str, authority: Authority) -> None:
    url = f"{redis_tls}?ssl_ca_certs={trusted(authority)}"
    publish(url)
    with connect(url) as client:
        assert client.ping()


@pytest.mark.parametrize("host", [HOST, "127.0.0.1"])
def test_redis_of_an_unknown_authority_or_another_name_is_not_talked_to(
    redis_tls: str, authority: Authority, host: str
) -> None:
    known = trusted(authority) if host != HOST else stranger(authority)
    url = f"{redis_tls.replace(HOST, host)}?ssl_ca_certs={known}"
    with pytest.raises(Exception, match=r"(?i)certificate"):
        publish(url)
    with connect(url) as client, pytest.raises(redis.ConnectionError, match=r"(?i)certificate"):
        client.ping()


def test_without_options_certificates_are_checked_all_the_same(redis_tls: str) -> None:
    """kombu by itself would check nothing here."""
    with pytest.raises(Exception, match=r"(?i)certificate"):
        publish(redis_tls)


@pytest.mark.parametrize("option", ["ssl_cert_reqs=none", "ssl_check_hostname=false", "ssl_x=1"])
def test_nobody_may_switch_the_check_off(option: str) -> None:
    with pytest.raises(Unusable, match="UNMASK_REDIS_URL"):
        make_app(settings=settings.load(redis_url=f"rediss://:p@{HOST}:1/0?{option}"))


# --- PostgreSQL ---


@pytest.fixture
def postgresql_tls(authority: Authority) -> Iterator[str]:
    """Its address without options."""
    with (
        servers.hasty_postgresql() as address,
        tls_front(certificate(authority), _postgresql_at(address), SSL_REQUEST) as port,
    ):
        yield f"postgresql://postgres@{HOST}:{port}/postgres"


def _postgresql_at(address: str) -> Connect:
    with psycopg.connect(address) as db:
        host, port = db.info.host, db.info.port
    if not host.startswith("/"):
        return _to(port)

    def connect() -> socket.socket:
        plain = socket.socket(socket.AF_UNIX)
        plain.connect(f"{host}/.s.PGSQL.{port}")
        return plain

    return connect


def test_postgresql_by_tls(postgresql_tls: str, authority: Authority) -> None:
    url = f"{postgresql_tls}?sslmode=verify-full&sslrootcert={trusted(authority)}"
    migrate(url)
    with closing(open_ledger(url)) as ledger:
        assert ledger.campaigns() == []
    with psycopg.connect(url) as db:
        assert db.pgconn.ssl_in_use


def test_postgresql_of_an_unknown_authority_is_not_talked_to(
    postgresql_tls: str, authority: Authority
) -> None:
    url = f"{postgresql_tls}?sslmode=verify-full&sslrootcert={stranger(authority)}"
    with pytest.raises((TryAgain, Unusable)), closing(open_ledger(url)) as ledger:
        ledger.campaigns()


# --- S3 ---


@pytest.fixture
def s3_tls(authority: Authority, s3_credentials: None) -> Iterator[str]:
    with servers.s3(certificate(authority)) as endpoint:
        yield endpoint.replace("127.0.0.1", HOST)


def test_s3_by_tls(s3_tls: str, authority: Authority) -> None:
    boto3.client("s3", endpoint_url=s3_tls, verify=str(trusted(authority))).create_bucket(
        Bucket="sealed"
    )
    endpoint = f"{s3_tls}?ca_certs={trusted(authority)}"
    open_store("s3://sealed", StoreOptions(endpoint_url=endpoint, path_style=True)).check()


def test_s3_of_an_unknown_authority_is_not_talked_to(s3_tls: str, authority: Authority) -> None:
    for endpoint in (s3_tls, f"{s3_tls}?ca_certs={stranger(authority)}"):
        store = open_store("s3://sealed", StoreOptions(endpoint_url=endpoint, path_style=True))
        with pytest.raises((TryAgain, Unusable), match=r"(?i)ssl|certificate"):
            store.check()


@pytest.mark.parametrize("option", ["ca_certs=/no/such/file", "verify=false"])
def test_a_wrong_option_of_the_s3_address_is_told(option: str) -> None:
    with pytest.raises(Unusable, match="UNMASK_S3_ENDPOINT_URL"):
        open_store("s3://x", StoreOptions(endpoint_url=f"https://{HOST}:1?{option}"))
