"""What a provider may answer, and what is refused: against a real server on loopback."""

import asyncio
import json
from typing import Any

import pytest

from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.adapters.rig import asking, kid_of
from tests.adapters.web import DISCOVERY, JWKS, reply, running_web

pytestmark = pytest.mark.loopback
GOOD = build.jwks(build.jwk(build.ec_key()))


@pytest.fixture
async def web():
    async with running_web() as running:
        running.publish(build.jwk(build.ec_key()))
        yield running


@pytest.mark.parametrize(
    ("path", "document"),
    [
        pytest.param("", DISCOVERY, id="plain"),
        pytest.param("/", DISCOVERY, id="slash"),
        pytest.param("/tenant/a", "/tenant/a" + DISCOVERY, id="path"),
        pytest.param("/tenant/a/", "/tenant/a" + DISCOVERY, id="path and slash"),
    ],
)
async def test_discovery_document_is_below_the_issuer(web, path, document):
    web.replies = {JWKS: web.replies[JWKS]}
    web.discover(document, issuer=web.url + path)
    async with asking(web, issuer=web.url + path) as asked:
        await asked.source.fetch_key("idp", build.KID, "ES256")
    assert dict(web.asked) == {document: 1, JWKS: 1}


async def test_configured_jwks_uri_needs_no_discovery(web):
    async with asking(web, jwks_uri=web.url + JWKS, issuer="https://idp.example.com") as asked:
        await asked.source.fetch_key("idp", build.KID, "ES256")
    assert dict(web.asked) == {JWKS: 1}


DOCUMENTS: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example.com"},
    "issuer with a slash more": {"issuer": "{url}/"},
    "no issuer": {"issuer": None},
    "no jwks_uri": {"jwks_uri": None},
    "jwks_uri a list": {"jwks_uri": ["{url}/keys"]},
    "jwks_uri http beyond loopback": {"jwks_uri": "http://192.0.2.1/keys"},
    "jwks_uri of a name beginning like loopback": {"jwks_uri": "http://127.0.0.1.example.com/keys"},
    "jwks_uri a file": {"jwks_uri": "file:///etc/keys"},
    "jwks_uri without a host": {"jwks_uri": "https:///keys"},
    "jwks_uri with a broken host": {"jwks_uri": "http://[127.0.0.1/keys"},
    "jwks_uri with a broken port": {"jwks_uri": "http://127.0.0.1:x/keys"},
    "jwks_uri with a host that is no name": {"jwks_uri": "https://xn--/keys"},
    "jwks_uri empty": {"jwks_uri": ""},
}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_discovery_document_that_does_not_fit_is_refused(web, name):
    changes = {
        key: value.format(url=web.url) if isinstance(value, str) else value for key, value in DOCUMENTS[name].items()
    }
    web.discover(**changes)
    async with asking(web) as asked:
        with pytest.raises(Unavailable):
            await asked.source.fetch_key("idp", build.KID, "ES256")
        assert asked.outcomes() == {"malformed": 1}
    assert dict(web.asked) == {DISCOVERY: 1}


async def test_discovery_document_that_is_not_an_object_is_refused(web):
    web.replies[DISCOVERY] = reply(b'["issuer"]')
    async with asking(web) as asked:
        with pytest.raises(Unavailable):
            await asked.source.fetch_key("idp", build.KID, "ES256")
        assert asked.outcomes() == {"malformed": 1}


async def test_http_on_loopback_needs_insecure_issuer(web):
    async with asking(web, allows_loopback_http=False) as asked:
        with pytest.raises(Unavailable):
            await asked.source.fetch_key("idp", build.KID, "ES256")
    assert dict(web.asked) == {}


async def test_too_many_keys_are_named_as_what_is_wrong(web):
    web.publish(*({"kty": "EC", "kid": f"k{number}"} for number in range(101)))
    async with asking(web) as asked:
        with pytest.raises(Unavailable):
            await asked.source.fetch_key("idp", build.KID, "ES256")
        assert asked.source.describe()["idp"].endswith(
            "the JWK Set cannot be read: no `keys` array of at most 100 keys"
        )


