"""The processes of a sidecar as they are run: whichever is killed, the others go on, and none is left over."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2

from agen_authz.servers.engine import PROCESS_SERVICE
from tests.stage.family import are_gone, find_worker, kill_worker, list_family
from tests.stage.process import START_S
from tests.stress.sidecar import Plan, Sidecar, ready, refused, running
from tests.stress.stand import unary

pytestmark = pytest.mark.loopback
PROCESS = f"/{PROCESS_SERVICE}/Process"
HEALTH = "/grpc.health.v1.Health/Check"
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture
async def sidecar(tmp_path: Path) -> AsyncIterator[Sidecar]:
    async with running(Plan(tmp_path), asyncio.subprocess.DEVNULL) as sidecar:
        yield sidecar


async def until(is_so: Callable[[], Any]) -> None:
    """Wait for something that a process brings about."""
    async with asyncio.timeout(START_S):
        while not is_so():
            await asyncio.sleep(0.01)


async def told(sidecar: Sidecar) -> dict[str, Any]:
    answer: dict[str, Any] = (await sidecar.http.get(f"http://{sidecar.plan.ops}/readyz")).json()
    return answer


async def replaced(sidecar: Sidecar, name: str, old: int) -> None:
    """Wait until another worker serves in the place of one that was killed."""
    await until(lambda: find_worker(sidecar.process.pid, name) not in (None, old))
    await ready(sidecar)


async def health_of_process(folder: Path, service: str = PROCESS_SERVICE) -> int:
    request = health_pb2.HealthCheckRequest(service=service).SerializeToString()
    async with aio.insecure_channel(f"unix:{folder}/proc.sock") as channel:
        raw = await unary(channel, HEALTH)(request, timeout=START_S, wait_for_ready=True)
    return int(health_pb2.HealthCheckResponse.FromString(raw).status)


async def test_process_that_is_killed_again_and_again_comes_back_and_calls_are_decided_all_the_while(sidecar):
    kept, seen = find_worker(sidecar.process.pid, "check"), []
    for _ in range(3):
        old = kill_worker(sidecar.process.pid, "process")
        seen.append((await sidecar.ask(sidecar.token())).is_allowed)
        await replaced(sidecar, "process", old)
        seen.append(await health_of_process(sidecar.plan.folder))
    parts = (await told(sidecar))["parts"]
    assert (seen, find_worker(sidecar.process.pid, "check")) == ([True, SERVING] * 3, kept)
    assert parts["worker process"] == "serving, started again 3 times"
    pauses = [json.loads(line).get("after_s") for line in sidecar.plan.log().splitlines()]
    assert [pause for pause in pauses if pause] == ["0.1", "0.2", "0.4"]


async def test_check_that_is_killed_comes_back_and_its_counts_do_not_go_back(sidecar):
    for _ in range(2):
        assert (await sidecar.ask(sidecar.token())).is_allowed
    before = await sidecar.metrics()
    kept = find_worker(sidecar.process.pid, "process")
    await replaced(sidecar, "check", kill_worker(sidecar.process.pid, "check"))
    after = await sidecar.metrics()
    assert (await sidecar.ask(sidecar.token())).is_allowed
    last = await sidecar.metrics()
    row = 'agen_decisions_total{decision="allow",reason="allowed",server="crm"}'
    assert [f"{row} {count}.0" in text for text, count in ((before, 2), (after, 2), (last, 3))] == [True] * 3
    assert find_worker(sidecar.process.pid, "process") == kept


async def test_supervisor_that_is_killed_leaves_no_process_and_its_addresses_are_free(tmp_path):
    async with running(Plan(tmp_path), asyncio.subprocess.DEVNULL) as sidecar:
        family = list_family(sidecar.process.pid)
        # Not even one that hangs.
        kill_worker(sidecar.process.pid, "process", signal.SIGSTOP)
        await sidecar.kill()
        await until(lambda: are_gone(family))
        await sidecar.start_again(asyncio.subprocess.DEVNULL)
        assert (len(family), (await sidecar.ask(sidecar.token())).is_allowed) == (4, True)


async def test_nursery_that_is_killed_ends_the_sidecar_with_an_error(sidecar):
    family = list_family(sidecar.process.pid)
    os.kill(family[1], signal.SIGKILL)
    assert await asyncio.to_thread(sidecar.process.wait, START_S) == 1
    await until(lambda: are_gone(family))
    assert sidecar.plan.log().endswith("agen-authz: the process that starts workers has ended\n")


async def test_end_drains_every_process_and_is_no_error(sidecar):
    family = list_family(sidecar.process.pid)
    # As a terminal does, and a service manager: the signals are for the whole group.
    for number in (signal.SIGINT, signal.SIGTERM):
        for pid in reversed(family):
            os.kill(pid, number)
    assert await asyncio.to_thread(sidecar.process.wait, START_S) == 0
    lines = [json.loads(line) for line in sidecar.plan.log().splitlines()]
    drained = [line["process"] for line in lines if line["message"] == "a worker finishes what has begun, and ends"]
    assert drained == ["check", "process"]
    # The nursery ends with the supervisor, a moment later.
    await until(lambda: are_gone(family))


async def test_worker_that_hangs_keeps_no_operator_waiting_and_is_named(sidecar):
    pid = kill_worker(sidecar.process.pid, "check", signal.SIGSTOP)
    alive = (await sidecar.http.get(f"http://{sidecar.plan.ops}/livez")).status_code
    assert (alive, "agen_decisions_total" in await sidecar.metrics()) == (200, True)
    async with asyncio.timeout(START_S):
        while "has not answered" not in (seen := await told(sidecar))["parts"]["worker check"]:
            pass
    assert seen["ready"] is False
    os.kill(pid, signal.SIGCONT)
    await ready(sidecar)


async def test_changed_file_reaches_every_worker_and_one_that_cannot_be_used_reaches_none(sidecar):
    plan, seen = sidecar.plan, []
    for role, outcome in (("support", "ok"), ("[]", "failed")):
        plan.write(role=role)
        async with asyncio.timeout(START_S):
            while not (parts := (await told(sidecar))["parts"])["reload"].startswith(outcome):
                await asyncio.sleep(0.01)
        rows = [row for row in (await sidecar.metrics()).splitlines() if row.startswith("agen_policy_set_info")]
        seen.append((len(rows), parts["policy_set"], parts["worker check"], parts["worker process"]))
    # Also a worker that starts only now.
    await replaced(sidecar, "process", kill_worker(sidecar.process.pid, "process"))
    parts = (await told(sidecar))["parts"]
    assert seen == [(1, parts["policy_set"], "serving", "serving")] * 2
    assert parts["worker process"] == "serving, started again 1 times"


async def test_each_worker_that_inspects_has_its_own_address_and_aborts_what_it_cannot_read(tmp_path):
    plan = Plan(tmp_path, timeout="1s\n  filter_workers: 2")
    async with running(plan, asyncio.subprocess.DEVNULL) as sidecar:
        statuses = [await health_of_process(tmp_path, service) for service in ("", PROCESS_SERVICE)]
        async with aio.insecure_channel(f"unix:{tmp_path}/proc-2.sock") as channel:
            stream: Any = channel.stream_stream(PROCESS)
            opened = stream(timeout=START_S)
            await opened.write(b"\xff")
            with pytest.raises(aio.AioRpcError) as caught:
                await opened.read()
        parts = (await told(sidecar))["parts"]
        names = sorted(path.name for path in tmp_path.glob("*.sock"))
        modes = {path.stat().st_mode & 0o777 for path in tmp_path.glob("*.sock")}
    assert (parts["worker process-2"], names, modes) == (
        "serving",
        ["authz.sock", "proc-2.sock", "proc.sock"],
        {0o660},
    )
    assert (statuses, caught.value.code()) == ([SERVING] * 2, grpc.StatusCode.INTERNAL)


async def test_address_that_is_taken_is_an_error_of_the_start(tmp_path):
    (tmp_path / "proc.sock").write_text("not a socket")
    code, said = await refused(Plan(tmp_path))
    assert (code, said.splitlines()[-1]) == (
        1,
        f"server: server.proc: cannot listen on `unix://{tmp_path}/proc.sock`: the path is not a socket; end the other"
        " process, or choose another address under `server.proc`",
    )
