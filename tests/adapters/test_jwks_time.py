"""When a provider is asked, how often, and how long its keys are believed: against a real server on loopback."""

import asyncio
import logging

import pytest

from agen_authz.adapters.jwks import JwksSource
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.adapters.rig import COOLDOWN_S, KEEP_STALE_S, REFRESH_S, TIMEOUT_S, asking, kid_of, settings_for
from tests.adapters.web import DISCOVERY, JWKS, reply, running_web
from tests.fakes import CountingMetrics, FakeClock, Naps

pytestmark = pytest.mark.loopback
STORM = 200
ONE, TWO = build.jwk(build.ec_key(), "k1"), build.jwk(build.ec_key("two"), "k2")


@pytest.fixture
async def web():
    async with running_web() as running:
        running.publish(ONE)
        yield running


async def _fetch_or_refuse(source, kid):
    try:
        return await source.fetch_key("idp", kid, "ES256")
    except Unavailable as exc:
        return exc.reason


async def test_storm_of_unknown_kids_is_one_fetch(web):
    async with asking(web) as asked:
        storm = (_fetch_or_refuse(asked.source, f"unknown-{number}") for number in range(STORM))
        assert await asyncio.gather(*storm) == [None] * STORM
    assert web.asked[JWKS] == 1


async def test_storm_at_a_provider_that_is_down_is_one_fetch(web):
    web.go_down()
    async with asking(web) as asked:
        storm = (_fetch_or_refuse(asked.source, f"unknown-{number}") for number in range(STORM))
        assert await asyncio.gather(*storm) == [Reason.PROVIDER_UNAVAILABLE] * STORM
        assert asked.outcomes() == {"malformed": 1}


async def test_unknown_kid_is_asked_for_once_in_a_cooldown(web):
    async with asking(web) as asked:
        fetches = []
        for seconds in (0.0, COOLDOWN_S - 1, 1.0, 1.0):
            asked.clock.advance(seconds)
            assert await asked.source.fetch_key("idp", "unknown", "ES256") is None
            fetches.append(web.asked[JWKS])
    assert fetches == [1, 1, 2, 2]


async def test_step_of_the_wall_clock_changes_nothing(web):
    async with asking(web) as asked:
        key = await asked.source.fetch_key("idp", "k1", "ES256")
        assert await asked.source.fetch_key("idp", "unknown", "ES256") is None
        asked.clock.step(10 * KEEP_STALE_S)
        assert asked.source.find_key("idp", "k1", "ES256") is key
        assert await asked.source.fetch_key("idp", "unknown", "ES256") is None
    assert web.asked[JWKS] == 2


async def test_caller_who_gives_up_does_not_end_the_fetch_of_the_others(web):
    web.may_answer.clear()
    async with asking(web) as asked:
        impatient = asyncio.create_task(asked.source.fetch_key("idp", "k1", "ES256"))
        patient = asyncio.create_task(asked.source.fetch_key("idp", "k1", "ES256"))
        await asyncio.sleep(0)
        impatient.cancel()
        web.may_answer.set()
        assert kid_of(await patient) == "k1"
        assert impatient.cancelled()
    assert web.asked[JWKS] == 1


async def test_fetch_that_outlasts_the_cooldown_is_still_the_only_one(web):
    web.may_answer.clear()
    async with asking(web) as asked:
        first = asyncio.create_task(asked.source.fetch_key("idp", "k1", "ES256"))
        while not web.asked[DISCOVERY]:
            await asyncio.sleep(0)
        asked.clock.advance(COOLDOWN_S)
        second = asyncio.create_task(asked.source.fetch_key("idp", "k1", "ES256"))
        await asyncio.sleep(0)
        web.may_answer.set()
        assert await first is await second
    assert dict(web.asked) == {DISCOVERY: 1, JWKS: 1}


async def test_caller_joins_the_fetch_that_the_background_began(web):
    async with asking(web) as asked:
        await asked.source.start()
        _, wake = await asked.naps.next()
        web.publish(ONE, TWO)
        web.may_answer.clear()
        asked.clock.advance(REFRESH_S)
        wake.set_result(None)
        while web.asked[DISCOVERY] < 2:
            await asyncio.sleep(0)
        joined = asyncio.create_task(asked.source.fetch_key("idp", "k2", "ES256"))
        await asyncio.sleep(0)
        web.may_answer.set()
        assert kid_of(await joined) == "k2"
    assert web.asked[JWKS] == 2


async def test_start_fetches_and_goes_on_in_the_background(web):
    async with asking(web) as asked:
        await asked.source.start()
        first = asked.source.find_key("idp", "k1", "ES256")
        assert kid_of(first) == "k1"
        seconds, wake = await asked.naps.next()
        web.publish(ONE, TWO)
        asked.clock.advance(seconds)
        wake.set_result(None)
        again, _ = await asked.naps.next()
        assert (seconds, again) == (REFRESH_S, REFRESH_S)
        assert asked.source.find_key("idp", "k1", "ES256") is first
        assert kid_of(asked.source.find_key("idp", "k2", "ES256")) == "k2"


