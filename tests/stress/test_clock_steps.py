"""The wall clock is set forward or back under a running sidecar: nothing opens, and nothing stays closed for good."""

import asyncio
from typing import Any

import pytest

from agen_authz.core.signature import SignedTarget, Signer, SigningKey
from tests import builders as build
from tests.check.rig import Rig
from tests.fakes import FakeClock
from tests.stage.process import BOUND_S
from tests.stress.stand import ENGINES, good, standing, waits

HOUR_S, YEAR_S = 3600.0, 365 * 86400.0
LIFE_S, LEEWAY_S = 300.0, 30.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(build.NOW)


@pytest.fixture
def rig(clock: FakeClock) -> Rig:
    return Rig(clock=clock)


def post(rig: Rig, token: str) -> str:
    """Post a call, and return the Reason of what became of it."""
    seen = rig.post(build.message(), token)
    assert seen.status == (200 if seen.is_allowed else 401)
    return seen.reason


def token(**changes: Any) -> str:
    return build.sign(build.claims(**changes))


def test_remembered_token_is_not_believed_past_its_end_when_the_clock_goes_forward(rig, clock):
    kept = token()
    seen = [post(rig, kept)]
    clock.step(LIFE_S + LEEWAY_S)
    seen.append(post(rig, kept))
    assert seen == ["allowed", "token_expired"]


def test_clock_that_goes_forward_and_back_closes_nothing_for_good(rig, clock):
    kept = token()
    seen = [post(rig, kept)]
    for seconds in (YEAR_S, -YEAR_S):
        clock.step(seconds)
        seen.append(post(rig, kept))
    assert seen == ["allowed", "token_expired", "allowed"]


def test_clock_that_goes_back_admits_no_token_from_the_future(rig, clock):
    kept = token(nbf=build.NOW)
    seen = [post(rig, kept)]
    clock.step(-HOUR_S)
    seen.append(post(rig, kept))
    clock.step(HOUR_S)
    seen.append(post(rig, kept))
    assert seen == ["allowed", "token_not_yet_valid", "allowed"]


def test_clock_that_goes_back_by_less_than_the_leeway_is_not_noticed(rig, clock):
    kept = token(nbf=build.NOW, iat=build.NOW)
    clock.step(-LEEWAY_S)
    assert post(rig, kept) == "allowed"


def test_age_of_a_token_is_computed_for_every_call(clock):
    provider = build.provider(max_token_age_s=HOUR_S)
    rig = Rig(clock=clock, resources=(build.resource(providers={build.ISSUER: provider}),))
    kept = token(exp=build.NOW + YEAR_S)
    seen = []
    for seconds in (0.0, 2 * HOUR_S, -2 * HOUR_S):
        clock.step(seconds)
        seen.append(post(rig, kept))
    assert seen == ["allowed", "token_too_old", "allowed"]


@pytest.mark.parametrize("seconds", [-YEAR_S, -HOUR_S, HOUR_S, YEAR_S])
def test_session_stays_with_its_owner(rig, clock, seconds):
    def response(subject: str) -> int:
        bearer = token(sub=subject, exp=clock.now() + LIFE_S, iat=clock.now())
        return rig.post(build.message("ping"), bearer, headers={"mcp-session-id": build.session("s-1")}).status

    seen = [response("ann")]
    clock.step(seconds)
    seen += [response("bob"), response("ann")]
    assert seen == [200, 404, 200]


@pytest.mark.parametrize("seconds", [-YEAR_S, -HOUR_S, HOUR_S, YEAR_S])
def test_event_tells_the_new_time_and_a_duration_that_is_none_of_the_step(rig, clock, seconds):
    clock.step(seconds)
    post(rig, token(exp=clock.now() + LIFE_S, iat=clock.now()))
    (event,) = rig.audit.events
    assert (event["decision"], event.get("duration_us", 0)) == ("allow", 0)


@pytest.mark.parametrize("seconds", [-HOUR_S, HOUR_S])
def test_signature_bears_the_new_time(clock, seconds):
    target = SignedTarget("https", "mcp.example.com", "/crm/mcp", None)
    signer = Signer(SigningKey("b1", b"k" * 32), target, resource_header='"crm"', components=("@method",), expires_s=60)
    rig = Rig(clock=clock, resources=(build.resource(is_signed=True),), signers={"crm": signer})
    clock.step(seconds)
    seen = rig.post(build.message(), token(exp=clock.now() + LIFE_S, iat=clock.now()))
    said = seen.header("signature-input") or ""
    now = int(clock.now())
    assert f"created={now}" in said and f"expires={now + 60}" in said


@pytest.mark.parametrize("now", [0.0, -1.0, 2**33, 1e12], ids=["epoch", "before", "far", "nowhere"])
def test_absurd_time_opens_nothing(rig, clock, now):
    kept = token()
    assert post(rig, kept) == "allowed"
    clock.step(now - clock.now())
    assert not rig.post(build.message(), kept).is_allowed
    clock.step(build.NOW - clock.now())
    assert post(rig, kept) == "allowed"


@pytest.mark.loopback
@pytest.mark.parametrize("engine", ENGINES)
async def test_server_that_runs_follows_every_step(engine, clock, tmp_path):
    async with standing(engine, tmp_path, 64, clock) as stand:
        kept, seen = good(), []
        for seconds in (0.0, YEAR_S, -YEAR_S, -YEAR_S, YEAR_S):
            clock.step(seconds)
            seen.append((await stand.ask(kept)).status)
    # A year early the token is from the future, by its `iat`.
    assert seen == [200, 401, 200, 401, 200]


@pytest.mark.loopback
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seconds", [-YEAR_S, YEAR_S], ids=["back", "forward"])
async def test_call_that_waits_while_the_clock_is_set_ends_by_the_time_that_has_passed(
    engine, clock, tmp_path, seconds
):
    async with standing(engine, tmp_path, 64, clock) as stand:
        waiting = stand.ask(waits())
        await stand.until(lambda: stand.keys.waiting == 1)
        clock.step(seconds)
        told = (await asyncio.wait_for(waiting, BOUND_S)).told
    assert told == "deadline"
