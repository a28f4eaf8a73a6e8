"""Calls that are under way while the configuration changes end as they began, and their events say by which set."""

import asyncio
import json
import signal

import pytest

from tests import builders as build
from tests.adapters.web import JWKS, reply
from tests.stage.process import BOUND_S
from tests.stress.sidecar import KEY, Plan, Sidecar, Told, events, running
from tests.stress.stand import ENGINES, until

pytestmark = pytest.mark.loopback


@pytest.fixture(params=ENGINES)
def engine(request) -> str:
    return str(request.param)


async def begin(sidecar: Sidecar, key: str, kid: str) -> "asyncio.Task[Told]":
    """Begin a call that waits for a key, and return once its provider was asked."""
    asked = sidecar.web.asked[JWKS]
    sidecar.web.may_answer.clear()
    published = [build.jwk(build.ec_key(KEY)), build.jwk(build.ec_key(key), kid)]
    sidecar.web.replies[JWKS] = reply(json.dumps({"keys": published}).encode())
    task = asyncio.ensure_future(sidecar.ask(sidecar.token(key, kid)))
    # Discovery comes first, and is held back.
    discovered = sum(sidecar.web.asked.values())
    await until(lambda: sum(sidecar.web.asked.values()) > discovered)
    assert sidecar.web.asked[JWKS] == asked
    return task


async def reload(sidecar: Sidecar, **changes: str) -> tuple[str, str]:
    """Let another configuration take effect; return the versions before and after."""
    before = await sidecar.policy_set()
    sidecar.plan.write(**changes)
    sidecar.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(BOUND_S):
        while (after := await sidecar.policy_set()) == before:
            await asyncio.sleep(0.01)
    return before, after


async def test_call_under_way_ends_by_the_set_it_began_with_and_says_so(engine, tmp_path):
    audit = tmp_path / "audit.jsonl"
    with audit.open("ab") as stdout:
        async with running(Plan(tmp_path, engine, timeout="8s"), stdout) as sidecar:
            waiting = await begin(sidecar, "new", "k2")
            first, second = await reload(sidecar, role="support")
            assert not waiting.done()
            sidecar.web.may_answer.set()
            seen = [(await waiting).is_allowed]
            seen.append((await sidecar.ask(sidecar.token("new", "k2"))).is_allowed)
            third = (await reload(sidecar, role="analyst"))[1]
            seen.append((await sidecar.ask(sidecar.token("new", "k2"))).is_allowed)
    told = [(event["policy_set"], event["decision"], event["reason"]) for event in events(audit)]
    assert first == third != second
    assert told == [(first, "allow", "allowed"), (second, "deny", "not_granted"), (first, "allow", "allowed")]
    assert seen == [True, False, True]


async def test_call_that_waits_for_a_provider_is_answered_though_the_provider_was_changed(tmp_path):
    audit = tmp_path / "audit.jsonl"
    with audit.open("ab") as stdout:
        async with running(Plan(tmp_path, timeout="8s"), stdout) as sidecar:
            waiting = await begin(sidecar, "new", "k2")
            # The new set asks for keys again, in vain: that must neither stop it nor end what waits for the old.
            before, _ = await reload(sidecar, fetch="500ms")
            sidecar.web.may_answer.set()
            assert (await waiting).is_allowed
    assert [(event["policy_set"], event["decision"]) for event in events(audit)] == [(before, "allow")]
