"""The guard against addresses made by strangers: nothing inside is ever looked up or reached."""

import socket
from collections.abc import Sequence

import pytest

import settings
from infra.addresses import read_address
from infra.guard import Guard, Pinned
from infra.own import ASKED_AGAIN_S, KEPT_S, OwnHosts, hosts_of
from infra.resources import own_hosts
from unmask.errors import Refused, TryAgain, Unusable
from unmask.outcomes import Outcome

PUBLIC = "93.184.216.34"


def no_lookup(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"{host}:{port} was looked up")


def answering(*addresses: str) -> Guard:
    return Guard(resolver=lambda _host, _port: addresses)


def visit(guard: Guard, uri: str) -> Pinned:
    return guard.pin(guard.parse(uri))


def is_blocked(guard: Guard, uri: str) -> None:
    with pytest.raises(Refused) as caught:
        visit(guard, uri)
    assert caught.value.outcome is Outcome.BLOCKED
    assert caught.value.reason


# --- literals: refused without any look-up ---

INSIDE_4 = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.170",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
]

INSIDE_6 = [
    "::",
    "::1",
    "::127.0.0.1",
    "::10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:7f00:1",
    "::ffff:169.254.169.254",
    "::ffff:93.184.216.34",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2002:a00:1::",
    "2002:5db8:d822::1",
    "2620:4f:8000::1",
    "3ffe::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "feb0::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2606:2800:220:1:0:5efe:7f00:1",
    "2606:2800:220:1:200:5efe:10.0.0.1",
]


@pytest.mark.parametrize("literal", INSIDE_4)
def test_an_ipv4_address_that_is_not_public_is_blocked(literal: str) -> None:
    guard = Guard(resolver=no_lookup)
    is_blocked(guard, f"http://{literal}/clip.mp4")
    is_blocked(guard, f"https://{literal}:443/")
    is_blocked(answering(literal), "http://clips.example.com/")


@pytest.mark.parametrize("literal", INSIDE_6)
def test_an_ipv6_address_that_is_not_public_is_blocked(literal: str) -> None:
    is_blocked(Guard(resolver=no_lookup), f"http://[{literal}]/clip.mp4")
    is_blocked(answering(literal), "http://clips.example.com/")


# --- tricks of writing: refused without any look-up ---

