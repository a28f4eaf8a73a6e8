import tracemalloc
from ipaddress import ip_network

import pytest

from agen_authz.core.http.context import Perimeter, read_context
from agen_authz.core.model import Context
from tests import builders as build

PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1/128"))
PERIMETER = Perimeter(
    trusted_proxies=PROXIES,
    country_header="cf-ipcountry",
    networks={
        "office": (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")),
        "lab": (ip_network("192.0.2.7/32"),),
    },
)
NOBODY = Context(None, (), None, "")
V6 = Context("2001:db8::1", ("office",), None, "")
CASES = {
    "peer": ("192.0.2.7", {}, Context("192.0.2.7", ("office", "lab"), None, "")),
    "stranger's word": ("198.51.100.1", {"x-forwarded-for": "192.0.2.7"}, Context("198.51.100.1", (), None, "")),
    "proxy's word": ("10.0.0.1", {"x-forwarded-for": "192.0.2.8"}, Context("192.0.2.8", ("office",), None, "")),
    "right to left": (
        "10.0.0.1", {"x-forwarded-for": "192.0.2.7, 198.51.100.1 ,10.0.0.2"}, Context("198.51.100.1", (), None, ""),
    ),
    "all trusted": ("10.0.0.1", {"x-forwarded-for": "10.0.0.3,10.0.0.2"}, NOBODY),
    "no header": ("10.0.0.1", {}, NOBODY),
    "unreadable": ("10.0.0.1", {"x-forwarded-for": "192.0.2.7,unknown"}, NOBODY),
    "with a port": ("10.0.0.1", {"x-forwarded-for": "192.0.2.8:51234"}, Context("192.0.2.8", ("office",), None, "")),
    "IPv6 in brackets": ("10.0.0.1", {"x-forwarded-for": "[2001:db8::1]"}, V6),
    "IPv6 in brackets with a port": ("10.0.0.1", {"x-forwarded-for": "[2001:DB8::1]:443"}, V6),
    "IPv6 in full": ("10.0.0.1", {"x-forwarded-for": "2001:db8:0:0:0:0:0:1"}, V6),
    "mapped with a port": (
        "10.0.0.1", {"x-forwarded-for": "[::ffff:192.0.2.8]:1"}, Context("192.0.2.8", ("office",), None, ""),
    ),
    "proxies with ports": (
        "10.0.0.1", {"x-forwarded-for": "192.0.2.7, 192.0.2.8:1, 10.0.0.2:2, [::ffff:10.0.0.3]:3"},
        Context("192.0.2.8", ("office",), None, ""),
    ),
    "port too large": ("10.0.0.1", {"x-forwarded-for": "192.0.2.8:65536"}, NOBODY),
    "port missing": ("10.0.0.1", {"x-forwarded-for": "192.0.2.8:"}, NOBODY),
    "port a word": ("10.0.0.1", {"x-forwarded-for": "192.0.2.8:http"}, NOBODY),
    "port in other digits": ("10.0.0.1", {"x-forwarded-for": "192.0.2.8:\u0661"}, NOBODY),
    "IPv4 in brackets": ("10.0.0.1", {"x-forwarded-for": "[192.0.2.8]:80"}, NOBODY),
    "bracket open": ("10.0.0.1", {"x-forwarded-for": "[2001:db8::1:80"}, NOBODY),
    "IPv6 with a port and no brackets": ("10.0.0.1", {"x-forwarded-for": "2001:db8:0:0:0:0:0:1:443"}, NOBODY),
    "peer with a port": ("10.0.0.1:80", {"x-forwarded-for": "192.0.2.8"}, NOBODY),
    "too many hops": ("10.0.0.1", {"x-forwarded-for": "192.0.2.7" + ",10.0.0.1" * 64}, NOBODY),
    "mapped": ("::ffff:192.0.2.7", {}, Context("192.0.2.7", ("office", "lab"), None, "")),
    "mapped proxy": (
        "::ffff:10.0.0.1", {"x-forwarded-for": "2001:db8::1"}, Context("2001:db8::1", ("office",), None, ""),
    ),
    "unix socket": ("", {}, NOBODY),
    "agent": ("", {"user-agent": "a" * 300}, Context(None, (), None, "a" * 256)),
    "country": ("10.0.0.1", {"cf-ipcountry": "de"}, Context(None, (), "DE", "")),
    "stranger's country": ("192.0.2.200", {"cf-ipcountry": "de"}, Context("192.0.2.200", ("office",), None, "")),
    "no peer's country": ("", {"cf-ipcountry": "de"}, NOBODY),
    "country missing": ("10.0.0.1", {}, NOBODY),
    "country of three letters": ("10.0.0.1", {"cf-ipcountry": "deu"}, NOBODY),
    "country of digits": ("10.0.0.1", {"cf-ipcountry": "d1"}, NOBODY),
    "country beyond ASCII": ("10.0.0.1", {"cf-ipcountry": "äö"}, NOBODY),
    "country twice, joined": ("10.0.0.1", {"cf-ipcountry": "de,fr"}, NOBODY),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_context_is_known_or_unknown_and_never_guessed(name):
    peer, headers, expected = CASES[name]
    assert read_context(build.request(peer=peer, headers=headers), PERIMETER) == expected


def test_country_that_is_sent_twice_is_unknown():
    request = build.request(peer="10.0.0.1", headers={"cf-ipcountry": "de"}, repeated=frozenset({"cf-ipcountry"}))
    assert read_context(request, PERIMETER) == NOBODY


def test_country_is_unknown_where_no_header_is_named():
    request = build.request(peer="192.0.2.7", headers={"cf-ipcountry": "de"})
    assert read_context(request, Perimeter()) == Context("192.0.2.7", (), None, "")


def test_what_is_remembered_of_one_request_is_not_said_of_another():
    perimeter = Perimeter(trusted_proxies=PROXIES, country_header="cf-ipcountry")

    def seen(peer: str, **headers: str) -> tuple[str | None, str | None]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        context = read_context(build.request(peer=peer, headers=named), perimeter)
        return context.ip, context.country

    forwarded = {"x_forwarded_for": "192.0.2.9", "cf_ipcountry": "de"}
    asked = [seen("10.0.0.1", **forwarded), seen("198.51.100.1", **forwarded), seen("10.0.0.1", cf_ipcountry="fr")]
    assert asked == [("192.0.2.9", "DE"), ("198.51.100.1", None), (None, "FR")]


def test_flood_of_origins_is_answered_and_not_kept():
    perimeter = Perimeter()
    for number in range(5000):
        read_context(build.request(peer="192.0.2.1", headers={"user-agent": f"a{number}"}), perimeter)
    long = read_context(build.request(peer="192.0.2.1", headers={"user-agent": "a" * 2000}), perimeter)
    assert len(perimeter.seen) <= 4096 and long.user_agent == "a" * 256


def test_flood_of_long_hops_is_not_kept():
    perimeter = Perimeter(trusted_proxies=PROXIES)
    tracemalloc.start()
    try:
        for number in range(100):
            headers = {"x-forwarded-for": f"{number}" + "z" * 50_000}
            assert read_context(build.request(peer="10.0.0.1", headers=headers), perimeter).ip is None
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
