"""Signing in at a provider over HTTP: where people are sent, and how codes are exchanged."""

import asyncio
import json
from base64 import b64decode
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

import pytest

from agen_authz.adapters.jwks import OidcProvider
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports.sign_in import CodeExchange
from tests.adapters.rig import settings_for
from tests.adapters.web import DISCOVERY, reply, running_web
from tests.fakes import FakeClock

pytestmark = pytest.mark.loopback

SECRET = "s:cret/+"
EXCHANGE = CodeExchange("the-code", "https://approve.example/sign-in/callback", "v" * 43)
FORM = {
    "grant_type": "authorization_code",
    "code": "the-code",
    "redirect_uri": "https://approve.example/sign-in/callback",
    "code_verifier": "v" * 43,
}


@pytest.fixture
async def web():
    async with running_web() as running:
        publish(running)
        running.replies["/token"] = answer(id_token="e.y.J", access_token="other")
        yield running


def publish(web, **changes):
    places = {"authorization_endpoint": web.url + "/authorize", "token_endpoint": web.url + "/token"}
    web.discover(**places | changes)


def answer(status="200 OK", **members):
    return reply(json.dumps(members).encode(), status)


@asynccontextmanager
async def signing_in(web, clock=None, **changes):
    provider = OidcProvider(settings_for(web, **changes), ("console", SECRET), clock=clock or FakeClock())
    try:
        yield provider
    finally:
        await provider.close()


async def redeem(web, **changes):
    async with signing_in(web, **changes) as provider:
        return await provider.redeem(EXCHANGE)


async def test_people_are_sent_where_the_metadata_says(web):
    async with signing_in(web) as provider:
        assert await provider.find_authorization_endpoint() == web.url + "/authorize"


async def test_code_is_exchanged_with_the_secret_in_the_header(web):
    assert await redeem(web) == "e.y.J"
    scheme, _, value = web.headers[-1]["authorization"].partition(" ")
    # RFC 6749 section 2.3.1: both halves are form-encoded before they are put together.
    assert (scheme, b64decode(value)) == ("Basic", b"console:s%3Acret%2F%2B")
    assert dict(parse_qsl(web.bodies[-1].decode())) == FORM


async def test_secret_is_in_the_form_if_the_provider_takes_it_only_there(web):
    publish(web, token_endpoint_auth_methods_supported=["client_secret_post"])
    assert await redeem(web) == "e.y.J"
    sent = dict(parse_qsl(web.bodies[-1].decode()))
    assert sent == FORM | {"client_id": "console", "client_secret": SECRET}
    assert "authorization" not in web.headers[-1]


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden"])
async def test_code_that_the_provider_refuses_is_no_token(web, status):
    web.replies["/token"] = answer(status, error="invalid_grant", error_description="with a secret")
    assert await redeem(web) is None


USELESS = {
    "an error of the server": answer("500 Internal Server Error"),
    "a redirect": reply(b"", "302 Found", location="https://elsewhere.example/"),
    "not JSON": reply(b"<html>"),
    "not an object": reply(b"[]"),
    "no ID token": answer(access_token="only"),
    "an ID token that is not text": answer(id_token=1),
    "too long": answer(id_token="x" * 300_000),
}


@pytest.mark.parametrize("said", USELESS.values(), ids=USELESS)
async def test_answer_of_no_use_is_a_provider_that_is_unavailable(web, said, caplog):
    web.replies["/token"] = said
    with pytest.raises(Unavailable) as caught:
        await redeem(web)
    (line,) = [each.__dict__ for each in caplog.records if each.message == "people cannot sign in at a provider"]
    assert (caught.value.reason, line["provider"], "the-code" in line["cause"]) == (
        Reason.PROVIDER_UNAVAILABLE,
        "idp",
        False,
    )


async def test_provider_that_does_not_answer_in_time_is_unavailable(web):
    web.may_answer.clear()
    with pytest.raises(Unavailable):
        await redeem(web, timeout_s=0.05)


UNSAFE = {
    "no endpoint": {"token_endpoint": None},
    "plain HTTP elsewhere": {"token_endpoint": "http://idp.example/token"},
    "another scheme": {"token_endpoint": "ftp://127.0.0.1/token"},
    "another issuer": {"issuer": "https://elsewhere.example"},
}


@pytest.mark.parametrize("changes", UNSAFE.values(), ids=UNSAFE)
async def test_metadata_that_leads_anywhere_unsafe_is_not_used(web, changes):
    publish(web, **changes)
    with pytest.raises(Unavailable):
        await redeem(web)
    assert web.asked["/token"] == 0


async def test_metadata_is_read_once_for_all_who_sign_in_at_once(web):
    async with signing_in(web) as provider:
        await asyncio.gather(*(provider.find_authorization_endpoint() for _ in range(5)))
    assert web.asked[DISCOVERY] == 1


async def test_metadata_is_read_again_after_an_hour_and_the_old_serves_while_it_cannot_be(web):
    clock = FakeClock()
    async with signing_in(web, clock) as provider:
        for seconds, asked in ((0.0, 1), (3599.0, 1), (1.0, 2)):
            clock.advance(seconds)
            await provider.find_authorization_endpoint()
            assert web.asked[DISCOVERY] == asked
        clock.advance(3600.0)
        web.go_down()
        assert await provider.find_authorization_endpoint() == web.url + "/authorize"