ANSWERS = {
    "redirect": reply(b"", "302 Found", location="/elsewhere"),
    "permanent redirect with a good body": reply(GOOD, "308 Permanent Redirect", location="/elsewhere"),
    "not found": reply(b"", "404 Not Found"),
    "good body, bad status": reply(GOOD, "500 Internal Server Error"),
    "no content": reply(b"", "204 No Content"),
    "no JSON": reply(b"<html>"),
    "empty": reply(b""),
    "JSON cut off": reply(GOOD[:-1]),
    "no object": reply(b"[]"),
    "no keys": reply(b"{}"),
    "keys an object": reply(b'{"keys": {}}'),
    "keys twice": reply(b'{"keys": [], "keys": []}'),
    "nested deeply": reply(b'{"keys": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "not UTF-8": reply(b'{"keys": ["\xff"]}'),
    "compressed": reply(GOOD, content_encoding="gzip"),
    "10 MB": reply(b" " * 10_000_000 + GOOD),
    "just over 256 KiB": reply(GOOD + b" " * (256 * 1024 + 1 - len(GOOD))),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_answer_that_cannot_be_used_is_refused(web, name):
    web.replies |= {JWKS: ANSWERS[name], "/elsewhere": reply(GOOD)}
    async with asking(web) as asked:
        with pytest.raises(Unavailable) as refused:
            await asked.source.fetch_key("idp", build.KID, "ES256")
        assert refused.value.reason is Reason.PROVIDER_UNAVAILABLE
        assert asked.outcomes() == {"malformed": 1}
    assert dict(web.asked) == {DISCOVERY: 1, JWKS: 1}


async def test_answer_of_256_kib_is_read(web):
    web.replies[JWKS] = reply(GOOD + b" " * (256 * 1024 - len(GOOD)))
    async with asking(web) as asked:
        assert kid_of(await asked.source.fetch_key("idp", build.KID, "ES256")) == build.KID


async def test_key_set_without_keys_is_an_answer(web):
    web.publish()
    async with asking(web) as asked:
        assert await asked.source.fetch_key("idp", build.KID, "ES256") is None
        assert asked.outcomes() == {"ok": 1}


async def _drip(writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while not writer.transport.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0)


async def _say_nothing(writer):
    await writer.wait_closed()


async def _hang_up(writer):
    writer.transport.abort()


async def _babble(writer):
    writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")


@pytest.mark.parametrize("behave", [_drip, _say_nothing], ids=["drips", "says nothing"])
async def test_slow_provider_is_given_up_after_the_timeout(web, behave):
    web.replies[JWKS] = behave
    async with asking(web, timeout_s=0.05) as asked, asyncio.timeout(5):
        with pytest.raises(Unavailable):
            await asked.source.fetch_key("idp", build.KID, "ES256")
        assert asked.outcomes() == {"failed": 1}


@pytest.mark.parametrize("behave", [_hang_up, _babble], ids=["hangs up", "babbles"])
async def test_provider_that_breaks_the_protocol_is_a_failure(web, behave):
    web.replies[JWKS] = behave
    async with asking(web) as asked:
        with pytest.raises(Unavailable):
            await asked.source.fetch_key("idp", build.KID, "ES256")
        assert asked.outcomes() == {"failed": 1}


async def test_provider_that_does_not_listen_is_a_failure(web, unused_tcp_port):
    async with asking(web, issuer=f"http://127.0.0.1:{unused_tcp_port}") as asked:
        with pytest.raises(Unavailable):
            await asked.source.fetch_key("idp", build.KID, "ES256")
        assert asked.outcomes() == {"failed": 1}


async def test_requests_carry_no_cookie_and_ask_for_no_compression(web):
    web.replies[DISCOVERY] = reply(
        json.dumps({"issuer": web.url, "jwks_uri": web.url + JWKS}).encode(), set_cookie="track=1; Path=/"
    )
    async with asking(web) as asked:
        await asked.source.fetch_key("idp", build.KID, "ES256")
    sent = [(headers.get("cookie"), headers.get("accept-encoding")) for headers in web.headers]
    assert sent == [(None, "identity"), (None, "identity")]


async def test_loopback_is_never_asked_through_a_proxy(web, unused_tcp_port):
    proxy = f"http://127.0.0.1:{unused_tcp_port}"
    async with asking(web, proxies={"http": proxy, "https": proxy, "all": proxy}) as asked:
        assert kid_of(await asked.source.fetch_key("idp", build.KID, "ES256")) == build.KID