TRICKS = [
    # numbers in disguise
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0.0.0.0x0/",
    "http://1.2.3.4.5/",
    "http://256.256.256.256/",
    "http://127.0.0.1.5/",
    "http://00127.0.0.1/",
    "http://3232235777/",
    "http://0xA9FEA9FE/",
    "http://0251.0376.0251.0376/",
    "http://example.0x7f/",
    "http://example.123/",
    "http://169.254.43518/",
    "http://127.0.0.1./",
    "http://127.1./",
    "http://%31%32%37.0.0.1/",
    "http://127%2e0%2e0%2e1/",
    "http://[::1]./",
    # digits, dots and letters that are not ASCII
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://127｡0｡0｡1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://१२७.०.०.१/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://ｌｏｃａｌｈｏｓｔ/",
    "http://local\u00adhost/",
    "http://loc\u200balhost/",
    "http://localhost\u3002/",
    "http://example.com\uff0f@127.0.0.1/",
    "http://exam\u2044ple.com/",
    "http://example.com\u2100/",
    "http://example.com\ufe52localhost/",
    "http://\u212aelvin.example\u2024com/",
    # brackets
    "http://[::1/",
    "http://::1/",
    "http://[::1]extra/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[::ffff:0x7f.1]/",
    "http://[v1.fe80::1]/",
    "http://[]/",
    "http://[127.0.0.1]/",
    "http://[1::2::3]/",
    # names of this machine and its network
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://x.localhost/",
    "http://printer.local/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://router.home.arpa/",
    "http://localhost.localdomain/",
    # schemes
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "ftp://example.com/clip.mp4",
    "gopher://example.com/_x",
    "dict://example.com/",
    "ldap://example.com/",
    "data:video/mp4;base64,AAAA",
    "javascript:alert(1)",
    "rtmp://example.com/live",
    "rtsp://example.com/",
    "concat:http://example.com/a|http://example.com/b",
    "crypto+http://example.com/",
    "hls+http://example.com/",
    "jar:http://example.com!/",
    "ws://example.com/",
    "s3://bucket/key",
    "unix:///var/run/docker.sock",
    "http:example.com",
    "http:/example.com",
    "http:///example.com",
    "http://",
    "http:",
    "https://?",
    "https://#",
    "//example.com/x",
    "example.com/x",
    "/etc/passwd",
    "",
    ":",
    "ht\ttp://example.com/",
    "url:http://example.com/",
    "-http://example.com/",
    # who is asked for, and who only seems to be
    "http://user@example.com/",
    "http://user:password@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://127.0.0.1@example.com/",
    "http://@127.0.0.1/",
    "http://:@example.com/",
    "http://example.com%40127.0.0.1/",
    "http://example.com\\@127.0.0.1/",
    "http://127.0.0.1\\@example.com/",
    "http:\\\\127.0.0.1\\",
    "http://example.com\\.evil.com/",
    "http:/\\127.0.0.1/",
    "http://example.com;127.0.0.1/",
    "http://example.com&127.0.0.1/",
    "http://example.com,127.0.0.1/",
    "http://exa mple.com/",
    "http://example.com /",
    " http://127.0.0.1/",
    "\x00http://127.0.0.1/",
    "http://example.com\x00.evil.com/",
    "http://127.0.0.1\t/",
    "http://127.0.0.1\r\nHost: example.com/",
    "http://example.com/\r\nX-Evil: 1",
    "http://example.com/%0d%0aok\r\n",
    "http://example.com/a b",
    "http://example.com/\u2028",
    "http://example.com/\x7f",
    "http://example.com/<script>",
    'http://example.com/"x"',
    "http://example.com/`id`",
    # ports
    "http://example.com:22/",
    "http://example.com:6379/",
    "http://example.com:8080/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:-80/",
    "http://example.com:99999999999/",
    "http://example.com:80:80/",
    "http://example.com:8 0/",
    "http://example.com:0x50/",
    "http://example.com:８０/",
    "http://127.0.0.1:80/",
    "http://[::1]:80/",
    # names that DNS does not have
    "http://.example.com/",
    "http://example..com/",
    "http://./",
    "http://../",
    "http://-example.com/",
    "http://example-.com/",
    "http://exa*mple.com/",
    "http://exa$mple.com/",
    "http://{example}.com/",
    "http://exam|ple.com/",
    f"http://{'a' * 64}.com/",
    f"http://{'a.' * 130}com/",
    f"http://example.com/{'a' * 9000}",
    f"http://{'1' * 5000}/",
]


@pytest.mark.parametrize("uri", TRICKS, ids=lambda uri: ascii(uri)[:60])
def test_a_trick_is_blocked_before_anything_is_looked_up(uri: str) -> None:
    is_blocked(Guard(resolver=no_lookup), uri)


def test_there_are_enough_of_them() -> None:
    assert len({*TRICKS, *INSIDE_4, *INSIDE_6}) >= 150


# --- legitimate addresses pass ---

FINE = {
    "http://example.com": ("example.com", 80),
    "http://example.com/": ("example.com", 80),
    "https://example.com/clip.mp4": ("example.com", 443),
    "HTTPS://EXAMPLE.COM/Clip.MP4": ("example.com", 443),
    "http://example.com:80/x": ("example.com", 80),
    "https://example.com:443/x": ("example.com", 443),
    "http://example.com:443/x": ("example.com", 443),
    "https://cdn-7.media.example.co.uk/a/b/c.webm": ("cdn-7.media.example.co.uk", 443),
    "https://example.com./x": ("example.com", 443),
    "https://under_score.example.com/x": ("under_score.example.com", 443),
    "https://xn--bcher-kva.example/": ("xn--bcher-kva.example", 443),
    "https://bücher.example/film.mp4": ("xn--bcher-kva.example", 443),
    "https://例え.テスト/動画.mp4": ("xn--r8jz45g.xn--zckzah", 443),
    "https://example.com/?q=a&sig=AbC%2B%2F%3D": ("example.com", 443),
    "https://example.com/a%20b(1).mp4": ("example.com", 443),
    "https://example.com/~user/@handle/x;y=1,2": ("example.com", 443),
    "https://example.com/a/../b": ("example.com", 443),
    "https://example.com/x#t=10": ("example.com", 443),
    "https://example.com/redirect?to=http://127.0.0.1/": ("example.com", 443),
    "https://127.0.0.1.nip.example/": ("127.0.0.1.nip.example", 443),
    "https://3com.example/": ("3com.example", 443),
    "https://1.example/": ("1.example", 443),
    "http://93.184.216.34/": ("93.184.216.34", 80),
    "http://8.8.8.8/": ("8.8.8.8", 80),
    "http://172.32.0.1/": ("172.32.0.1", 80),
    "http://100.128.0.1/": ("100.128.0.1", 80),
    "http://168.63.129.17/": ("168.63.129.17", 80),
    "http://[2606:2800:220:1:248:1893:25c8:1946]/": ("2606:2800:220:1:248:1893:25c8:1946", 80),
    "https://[2a00:1450:4001:81b::200e]:443/x": ("2a00:1450:4001:81b::200e", 443),
    f"https://example.com/{'a' * 4000}": ("example.com", 443),
}