async def test_failing_provider_is_asked_again_soon_and_then_after_each_cooldown(web, caplog):
    caplog.set_level(logging.INFO, "agen_authz")
    web.go_down()
    async with asking(web) as asked:
        await asked.source.start()
        slept = []
        for is_up in (False, False, False, False, True):
            seconds, wake = await asked.naps.next()
            if is_up:
                web.publish(ONE)
            slept.append(seconds)
            asked.clock.advance(seconds)
            wake.set_result(None)
        seconds, _ = await asked.naps.next()
        assert [*slept, seconds] == [1.0, 2.0, 4.0, COOLDOWN_S, COOLDOWN_S, REFRESH_S]
        assert asked.outcomes() == {"malformed": 5, "ok": 1}
        assert kid_of(asked.source.find_key("idp", "k1", "ES256")) == "k1"
    # One line for each change, not for each failure.
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [
        ("WARNING", "a provider's keys cannot be fetched; it is asked again"),
        ("INFO", "a provider's keys can be fetched again"),
    ]


async def test_failing_provider_is_never_asked_later_than_after_its_cooldown(web):
    web.go_down()
    async with asking(web, cooldown_s=1.5) as asked:
        await asked.source.start()
        slept = []
        for _ in range(5):
            seconds, wake = await asked.naps.next()
            slept.append(seconds)
            asked.clock.advance(seconds)
            wake.set_result(None)
    assert slept == [1.0, 1.5, 1.5, 1.5, 1.5]


async def test_keys_are_believed_for_keep_stale_beyond_their_refresh(web):
    async with asking(web) as asked:
        key = await asked.source.fetch_key("idp", "k1", "ES256")
        web.go_down()
        asked.clock.advance(REFRESH_S + KEEP_STALE_S)
        assert asked.source.find_key("idp", "k1", "ES256") is key
        asked.clock.advance(0.5)
        assert asked.source.find_key("idp", "k1", "ES256") is None
        assert await _fetch_or_refuse(asked.source, "k1") is Reason.PROVIDER_UNAVAILABLE
        # Still so within the cooldown, when nobody is asked.
        assert await _fetch_or_refuse(asked.source, "k1") is Reason.PROVIDER_UNAVAILABLE


async def test_provider_that_comes_back_is_believed_again(web):
    async with asking(web) as asked:
        key = await asked.source.fetch_key("idp", "k1", "ES256")
        web.go_down()
        asked.clock.advance(REFRESH_S + KEEP_STALE_S + 1)
        assert await _fetch_or_refuse(asked.source, "k1") is Reason.PROVIDER_UNAVAILABLE
        web.publish(ONE)
        asked.clock.advance(COOLDOWN_S)
        assert await asked.source.fetch_key("idp", "k1", "ES256") is key


async def test_start_with_a_provider_down_serves_the_other(web):
    async with running_web() as other:
        other.publish(ONE)
        web.go_down()
        settings = (settings_for(web), settings_for(other, name="other"))
        source = JwksSource(settings, clock=FakeClock(), metrics=CountingMetrics(), sleep=Naps())
        await source.start()
        found = [source.find_key(name, "k1", "ES256") is not None for name in ("idp", "other")]
        await source.close()
    assert found == [False, True]


async def test_all_providers_are_fetched_at_once_on_start(web):
    async with running_web() as other:
        settings = (settings_for(web), settings_for(other, name="other"))
        source = JwksSource(settings, clock=FakeClock(), metrics=CountingMetrics(), sleep=Naps())
        # Neither answers before the other was asked.
        web.replies[JWKS], other.replies[JWKS] = _after(other), _after(web)
        web.discover()
        other.discover()
        async with asyncio.timeout(TIMEOUT_S):
            await source.start()
        await source.close()
    assert (web.asked[JWKS], other.asked[JWKS]) == (1, 1)


def _after(other):
    async def answer(writer):
        while not other.asked[JWKS]:
            await asyncio.sleep(0)
        writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")

    return answer


class _BrokenTwice(CountingMetrics):
    """Fails at the first two good fetches."""

    def count_jwks_refresh(self, provider, outcome):
        super().count_jwks_refresh(provider, outcome)
        if self.counts["agen_jwks_refresh_total", provider, outcome] <= 2 and outcome == "ok":
            raise ZeroDivisionError


async def test_defect_in_the_background_is_logged_once_counted_and_survived(web, caplog):
    naps, metrics = Naps(), _BrokenTwice()
    source = JwksSource((settings_for(web),), clock=FakeClock(), metrics=metrics, sleep=naps)
    await source.start()
    with pytest.raises(Unavailable):
        await source.fetch_key("idp", "k1", "ES256")
    slept = []
    for _ in range(2):
        seconds, wake = await naps.next()
        slept.append(seconds)
        wake.set_result(None)
    seconds, _ = await naps.next()
    assert [*slept, seconds] == [1.0, 2.0, REFRESH_S]
    assert kid_of(source.find_key("idp", "k1", "ES256")) == "k1"
    assert sorted(labels[2] for labels in metrics.counts.elements()) == ["failed", "failed", "ok", "ok", "ok"]
    assert [record.getMessage() for record in caplog.records] == [
        "a defect ended the fetch of a provider's keys; it is tried again"
    ]
    await source.close()


