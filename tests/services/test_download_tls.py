"""HTTPS: the certificate is verified against the name that was asked for, at the pinned address."""

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.download import DownloadLimits, Fetcher
from infra.guard import Guard
from schemas.records import Trust
from tests.services.strangers import MEDIA, head, stranger, to
from unmask.errors import Refused, TryAgain
from unmask.outcomes import Outcome

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


@dataclass
class Authority:
    """Signs certificates for the servers of these tests."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    name: x509.Name = field(
        default_factory=lambda: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
    )

    def trusted(self) -> ssl.SSLContext:
        own = self.sign(self.name, self.key.public_key(), ends=NOW + DAY, ca=True)
        text = own.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=text)

    def server(self, host: str, *, ends: datetime.datetime = NOW + DAY) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.sign(x509.Name([]), key.public_key(), ends=ends, host=host)
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        *,
        ends: datetime.datetime,
        host: str | None = None,
        ca: bool = False,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 3 * DAY)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
        )
        if host:
            names = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(names, critical=not list(subject))
        if ca:
            builder = builder.add_extension(_signs(), critical=True)
        return builder.sign(self.key, hashes.SHA256())


def _signs() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass
class Server:
    """Takes one connection after another, with TLS or (for a plain one) without."""

    context: ssl.SSLContext | None
    answer: bytes = field(
        default_factory=lambda: head("200 OK", {"Content-Length": str(len(MEDIA))}) + MEDIA
    )
    names: list[str | None] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client, suppress(OSError):
                self._answer(client)

    def _answer(self, client: socket.socket) -> None:
        if self.context is None:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\nplain")
            return
        self.context.sni_callback = lambda _sock, name, _context: self.names.append(name)
        with self.context.wrap_socket(client, server_side=True) as sealed:
            sealed.recv(65536)
            sealed.sendall(self.answer)


@dataclass
class Site:
    port: int
    server: Server
    trusted: ssl.SSLContext | None

    def get(self, host: str = "media.example.com", within_s: float = 10) -> bytes:
        return self.fetch(f"https://{host}:{self.port}/x", self.port, within_s=within_s)

    def fetch(self, uri: str, *ports: int, within_s: float = 10) -> bytes:
        guard = Guard(
            allow_networks=["127.0.0.1/32"],
            ports=ports,
            resolver=lambda _host, _port: ["127.0.0.1"],
        )
        fetcher = Fetcher(guard=guard, limits=DownloadLimits(deadline_s=within_s), tls=self.trusted)
        with fetcher.fetch(uri, Trust.REMOTE) as content:
            return content.file.read()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def site(authority: Authority) -> Iterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = Site(
            listener.getsockname()[1],
            Server(authority.server("media.example.com")),
            authority.trusted(),
        )
        serving = threading.Thread(target=one.server.serve, args=(listener,), daemon=True)
        serving.start()
        yield one
        listener.shutdown(socket.SHUT_RDWR)
        serving.join(5)


def test_a_valid_certificate_passes_and_the_name_is_sent(site: Site) -> None:
    assert site.get() == MEDIA
    assert site.server.names == ["media.example.com"]


def refused(site: Site, host: str = "media.example.com") -> str:
    with pytest.raises(Refused) as caught:
        site.get(host)
    assert caught.value.outcome is Outcome.UNREACHABLE
    return caught.value.reason


def test_a_certificate_for_another_name_is_refused(site: Site) -> None:
    assert "certificate of other.example.com" in refused(site, "other.example.com")


def test_a_certificate_of_nobody_we_trust_is_refused(site: Site) -> None:
    site.trusted = None  # the certificates of this machine
    assert "not valid" in refused(site)


def test_an_expired_certificate_is_refused(site: Site, authority: Authority) -> None:
    site.server.context = authority.server("media.example.com", ends=NOW - DAY)
    assert "expired" in refused(site)


def test_a_server_that_speaks_no_tls_is_tried_again(site: Site) -> None:
    site.server.context = None
    with pytest.raises(TryAgain, match="no secure connection"):
        site.get()


def test_a_handshake_that_drips_is_bounded_by_the_deadline() -> None:
    """A record of a kilobyte, byte by byte."""
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):
            client.sendall(b"\x16\x03\x03\x04\x00")
            while not stop.wait(0.05):
                client.sendall(b"\x02")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        dripping = threading.Thread(target=drip, args=(listener,))
        dripping.start()
        site = Site(listener.getsockname()[1], Server(None), None)
        started = time.monotonic()
        with pytest.raises(Refused) as caught:
            site.get(within_s=0.7)
        stop.set()
        dripping.join(5)
    assert caught.value.outcome is Outcome.TIMED_OUT
    assert time.monotonic() - started < 1.7


def test_nothing_sealed_is_asked_for_in_the_open(site: Site) -> None:
    """A redirect from https to http is followed as any other; nothing of ours goes along."""
    with stranger() as (plain, _):
        site.server.answer = head("302 Found", {"Location": plain.url("/echo")})
        told = site.fetch(f"https://media.example.com:{site.port}/x", site.port, plain.port)
    assert told.startswith(b"GET /echo HTTP/1.1")
    assert not {b"cookie", b"authorization", b"referer"} & {
        line.partition(b":")[0].lower() for line in told.splitlines()
    }


def test_a_redirect_from_plain_to_secure_is_followed_and_verified(site: Site) -> None:
    with stranger() as (plain, extra):
        for host in ("media.example.com", "other.example.com"):
            extra[f"/{host}"] = to(f"https://{host}:{site.port}/x")
        ports = plain.port, site.port
        assert site.fetch(plain.url("/media.example.com"), *ports) == MEDIA
        with pytest.raises(Refused, match="certificate of other"):
            site.fetch(plain.url("/other.example.com"), *ports)