@pytest.mark.parametrize("uri", FINE, ids=lambda uri: ascii(uri)[:60])
def test_a_legitimate_address_passes(uri: str) -> None:
    pinned = visit(answering(PUBLIC), uri)
    assert (pinned.host, pinned.port) == FINE[uri]


def test_what_is_parsed_is_what_is_requested() -> None:
    url = Guard().parse("https://Bücher.example:443/a b".replace(" ", "%20") + "/ü?q=ä#part")
    assert url.raw_host == b"xn--bcher-kva.example"
    assert url.raw_path == b"/a%20b/%C3%BC?q=%C3%A4"


# --- looking up ---


def test_one_bad_address_among_good_ones_blocks() -> None:
    is_blocked(answering(PUBLIC, "10.0.0.1"), "http://example.com/")
    is_blocked(answering("2606:2800:220:1::1", PUBLIC, "::1"), "http://example.com/")


def test_a_host_is_looked_up_once_and_its_addresses_are_pinned() -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    guard = Guard(resolver=lambda _host, _port: next(answers))
    pinned = visit(guard, "http://rebind.example.com/")
    assert [str(address) for address in pinned.addresses] == [PUBLIC]
    is_blocked(guard, "http://rebind.example.com/")


@pytest.mark.parametrize("answer", ["fe80::1%eth0", "2606:2800::1%1", "nonsense", "127.1", ""])
def test_an_answer_that_is_no_plain_address_blocks(answer: str) -> None:
    is_blocked(answering(answer), "http://example.com/")


def failing(error: OSError) -> Guard:
    def resolver(_host: str, _port: int) -> Sequence[str]:
        raise error

    return Guard(resolver=resolver)


def test_a_host_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Refused) as caught:
        visit(failing(socket.gaierror(socket.EAI_NONAME, "unknown")), "http://gone.example.com/")
    assert caught.value.outcome is Outcome.UNREACHABLE
    with pytest.raises(Refused, match="no address"):
        visit(answering(), "http://empty.example.com/")


def test_a_resolver_that_is_away_is_asked_again_later() -> None:
    with pytest.raises(TryAgain, match="looking up"):
        visit(failing(socket.gaierror(socket.EAI_AGAIN, "try again")), "http://example.com/")
    with pytest.raises(TryAgain, match="looking up"):
        visit(failing(OSError("no network")), "http://example.com/")


# --- what the operator opens and closes ---


def test_a_private_network_can_be_opened_by_name() -> None:
    guard = Guard(allow_networks=["10.1.0.0/16", "fd12::/16"], resolver=no_lookup)
    visit(guard, "http://10.1.2.3/")
    visit(guard, "http://[fd12::5]/")
    for closed in (
        "10.2.0.1",
        "127.0.0.1",
        "[fd13::1]",
        "[::ffff:10.1.2.3]",
        "[64:ff9b::10.1.2.3]",
    ):
        is_blocked(guard, f"http://{closed}/")


def test_other_ports_can_be_opened() -> None:
    guard = Guard(ports=(8080,), resolver=lambda _host, _port: [PUBLIC])
    assert visit(guard, "http://example.com:8080/").port == 8080
    is_blocked(guard, "http://example.com/")


def test_our_own_services_are_blocked_by_name_and_by_address() -> None:
    guard = Guard(own_hosts=["Redis.Example.com.", PUBLIC], resolver=lambda _host, _port: [PUBLIC])
    is_blocked(guard, "http://redis.example.com/")
    is_blocked(guard, "http://redis.example.com./")
    is_blocked(guard, f"http://{PUBLIC}/")
    is_blocked(guard, "http://other-name.example.com/")


