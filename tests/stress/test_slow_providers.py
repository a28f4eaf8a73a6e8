"""Providers that are slow, silent, endless or down, under a whole Check: only their own strangers wait."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from agen_authz.adapters.jwks import JwksSource
from agen_authz.core.model import TargetKind
from agen_authz.core.policy.access import AccessRule
from tests import builders as build
from tests.adapters.rig import COOLDOWN_S, KEEP_STALE_S, REFRESH_S, settings_for
from tests.adapters.web import JWKS, Web, reply, running_web
from tests.check.rig import Rig, Seen, read_answer
from tests.fakes import CountingMetrics, FakeClock, Naps
from tests.stage.process import BOUND_S
from tests.stress.stand import until

pytestmark = pytest.mark.loopback
# Real seconds: one fetch of keys may take so long. The rig's Check may take 1 s.
FETCH_S = 0.3
ISSUERS = {"crm": build.ISSUER, "billing": build.OTHER_ISSUER}
STRANGERS = 50


@dataclass
class Gate:
    """A servicer whose keys come from two real providers on loopback."""

    idp: Web
    other: Web
    clock: FakeClock = field(default_factory=lambda: FakeClock(build.NOW))
    rig: Rig = field(default_factory=Rig)

    async def ask(self, server: str = "crm", kid: str = build.KID, *, key: Any = None) -> Seen:
        """Call a tool of a server with a token of that server's provider."""
        url = f"https://mcp.example.com/{server}/mcp"
        claims = build.claims(iss=ISSUERS[server], aud=url, exp=self.clock.now() + 300, iat=self.clock.now())
        document = build.message()
        headers = build.headers_for(build.sign(claims, key=key, kid=kid), document)
        raw = build.check_request(headers, build.encode(document), path=f"/{server}/mcp")
        return read_answer(await self.rig.servicer.check(raw, None))


@asynccontextmanager
async def gated() -> AsyncIterator[Gate]:
    async with running_web() as idp, running_web() as other:
        for web in (idp, other):
            web.replies[JWKS] = reply(json.dumps({"keys": [build.jwk(build.ec_key())]}).encode())
        gate = Gate(idp, other)
        settings = tuple(
            settings_for(web, name=name, jwks_uri=web.url + JWKS, timeout_s=FETCH_S)
            for name, web in (("idp", idp), ("other", other))
        )
        source = JwksSource(settings, clock=gate.clock, metrics=CountingMetrics(), sleep=Naps())
        rules = build.access(AccessRule("read", ((TargetKind.TOOL, "*/get_*"),), frozenset({"analyst"})))
        gate.rig = Rig(keys=source, clock=gate.clock, access=rules, in_flight=1024)
        try:
            yield gate
        finally:
            await source.close()


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    async with gated() as built:
        yield built


def told(seen: Seen) -> tuple[int, str | None]:
    return seen.status, seen.told


async def test_provider_that_hangs_holds_up_no_token_of_another(gate):
    gate.idp.may_answer.clear()
    slow = asyncio.ensure_future(gate.ask("crm"))
    await until(lambda: gate.idp.asked[JWKS] == 1)
    answers = [await gate.ask("billing") for _ in range(10)]
    assert ([seen.status for seen in answers], slow.done()) == ([200] * 10, False)
    gate.idp.may_answer.set()
    assert (await slow).status == 200


async def test_keys_in_use_are_believed_while_their_provider_hangs_as_long_as_configured(gate):
    assert (await gate.ask()).status == 200
    gate.idp.may_answer.clear()
    seen = []
    for seconds in (REFRESH_S, KEEP_STALE_S, 1.0):
        gate.clock.advance(seconds)
        seen.append(told(await gate.ask()))
    # Never a 401: clients would throw away a good token and register again.
    assert seen == [(200, None), (200, None), (503, "provider_unavailable")]


async def test_provider_that_comes_back_is_believed_again(gate):
    gate.idp.go_down()
    seen = [told(await gate.ask())]
    gate.idp.replies[JWKS] = gate.other.replies[JWKS]
    for seconds in (COOLDOWN_S - 1, 1.0):
        gate.clock.advance(seconds)
        seen.append(told(await gate.ask()))
    assert seen == [(503, "provider_unavailable"), (503, "provider_unavailable"), (200, None)]


async def test_any_number_of_strangers_at_a_provider_that_hangs_is_one_fetch_and_delays_no_caller(gate):
    assert (await gate.ask()).status == 200
    gate.clock.advance(COOLDOWN_S)
    gate.idp.may_answer.clear()
    strangers = [asyncio.ensure_future(gate.ask(kid=f"unknown-{number}")) for number in range(STRANGERS)]
    await until(lambda: gate.idp.asked[JWKS] == 2)
    good = [await gate.ask() for _ in range(10)]
    refused = await asyncio.gather(*strangers)
    late = await gate.ask(kid="unknown-late")
    assert [seen.status for seen in good] == [200] * 10
    assert {told(seen) for seen in (*refused, late)} == {(503, "provider_unavailable")}
    assert gate.idp.asked[JWKS] == 2


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n{")
    while not writer.transport.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0)


async def _repeat_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.transport.is_closing():
        writer.write(b"x-again: y\r\n")
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize("behave", [_drip, _repeat_headers], ids=["a byte at a time", "headers without end"])
async def test_slow_answer_is_given_up_and_the_call_is_refused(gate, behave: Callable[..., Awaitable[None]]):
    gate.idp.replies[JWKS] = behave
    assert told(await asyncio.wait_for(gate.ask(), BOUND_S)) == (503, "provider_unavailable")
    assert (await gate.ask("billing")).status == 200


async def test_endless_answer_is_cut_off(gate):
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
            await writer.drain()
            sent += 65536

    gate.idp.replies[JWKS] = endless
    assert told(await asyncio.wait_for(gate.ask(), BOUND_S)) == (503, "provider_unavailable")
    # 256 KiB are read; the rest lies in the buffers of two sockets.
    assert sent < 16 * 1024 * 1024


async def test_provider_that_answers_with_other_keys_meanwhile_ends_tokens_of_the_old(gate):
    assert (await gate.ask()).status == 200
    gate.idp.replies[JWKS] = reply(json.dumps({"keys": [build.jwk(build.ec_key("new"), "k2")]}).encode())
    gate.clock.advance(COOLDOWN_S)
    assert (await gate.ask(kid="k2", key=build.ec_key("new"))).status == 200
    # Its key is gone, and the provider answers: a good reason for a 401.
    assert told(await gate.ask()) == (401, "token_key_unknown")
