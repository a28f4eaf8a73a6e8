"""The contract of `KeySource`, kept by the one that speaks HTTP and by the one in memory."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any, Protocol

import pytest

from agen_authz.adapters.jwks import JwksSource
from agen_authz.core.errors import Unavailable
from agen_authz.core.identity.jwk import PublicKey
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

    def publish(self, provider: str, *nameless: Any, **keys: Any) -> None: ...

    def go_down(self, provider: str) -> None: ...

    async def exhaust(self, provider: str) -> None: ...


class MemoryRig:
    def __init__(self) -> None:
        self.keys = MemoryKeys(*PROVIDERS)
        self.source: KeySource = self.keys

    def publish(self, provider: str, *nameless: Any, **keys: Any) -> None:
        written = [("", key) for key in nameless] + list(keys.items())
        self.keys.published[provider] = tuple(self._read(provider, kid, key) for kid, key in written)

    def _read(self, provider: str, kid: str, key: Any) -> PublicKey:
        for held in self.keys.published[provider]:
            if held.kid == kid and held.verifier == key.public_key():
                return held
        return build.public_key(key, kid or None)

    def go_down(self, provider: str) -> None:
        self.keys.down.add(provider)

    async def exhaust(self, provider: str) -> None:
        self.keys.exhausted.add(provider)


class HttpRig:
    def __init__(self, webs: dict[str, Web]) -> None:
        self.webs = webs
        self.clock = FakeClock()
        settings = tuple(settings_for(web, name=name) for name, web in webs.items())
        self.keys = JwksSource(settings, clock=self.clock, metrics=CountingMetrics(), sleep=Naps())
        self.source: KeySource = self.keys

    def publish(self, provider: str, *nameless: Any, **keys: Any) -> None:
        written = [(None, key) for key in nameless] + list(keys.items())
        self.webs[provider].publish(*(build.jwk(key, kid) for kid, key in written))
        self.clock.advance(COOLDOWN_S)

    def go_down(self, provider: str) -> None:
        self.webs[provider].go_down()
        self.clock.advance(COOLDOWN_S)

    async def exhaust(self, provider: str) -> None:
        with suppress(Unavailable):
            for number in range(100):
                await self.keys.fetch_key(provider, f"junk-{number}", "ES256")


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
    assert rig.source.find_key("idp", "k1", "ES256") is None


async def test_fetched_key_is_found_and_verifies(rig):
    rig.publish("idp", k1=build.ec_key())
    fetched = await rig.source.fetch_key("idp", "k1", "ES256")
    assert rig.source.find_key("idp", "k1", "ES256") is fetched
    assert (fetched.kid, fetched.verifier) == ("k1", build.ec_key().public_key())


async def test_key_that_is_not_published_is_none(rig):
    rig.publish("idp", k1=build.ec_key())
    assert await rig.source.fetch_key("idp", "k2", "ES256") is None


async def test_unchanged_key_stays_the_same_object(rig):
    rig.publish("idp", k1=build.ec_key())
    first = await rig.source.fetch_key("idp", "k1", "ES256")
    rig.publish("idp", k1=build.ec_key(), k2=build.ec_key("two"))
    await rig.source.fetch_key("idp", "k2", "ES256")
    assert rig.source.find_key("idp", "k1", "ES256") is first


async def test_changed_key_with_the_same_kid_is_another_object(rig):
    rig.publish("idp", k1=build.ec_key())
    first = await rig.source.fetch_key("idp", "k1", "ES256")
    rig.publish("idp", k1=build.ec_key("two"))
    await rig.source.fetch_key("idp", "k2", "ES256")
    second = rig.source.find_key("idp", "k1", "ES256")
    assert second is not first
    assert second.verifier == build.ec_key("two").public_key()


async def test_rotated_key_is_gone_at_once(rig):
    rig.publish("idp", k1=build.ec_key())
    await rig.source.fetch_key("idp", "k1", "ES256")
    rig.publish("idp", k2=build.ec_key("two"))
    assert (await rig.source.fetch_key("idp", "k2", "ES256")).kid == "k2"
    assert rig.source.find_key("idp", "k1", "ES256") is None


async def test_one_kid_at_two_providers_is_two_keys(rig):
    rig.publish("idp", k1=build.ec_key())
    rig.publish("other", k1=build.ec_key("two"))
    found = [(await rig.source.fetch_key(name, "k1", "ES256")).verifier for name in PROVIDERS]
    assert found == [build.ec_key().public_key(), build.ec_key("two").public_key()]


async def test_provider_that_never_answered_is_unavailable(rig):
    rig.go_down("idp")
    with pytest.raises(Unavailable) as refused:
        await rig.source.fetch_key("idp", "k1", "ES256")
    assert (refused.value.reason, refused.value.name) == (Reason.PROVIDER_UNAVAILABLE, "idp")


async def test_known_key_outlives_its_provider_and_an_unknown_one_is_unavailable(rig):
    rig.publish("idp", k1=build.ec_key())
    known = await rig.source.fetch_key("idp", "k1", "ES256")
    rig.go_down("idp")
    with pytest.raises(Unavailable) as refused:
        await rig.source.fetch_key("idp", "k2", "ES256")
    assert refused.value.reason is Reason.PROVIDER_UNAVAILABLE
    assert rig.source.find_key("idp", "k1", "ES256") is known


async def test_provider_that_may_not_be_asked_now_leaves_open_whether_a_key_is_published(rig):
    rig.publish("idp", k1=build.ec_key())
    known = await rig.source.fetch_key("idp", "k1", "ES256")
    await rig.exhaust("idp")
    with pytest.raises(Unavailable) as refused:
        await rig.source.fetch_key("idp", "k2", "ES256")
    assert (refused.value.reason, refused.value.name) == (Reason.KEY_UNSETTLED, "idp")
    assert rig.source.find_key("idp", "k1", "ES256") is known


async def test_one_provider_down_leaves_the_other_alone(rig):
    rig.go_down("idp")
    rig.publish("other", k1=build.ec_key())
    assert (await rig.source.fetch_key("other", "k1", "ES256")).kid == "k1"


async def test_key_is_found_for_its_own_algorithm_only(rig):
    rig.publish("idp", k1=build.ec_key())
    assert await rig.source.fetch_key("idp", "k1", "RS256") is None
    assert rig.source.find_key("idp", "k1", "ES256") is not None


async def test_token_without_kid_is_for_the_only_key_without_kid_that_fits(rig):
    rig.publish("idp", build.ec_key(), build.rsa_key(), k1=build.ec_key("two"))
    found = [await rig.source.fetch_key("idp", "", name) for name in ("ES256", "RS256", "ES384")]
    assert [key and (key.kid, key.verifier) for key in found] == [
        ("", build.ec_key().public_key()),
        ("", build.rsa_key().public_key()),
        None,
    ]


async def test_token_without_kid_is_for_none_of_several_keys_that_fit(rig):
    rig.publish("idp", build.ec_key(), build.ec_key("two"))
    assert await rig.source.fetch_key("idp", "", "ES256") is None


async def test_token_without_kid_is_never_for_a_key_with_kid(rig):
    rig.publish("idp", k1=build.ec_key())
    assert await rig.source.fetch_key("idp", "", "ES256") is None