async def test_log_names_the_url_without_its_secrets(web, caplog):
    web.replies["/keys?secret=hush"] = web.replies[JWKS][:-9]
    async with asking(web, jwks_uri=f"http://user:hush@{web.url[7:]}/keys?secret=hush") as asked:
        await _fetch_or_refuse(asked.source, "k1")
    assert [record.__dict__["provider"] for record in caplog.records if record.name.startswith("agen_authz")] == ["idp"]
    ours = [str(record.__dict__) for record in caplog.records if record.name.startswith("agen_authz")]
    assert not any("hush" in line for line in ours)
    assert [record.__dict__["why"] for record in caplog.records if record.name.startswith("agen_authz")] == [
        f"{web.url}/keys: not HTTP, or broken off"
    ]


async def test_every_change_of_the_cause_is_logged_once(web, caplog):
    async with asking(web) as asked:
        for status in ("503 Down", "503 Down", "500 Broken"):
            web.replies[DISCOVERY] = reply(b"", status)
            asked.clock.advance(COOLDOWN_S)
            await _fetch_or_refuse(asked.source, "k1")
    said = [record.__dict__["why"].rpartition(" ")[2] for record in caplog.records]
    assert said == ["503", "500"]


async def test_dropped_keys_are_logged_once_by_name_and_counted(web, caplog):
    broken = [build.jwk(build.ec_key(), f"broken\n{number}", alg="XX") for number in range(12)]
    web.publish(ONE, *broken)
    async with asking(web) as asked:
        for _ in range(2):
            await asked.source.fetch_key("idp", "unknown", "ES256")
            asked.clock.advance(COOLDOWN_S)
        assert asked.source.describe() == {"idp": "ok, 1 keys, 12 dropped, fetched 30 s ago"}
    (record,) = [
        record for record in caplog.records if record.getMessage().startswith("keys that a provider publishes")
    ]
    named = record.__dict__["keys"].split("; ")
    assert (record.__dict__["count"], len(named)) == (12, 10)
    assert named[0] == "`broken\\n0`: `kty`, `crv` and `alg` name no accepted algorithm"


async def test_operators_see_how_each_provider_is(web):
    async with asking(web) as asked:
        seen = [asked.source.describe()]
        await asked.source.fetch_key("idp", "k1", "ES256")
        asked.clock.advance(40)
        seen.append(asked.source.describe())
        web.go_down()
        await _fetch_or_refuse(asked.source, "k2")
        seen.append(asked.source.describe())
    assert seen == [
        {"idp": "no keys yet"},
        {"idp": "ok, 1 keys, fetched 40 s ago"},
        {"idp": f"failing ({web.url}{DISCOVERY}: answered with status 503), 1 keys, fetched 40 s ago"},
    ]


async def test_close_ends_a_fetch_and_its_callers_get_unavailable(web):
    web.may_answer.clear()
    async with asking(web) as asked:
        waiting = asyncio.create_task(_fetch_or_refuse(asked.source, "k1"))
        await asyncio.sleep(0)
        await asked.source.close()
        assert await waiting is Reason.PROVIDER_UNAVAILABLE


async def test_close_during_a_fetch_does_not_make_an_unknown_kid_unpublished(web):
    async with asking(web) as asked:
        await asked.source.fetch_key("idp", "k1", "ES256")
        web.may_answer.clear()
        asked.clock.advance(COOLDOWN_S)
        waiting = asyncio.create_task(_fetch_or_refuse(asked.source, "k2"))
        await asyncio.sleep(0)
        await asked.source.close()
        assert await waiting is Reason.PROVIDER_UNAVAILABLE


@pytest.mark.parametrize(
    ("changes", "is_carried"),
    [
        pytest.param({}, True, id="same settings"),
        pytest.param({"issuer": "https://other.example.com"}, False, id="another issuer"),
        pytest.param({"jwks_uri": "https://other.example.com/keys"}, False, id="other keys"),
        pytest.param({"name": "other"}, False, id="another name"),
    ],
)
async def test_keys_are_carried_over_to_the_same_provider_only(web, changes, is_carried):
    async with asking(web) as asked:
        key = await asked.source.fetch_key("idp", "k1", "ES256")
        new = settings_for(web, **changes)
        source = JwksSource((new,), clock=asked.clock, metrics=CountingMetrics(), sleep=Naps())
        source.carry_over(asked.source)
        found = source.find_key(new.name, "k1", "ES256")
        await source.close()
    assert found is (key if is_carried else None)


async def test_carried_keys_are_as_old_as_they_were(web):
    async with asking(web) as asked:
        await asked.source.fetch_key("idp", "k1", "ES256")
        asked.clock.advance(REFRESH_S + KEEP_STALE_S)
        source = JwksSource((settings_for(web),), clock=asked.clock, metrics=CountingMetrics(), sleep=Naps())
        source.carry_over(asked.source)
        asked.clock.advance(1)
        found = source.find_key("idp", "k1", "ES256")
        await source.close()
    assert found is None