def test_our_own_services_are_blocked_where_their_names_lead() -> None:
    def resolver(host: str, _port: int) -> list[str]:
        return {"db.example.com": [PUBLIC, "1.1.1.2"]}.get(host, ["1.1.1.2"])

    guard = Guard(own_hosts=["db.example.com"], resolver=resolver)
    is_blocked(guard, "http://innocent.example.com/")
    is_blocked(guard, f"http://{PUBLIC}/")
    is_blocked(guard, "http://db.example.com/")


def test_an_own_service_that_leads_nowhere_blocks_nobody_else() -> None:
    def resolver(host: str, _port: int) -> list[str]:
        if host == "gone.example.com":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [PUBLIC]

    guard = Guard(own_hosts=["gone.example.com"], resolver=resolver)
    assert guard.pin(guard.parse("http://media.example.com/")).addresses


class Moody:
    """A resolver that may be away: the database is at one address, all else at another."""

    trouble: OSError | None = None

    def __call__(self, host: str, _port: int) -> list[str]:
        if host == "db.example.com":
            if self.trouble:
                raise self.trouble
            return ["fe80::1%eth0", PUBLIC]
        return [PUBLIC if host.startswith("alias") else "1.1.1.2"]


AWAY = [socket.gaierror(socket.EAI_AGAIN, "try again"), OSError("no network")]


@pytest.mark.parametrize("trouble", AWAY, ids=repr)
def test_an_own_service_that_got_no_answer_is_asked_about_again_soon(trouble: OSError) -> None:
    now, resolver = [0.0], Moody()
    own = OwnHosts(["db.example.com"], resolver, clock=lambda: now[0])
    resolver.trouble = trouble
    assert not own.has(read_address(PUBLIC))
    resolver.trouble, now[0] = None, ASKED_AGAIN_S
    assert own.has(read_address(PUBLIC))


@pytest.mark.parametrize("trouble", AWAY, ids=repr)
def test_an_own_service_that_was_found_once_is_known_while_the_resolver_is_away(
    trouble: OSError,
) -> None:
    now, resolver = [0.0], Moody()
    own = OwnHosts(["db.example.com"], resolver, clock=lambda: now[0])
    assert own.has(read_address(PUBLIC))
    resolver.trouble, now[0] = trouble, 2 * KEPT_S
    assert own.has(read_address(PUBLIC))
    assert not own.has(read_address("1.1.1.2"))
    resolver.trouble = socket.gaierror(socket.EAI_NONAME, "unknown")
    assert own.has(read_address(PUBLIC)), "not for each address"
    now[0] += ASKED_AGAIN_S
    assert not own.has(read_address(PUBLIC))


def test_an_opened_network_opens_our_own_services_in_it() -> None:
    guard = Guard(
        own_hosts=["127.0.0.1", "db.example.com"],
        allow_networks=["127.0.0.0/8"],
        resolver=lambda _host, _port: ["127.0.0.1"],
    )
    for address in ("http://127.0.0.1/", "http://db.example.com/", "http://media.example.com/"):
        assert guard.pin(guard.parse(address)).addresses


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("redis://:p@redis.example:6379/0", {"redis.example"}),
        ("rediss://user:p%40q@[2001:db8::1]:6379/0", {"2001:db8::1"}),
        ("postgresql+psycopg://u:p@db.example/unmask?sslmode=verify-full", {"db.example"}),
        ("postgresql://u:p@one:5432,two:5433/unmask", {"one", "two"}),
        ("postgresql:///unmask?host=db.example&hostaddr=10.0.0.1", {"db.example", "10.0.0.1"}),
        ("postgresql:///unmask?host=/run/postgresql", set()),
        ("sqlite:///state/unmask.db", set()),
        ("https://s3.example:9000", {"s3.example"}),
        (None, set()),
    ],
)
def test_the_hosts_of_our_services_are_read_from_their_addresses(
    url: str | None, hosts: set[str]
) -> None:
    assert hosts_of(url) == hosts


def test_the_settings_name_our_services() -> None:
    given = settings.load(
        redis_url="redis://:p@redis.example/0",
        database_url="postgresql+psycopg://u:p@db.example/unmask",
        s3_endpoint_url="https://s3.example",
    )
    assert {"redis.example", "db.example", "s3.example", socket.gethostname()} <= own_hosts(given)


@pytest.mark.parametrize("network", ["10.0.0.1/8", "lan", "10.0.0.0/33", ""])
def test_a_network_that_is_written_wrongly_stops_the_start(network: str) -> None:
    with pytest.raises(Unusable, match="network"):
        Guard(allow_networks=[network])
