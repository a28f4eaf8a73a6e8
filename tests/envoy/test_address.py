"""Addresses as people write them."""

import pytest

from agen_authz.envoy.address import parse_address, parse_tcp_address, parse_upstream
from agen_authz.envoy.model import Address, ClientTls, TcpAddress, UnixAddress, Unusable, Upstream


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:80", TcpAddress("127.0.0.1", 80)),
        ("crm.internal:8080", TcpAddress("crm.internal", 8080)),
        ("[::1]:8080", TcpAddress("::1", 8080)),
        ("unix:///run/a.sock", UnixAddress("/run/a.sock")),
    ],
)
def test_an_address_is_read(text: str, expected: Address) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "crm", "crm:", ":80", "crm:0", "crm:x", "crm:65536", "u@crm:80", "crm:80/x", "crm:80?a", "unix://a", "[::1"],
)
def test_invalid_address_is_reported(text: str) -> None:
    assert parse_address(text) == Unusable(
        f"`{text}` is not an address", "write `host:port`, `[::1]:port` or `unix:///path`"
    )


def test_a_listener_cannot_be_a_socket_file() -> None:
    assert isinstance(parse_tcp_address("unix:///run/a.sock"), Unusable)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("crm=127.0.0.1:80", Upstream(TcpAddress("127.0.0.1", 80))),
        ("crm=http://127.0.0.1:80", Upstream(TcpAddress("127.0.0.1", 80))),
        ("crm=unix:///run/a.sock", Upstream(UnixAddress("/run/a.sock"))),
        ("crm=https://crm.internal", Upstream(TcpAddress("crm.internal", 443), ClientTls("crm.internal"))),
        ("crm=https://crm.internal:8443", Upstream(TcpAddress("crm.internal", 8443), ClientTls("crm.internal"))),
    ],
)
def test_an_upstream_is_read(text: str, expected: Upstream) -> None:
    assert parse_upstream(text) == ("crm", expected)


@pytest.mark.parametrize(
    "text",
    ["", "crm", "crm=", "=crm:80", "crm=crm", "crm=https://", "crm=https://a/b", "crm=https://u@a", "crm=https://a:x"],
)
def test_invalid_upstream_is_reported(text: str) -> None:
    cure = "write `NAME=host:port`, `NAME=https://host:port` or `NAME=unix:///path`"
    assert parse_upstream(text) == Unusable(f"`{text}` names no upstream", cure)


def test_a_problem_says_what_to_do() -> None:
    assert str(Unusable("`x` is no address", "write one")) == "`x` is no address; write one"
