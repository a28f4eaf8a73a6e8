"""A scheme's own port may be written or left out; no other port may."""

import pytest

from agen_authz.core.authority import drop_default_port, guess_scheme, write_port


@pytest.mark.parametrize(
    ("scheme", "port", "written"),
    [
        ("https", 443, ""),
        pytest.param("https", "443", "", id="text"),
        ("http", 80, ""),
        ("https", None, ""),
        ("https", "", ""),
        ("https", 80, ":80"),
        ("http", 443, ":443"),
        ("https", "0443", ":0443"),
        ("https", 8443, ":8443"),
    ],
)
def test_port_is_written_unless_it_is_the_scheme_s_own(scheme, port, written):
    assert write_port(scheme, port) == written


@pytest.mark.parametrize(
    ("authority", "scheme", "dropped"),
    [
        ("example.com:443", "https", "example.com"),
        ("example.com:80", "http", "example.com"),
        ("example.com:80", "https", "example.com:80"),
        ("example.com:8443", "https", "example.com:8443"),
        ("[::1]:443", "https", "[::1]"),
        ("example.com:443", "ws", "example.com:443"),
        ("example.com:", "ws", "example.com"),
    ],
)
def test_own_port_is_dropped(authority, scheme, dropped):
    assert drop_default_port(authority, scheme) == dropped


@pytest.mark.parametrize(
    ("authority", "scheme"), [("example.com:443", "https"), ("example.com:80", "http"), ("example.com", "http")]
)
def test_scheme_is_guessed_from_the_port(authority, scheme):
    assert guess_scheme(authority) == scheme
