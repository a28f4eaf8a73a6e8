"""Tokens whose key is not known: when a provider is asked, and what is answered while it may not be."""

import asyncio

import pytest

from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.adapters.rig import COOLDOWN_S, asking, kid_of
from tests.adapters.web import JWKS, reply, running_web

pytestmark = pytest.mark.loopback
BURST = 4
ONE, TWO = build.jwk(build.ec_key(), "k1"), build.jwk(build.ec_key("two"), "k2")


@pytest.fixture
async def web():
    async with running_web() as running:
        running.publish(ONE)
        yield running


async def ask(asked, kid):
    """Ask for a key; return its kid, None if it is not published, or why nobody knows."""
    try:
        return kid_of(await asked.source.fetch_key("idp", kid, "ES256"))
    except Unavailable as exc:
        return exc.reason


async def test_key_that_was_rotated_in_after_a_junk_kid_is_found_at_once(web):
    async with asking(web) as asked:
        assert await ask(asked, "junk") is None
        web.publish(ONE, TWO)
        assert await ask(asked, "k2") == "k2"


async def test_while_the_provider_may_not_be_asked_no_key_is_called_unknown(web):
    async with asking(web) as asked:
        answers = [await ask(asked, f"junk-{number}") for number in range(BURST + 2)]
        web.publish(ONE, TWO)
        assert answers == [None] * BURST + [Reason.KEY_UNSETTLED] * 2
        assert await ask(asked, "k2") is Reason.KEY_UNSETTLED
        asked.clock.advance(COOLDOWN_S)
        assert await ask(asked, "k2") == "k2"
        # Keys that are known are not concerned.
        assert kid_of(asked.source.find_key("idp", "k1", "ES256")) == "k1"


async def test_flood_of_junk_kids_neither_makes_us_ask_without_bound_nor_keeps_a_new_key_out(web):
    async with asking(web) as asked:
        for second in range(int(10 * COOLDOWN_S)):
            await ask(asked, f"junk-{second}")
            asked.clock.advance(1.0)
        await ask(asked, "last")
        assert web.asked[JWKS] <= BURST + 10
        web.publish(ONE, TWO)
        seen = []
        for second in range(int(COOLDOWN_S) + 1):
            seen.append(await ask(asked, "k2"))
            await ask(asked, f"more-{second}")
            asked.clock.advance(1.0)
    assert seen[-1] == "k2"
    assert set(seen) == {Reason.KEY_UNSETTLED, "k2"}


async def test_kid_that_the_provider_does_not_publish_stays_unknown_for_a_cooldown_without_asking(web):
    async with asking(web) as asked:
        for number in range(BURST):
            assert await ask(asked, f"junk-{number}") is None
        asked.clock.advance(COOLDOWN_S - 1)
        assert [await ask(asked, f"junk-{number}") for number in range(BURST)] == [None] * BURST
    assert web.asked[JWKS] == BURST


async def test_one_kid_for_two_algorithms_is_two_questions(web):
    async with asking(web) as asked:
        assert await asked.source.fetch_key("idp", "k1", "RS256") is None
        web.publish(ONE, build.jwk(build.rsa_key(), "k1"), build.jwk(build.ec_key("three", "P-384"), "k1"))
        assert await asked.source.fetch_key("idp", "k1", "ES384") is not None
        assert await asked.source.fetch_key("idp", "k1", "RS256") is not None


async def test_withdrawn_key_is_unknown_at_once_although_the_provider_may_not_be_asked(web):
    async with asking(web) as asked:
        for number in range(BURST - 1):
            await ask(asked, f"junk-{number}")
        web.publish(TWO)
        assert await ask(asked, "k2") == "k2"
        assert [await ask(asked, kid) for kid in ("k1", "other")] == [None, Reason.KEY_UNSETTLED]
    assert web.asked[JWKS] == BURST


async def test_key_that_was_withdrawn_and_is_published_again_is_found(web):
    async with asking(web) as asked:
        assert await ask(asked, "k1") == "k1"
        for published in ((TWO,), (ONE, TWO)):
            web.publish(*published)
            assert await ask(asked, f"junk-{len(published)}") is None
        assert await ask(asked, "k1") == "k1"


async def test_question_that_came_after_the_keys_were_read_is_asked_again(web):
    may_end = asyncio.Event()
    old = web.replies[JWKS]

    async def answer_late(writer):
        await may_end.wait()
        writer.write(old)

    web.replies[JWKS] = answer_late
    async with asking(web) as asked:
        first = asyncio.create_task(ask(asked, "junk"))
        while not web.asked[JWKS]:
            await asyncio.sleep(0)
        web.publish(ONE, TWO)
        second = asyncio.create_task(ask(asked, "k2"))
        await asyncio.sleep(0)
        may_end.set()
        assert (await first, await second) == (None, "k2")


async def test_question_that_cannot_be_asked_again_is_not_answered_from_older_keys(web):
    may_end = asyncio.Event()
    old = web.replies[JWKS]

    async def answer_late(writer):
        await may_end.wait()
        writer.write(old)

    async with asking(web) as asked:
        for number in range(BURST - 1):
            await ask(asked, f"junk-{number}")
        web.replies[JWKS] = answer_late
        first = asyncio.create_task(ask(asked, "last"))
        while web.asked[JWKS] < BURST:
            await asyncio.sleep(0)
        second = asyncio.create_task(ask(asked, "k2"))
        await asyncio.sleep(0)
        may_end.set()
        assert (await first, await second) == (None, Reason.KEY_UNSETTLED)


async def test_failing_provider_is_asked_once_in_a_cooldown_by_questions(web):
    web.go_down()
    async with asking(web) as asked:
        for _ in range(int(3 * COOLDOWN_S)):
            assert await ask(asked, "k1") is Reason.PROVIDER_UNAVAILABLE
            asked.clock.advance(1.0)
        assert asked.outcomes() == {"malformed": 3}


async def test_what_is_remembered_of_questions_is_bounded(web):
    async with asking(web) as asked:
        web.may_answer.clear()
        storm = [asyncio.create_task(ask(asked, f"junk-{number}")) for number in range(3000)]
        await asyncio.sleep(0)
        web.may_answer.set()
        answers = await asyncio.gather(*storm)
        shelf = asked.source._shelves["idp"]
        assert set(answers) <= {None, Reason.KEY_UNSETTLED}
        assert max(len(shelf._open), len(shelf._answered), len(shelf._absent)) <= 1000
    assert web.asked[JWKS] <= BURST


async def test_long_kid_is_a_question_like_any_other(web):
    async with asking(web) as asked:
        assert [await ask(asked, "k" * 10_000) for _ in range(3)] == [None] * 3
    assert web.asked[JWKS] == 1


async def test_call_that_stops_waiting_is_logged_once_with_the_provider(web, caplog):
    web.may_answer.clear()
    async with asking(web) as asked:
        for _ in range(2):
            waiting = asyncio.create_task(ask(asked, "k1"))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    said = [(record.getMessage(), record.__dict__["provider"]) for record in caplog.records]
    assert said == [("a call ended before a provider's keys were fetched; it was not allowed", "idp")]


async def test_provider_with_an_empty_set_has_had_no_keys(web):
    web.replies[JWKS] = reply(build.jwks())
    async with asking(web) as asked:
        assert await ask(asked, "k1") is None
        assert asked.source.list_without_keys() == {"idp"}
        web.publish(ONE)
        assert await ask(asked, "k2") is None
        assert asked.source.list_without_keys() == frozenset()
        web.publish()
        assert await ask(asked, "k3") is None
        assert asked.source.list_without_keys() == frozenset()
