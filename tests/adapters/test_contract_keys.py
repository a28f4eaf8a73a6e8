"""The contract of `KeySource`, kept by the one that speaks HTTP and by the one in memory."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest

from agen_authz.adapters.jwks import JwksSource
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports import KeySource
from tests import builders as build
from tests.adapters.rig import COOLDOWN_S, settings_for
from tests.adapters.web import Web, running_web
from tests.fakes import CountingMetrics, FakeClock, MemoryKeys, Naps

pytestmark = pytest.mark.loopback
PROVIDERS = ("idp", "other")


class Rig(Protocol):
    source: KeySource

    def publish(self, provider: str, **keys: Any) -> None: ...

    def go_down(self, provider: str) -> None: ...


class MemoryRig:
    def __init__(self) -> None:
        self.keys = MemoryKeys(*PROVIDERS)
        self.source: KeySource = self.keys

    def publish(self, provider: str, **keys: Any) -> None:
        held = self.keys.published[provider]
        self.keys.published[provider] = {
            kid: held[kid] if kid in held and held[kid].verifier == key.public_key() else build.public_key(key, kid)
            for kid, key in keys.items()
        }

    def go_down(self, provider: str) -> None:
        self.keys.down.add(provider)


class HttpRig:
    def __init__(self, webs: dict[str, Web]) -> None:
        self.webs = webs
        self.clock = FakeClock()
        settings = tuple(settings_for(web, name=name) for name, web in webs.items())
        self.keys = JwksSource(settings, clock=self.clock, metrics=CountingMetrics(), sleep=Naps())
        self.source: KeySource = self.keys

    def publish(self, provider: str, **keys: Any) -> None:
        self.webs[provider].publish(*(build.jwk(key, kid) for kid, key in keys.items()))
        self.clock.advance(COOLDOWN_S)

    def go_down(self, provider: str) -> None:
        self.webs[provider].go_down()
        self.clock.advance(COOLDOWN_S)


@pytest.fixture(params=["memory", "http"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    if request.param == "memory":
        yield MemoryRig()
        return
    async with AsyncExitStack() as stack:
        webs = {name: await stack.enter_async_context(running_web()) for name in PROVIDERS}
        http = HttpRig(webs)
        stack.push_async_callback(http.keys.close)
        yield http


async def test_nothing_is_known_before_anything_was_fetched(rig):
    rig.publish("idp", k1=build.ec_key())
    assert rig.source.find_key("idp", "k1") is None


async def test_fetched_key_is_found_and_verifies(rig):
    rig.publish("idp", k1=build.ec_key())
    fetched = await rig.source.fetch_key("idp", "k1")
    assert rig.source.find_key("idp", "k1") is fetched
    assert (fetched.kid, fetched.verifier) == ("k1", build.ec_key().public_key())


async def test_key_that_is_not_published_is_none(rig):
    rig.publish("idp", k1=build.ec_key())
    assert await rig.source.fetch_key("idp", "k2") is None


async def test_unchanged_key_stays_the_same_object(rig):
    rig.publish("idp", k1=build.ec_key())
    first = await rig.source.fetch_key("idp", "k1")
    rig.publish("idp", k1=build.ec_key(), k2=build.ec_key("two"))
    await rig.source.fetch_key("idp", "k2")
    assert rig.source.find_key("idp", "k1") is first


async def test_changed_key_with_the_same_kid_is_another_object(rig):
    rig.publish("idp", k1=build.ec_key())
    first = await rig.source.fetch_key("idp", "k1")
    rig.publish("idp", k1=build.ec_key("two"))
    await rig.source.fetch_key("idp", "k2")
    second = rig.source.find_key("idp", "k1")
    assert second is not first
    assert second.verifier == build.ec_key("two").public_key()


async def test_rotated_key_is_gone_at_once(rig):
    rig.publish("idp", k1=build.ec_key())
    await rig.source.fetch_key("idp", "k1")
    rig.publish("idp", k2=build.ec_key("two"))
    assert (await rig.source.fetch_key("idp", "k2")).kid == "k2"
    assert rig.source.find_key("idp", "k1") is None


async def test_one_kid_at_two_providers_is_two_keys(rig):
    rig.publish("idp", k1=build.ec_key())
    rig.publish("other", k1=build.ec_key("two"))
    found = [(await rig.source.fetch_key(name, "k1")).verifier for name in PROVIDERS]
    assert found == [build.ec_key().public_key(), build.ec_key("two").public_key()]


async def test_provider_that_never_answered_is_unavailable(rig):
    rig.go_down("idp")
    with pytest.raises(Unavailable) as refused:
        await rig.source.fetch_key("idp", "k1")
    assert (refused.value.reason, refused.value.name) == (Reason.PROVIDER_UNAVAILABLE, "idp")


async def test_known_key_outlives_its_provider_and_an_unknown_one_is_unavailable(rig):
    rig.publish("idp", k1=build.ec_key())
    known = await rig.source.fetch_key("idp", "k1")
    rig.go_down("idp")
    with pytest.raises(Unavailable):
        await rig.source.fetch_key("idp", "k2")
    assert rig.source.find_key("idp", "k1") is known


async def test_one_provider_down_leaves_the_other_alone(rig):
    rig.go_down("idp")
    rig.publish("other", k1=build.ec_key())
    assert (await rig.source.fetch_key("other", "k1")).kid == "k1"
