"""A changed configuration under a sidecar that runs: what takes effect, what does not, and where operators see it."""

import asyncio
import json
import signal
from typing import Any

import httpx
import pytest
from grpc import aio

from tests import builders as build
from tests.adapters.web import running_web
from tests.stage.port import reserve_address
from tests.stage.process import START_S
from tests.stress.sidecar import KEY, Plan, Sidecar, events, ready, running, start
from tests.stress.stand import ENGINES, until

pytestmark = pytest.mark.loopback
# It takes a second or more to load them.
MANY = 3000
KEPT = "failed: the last good configuration decides, see the log"


async def parts(sidecar: Sidecar) -> tuple[int, dict[str, Any]]:
    """Ask how the sidecar is."""
    answer = await sidecar.http.get(f"http://{sidecar.plan.ops}/readyz")
    return answer.status_code, answer.json()["parts"]


async def reloaded(sidecar: Sidecar, outcome: str) -> dict[str, Any]:
    """Wait until operators are told of a reload."""
    async with asyncio.timeout(START_S):
        while not (told := (await parts(sidecar))[1])["reload"].startswith(outcome):
            await asyncio.sleep(0.02)
    return told


def problems(plan: Plan) -> list[str]:
    lines = [json.loads(line) for line in plan.log().splitlines()]
    return [
        line["problem"]
        for line in lines
        if "the new configuration is refused; the last good one stays in use" in line.values()
    ]


async def test_changed_file_takes_effect_without_a_signal(tmp_path):
    async with running(Plan(tmp_path), asyncio.subprocess.DEVNULL) as sidecar:
        seen = [(await sidecar.ask(sidecar.token())).is_allowed]
        sidecar.plan.write(role="support")
        await reloaded(sidecar, "ok")
        seen.append((await sidecar.ask(sidecar.token())).is_allowed)
    assert seen == [True, False]


async def test_signal_reloads_though_no_file_has_changed(tmp_path):
    async with running(Plan(tmp_path), asyncio.subprocess.DEVNULL) as sidecar:
        before = await sidecar.policy_set()
        sidecar.process.send_signal(signal.SIGHUP)
        assert (await reloaded(sidecar, "ok"))["policy_set"] == before
        assert 'agen_policy_reload_total{outcome="ok"} 1.0' in await sidecar.metrics()


@pytest.mark.parametrize("engine", ENGINES)
async def test_calls_are_answered_while_a_large_configuration_loads(tmp_path, engine):
    async with running(Plan(tmp_path, engine), asyncio.subprocess.DEVNULL) as sidecar:
        before, token = await sidecar.policy_set(), sidecar.token()
        written = sidecar.plan.config_file.read_text("utf-8")
        more = "".join(f', {{name: r{n}, tools: ["crm/x{n}_*"], allow: [analyst]}}' for n in range(MANY))
        sidecar.plan.config_file.write_text(written.replace("[analyst]}]", f"[analyst]}}{more}]"), "utf-8")
        sidecar.process.send_signal(signal.SIGHUP)
        # How many calls fit into that time is the machine's matter: none of them may be late or denied.
        while await sidecar.policy_set() == before:
            assert (await sidecar.ask(token)).is_allowed


BAD = {
    "cut off": ("access:", "acc"),
    "needs a restart": ("shutdown_grace: 1s", "shutdown_grace: 2s"),
}


@pytest.mark.parametrize("case", BAD)
async def test_bad_file_keeps_the_last_good_set_and_is_reported_everywhere(tmp_path, case):
    audit = tmp_path / "audit.jsonl"
    with audit.open("ab") as stdout:
        async with running(Plan(tmp_path), stdout) as sidecar:
            before, good = await sidecar.policy_set(), sidecar.plan.config_file.read_text("utf-8")
            sidecar.plan.config_file.write_text(good.replace(*BAD[case]), "utf-8")
            assert (await reloaded(sidecar, "failed"))["policy_set"] == before
            status, told = await parts(sidecar)
            assert (status, told["reload"]) == (200, KEPT)
            assert 'agen_policy_reload_total{outcome="failed"} 1.0' in await sidecar.metrics()
            assert (await sidecar.ask(sidecar.token())).is_allowed
            sidecar.plan.write(role="support")
            assert (await reloaded(sidecar, "ok"))["policy_set"] != before
    assert [event["policy_set"] for event in events(audit)] == [before]
    named = problems(sidecar.plan)
    assert named and all(each.startswith(f"{sidecar.plan.config_file}:") for each in named)
    assert ("restart" in named[0]) is (case == "needs a restart")


async def test_what_changes_during_a_slow_start_takes_effect(tmp_path):
    plan = Plan(tmp_path, ops=reserve_address())
    async with running_web() as web, httpx.AsyncClient(trust_env=False, timeout=START_S) as http:
        web.publish(build.jwk(build.ec_key(KEY)))
        web.may_answer.clear()
        plan.issuer = web.url
        plan.write()
        async with aio.insecure_channel(f"unix:{tmp_path}/authz.sock") as channel:
            sidecar = Sidecar(plan, web, start(plan, asyncio.subprocess.DEVNULL), channel, http)
            try:
                await asked(sidecar)
                plan.write(role="support")
                # Nor does a signal end what has not begun to serve.
                sidecar.process.send_signal(signal.SIGHUP)
                web.may_answer.set()
                await ready(sidecar)
                await reloaded(sidecar, "ok")
                assert not (await sidecar.ask(sidecar.token())).is_allowed
            finally:
                sidecar.process.send_signal(signal.SIGTERM)
                await asyncio.to_thread(sidecar.process.wait, START_S)


async def asked(sidecar: Sidecar) -> None:
    """Wait until the sidecar has asked its provider."""
    await until(lambda: sidecar.web.asked.total() > 0)
