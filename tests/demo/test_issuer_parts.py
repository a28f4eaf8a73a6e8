"""The issuer's parts that need no server: what is used once, who is forgotten first, settings that make no sense."""

from dataclasses import replace

import pytest

from agen_authz.core.errors import ConfigError
from agen_authz.demo.issuer.client import Client, ClientBook
from agen_authz.demo.issuer.onetime import OneTime
from agen_authz.demo.issuer.settings import IssuerSettings, check_settings
from agen_authz.demo.listen import authority_of, bind_loopback
from tests.demo.live import SETTINGS


def test_value_is_taken_once():
    shelf: OneTime[str] = OneTime()
    shelf.put("a", "value", expires=10)
    assert [shelf.consume("a", 9), shelf.consume("a", 9)] == ["value", None]


def test_value_is_gone_when_its_time_is_over():
    shelf: OneTime[str] = OneTime()
    shelf.put("a", "value", expires=10)
    assert shelf.consume("a", 10) is None


def test_oldest_value_makes_room():
    shelf: OneTime[str] = OneTime(capacity=2)
    for key in ("a", "b", "a", "c"):
        shelf.put(key, key, expires=10)
    assert [shelf.consume(key, 0) for key in ("a", "b", "c")] == ["a", None, "c"]


def test_oldest_registration_makes_room_and_our_own_clients_stay():
    book = ClientBook()
    for number in range(1001):
        book.add(Client(f"c{number}", "x", frozenset()))
    found = [book.find(name) is not None for name in ("c0", "c1", "c1000", "demo-admin", "demo-browser")]
    assert found == [False, True, True, True, True]


SETTINGS_REFUSED = {
    "no resource": (IssuerSettings(), ["resources: no resource is named"]),
    "fragment": (
        replace(SETTINGS, resources=("http://h/mcp#x",)),
        ["resources: `http://h/mcp#x` is not an absolute http(s) URL without fragment"],
    ),
    "every mistake at once": (
        replace(SETTINGS, resources=("mcp",), token_ttl_s=0, code_ttl_s=-1),
        [
            "resources: `mcp` is not an absolute http(s) URL without fragment",
            "token_ttl_s: `0` is not a positive number of seconds",
            "code_ttl_s: `-1` is not a positive number of seconds",
        ],
    ),
}


@pytest.mark.parametrize(("settings", "messages"), SETTINGS_REFUSED.values(), ids=SETTINGS_REFUSED)
def test_settings_that_no_token_could_be_issued_with_are_refused(settings, messages):
    with pytest.raises(ConfigError) as caught:
        check_settings(settings)
    assert [f"{problem.path}: {problem.message}" for problem in caught.value.problems] == messages


@pytest.mark.parametrize("host", ["192.0.2.1", "example.com", "::"])
def test_address_beyond_loopback_is_refused(host):
    with pytest.raises(ConfigError, match="not a loopback address"):
        bind_loopback(host, 0)


@pytest.mark.loopback
def test_localhost_is_loopback():
    with bind_loopback("localhost", 0) as listener:
        assert authority_of(listener).startswith("127.0.0.1:")


@pytest.mark.loopback
def test_port_in_use_is_one_clear_line():
    with bind_loopback("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            bind_loopback("127.0.0.1", port)
    assert str(caught.value) == (
        f"demo: cannot listen on `127.0.0.1:{port}`: Address already in use;"
        " end the other process, or choose another port"
    )
