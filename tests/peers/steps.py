"""The official clients take the steps of a plan at one URL: what they were told, and what the servers are."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import mcp.types as mcp
from mcp import Client

from agen_authz.envoy.model import TcpAddress
from tests.peers.installed import EVERYTHING, INSTALLED, ROOT, node_command
from tests.stage.port import HOST, is_listening, reserve_port
from tests.stage.process import running

# What tools/peers/steps.mjs takes too.
Plan: TypeAlias = Sequence[Sequence[Any]]
Told: TypeAlias = list[Any]
_SCRIPT = ROOT / "tools" / "peers" / "steps.mjs"
_BOUND_S = 40.0
_AWAIT_S = 15.0
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME, _EMAIL = "Ann", "ann@example.com"


@contextmanager
def running_npm_everything(folder: Path) -> Iterator[TcpAddress]:
    """Run the everything server of npm; yield where it listens."""
    port = reserve_port()
    command = ["env", f"PORT={port}", *node_command(EVERYTHING, "streamableHttp")]
    with running(command, folder / "npm-everything.log", lambda: is_listening(port), cwd=INSTALLED):
        yield TcpAddress(HOST, port)


def take_with_node(package: str, era: str, url: str, plan: Plan) -> Told:
    """Let a client of npm take the steps."""
    command = node_command(_SCRIPT, package, era, url, json.dumps(plan))
    ended = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, timeout=_BOUND_S, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return _settled(ended.stdout)


def take_with_python(era: str, url: str, plan: Plan) -> Told:
    """Let the client of PyPI take the steps; it has no step `resume`."""
    return _settled(json.dumps(asyncio.run(_take(era, url, plan))))


def _settled(told: str) -> Told:
    """Read what was told; ids that are drawn anew each time are no difference."""
    read: Told = json.loads(_UUID.sub("UUID", told))
    return read


async def _take(era: str, url: str, plan: Plan) -> Told:
    seen: asyncio.Queue[Any] = asyncio.Queue()

    async def keep(message: Any) -> None:
        if isinstance(message, mcp.ResourceUpdatedNotification):
            await seen.put(message)

    async def sample(context: Any, params: Any) -> mcp.CreateMessageResult:
        return mcp.CreateMessageResult(role="assistant", model="peer", content=mcp.TextContent(text="sampled"))

    async def elicit(context: Any, params: Any) -> mcp.ElicitResult:
        content: dict[str, Any] = {"name": _NAME, "username": _NAME, "email": _EMAIL, "ok": True}
        return mcp.ElicitResult(action="accept", content=content)

    async def roots(context: Any) -> mcp.ListRootsResult:
        return mcp.ListRootsResult(roots=[mcp.Root(uri="file:///peer", name="peer")])

    async with Client(
        url,
        mode=era,
        message_handler=keep,
        sampling_callback=sample,
        elicitation_callback=elicit,
        list_roots_callback=roots,
    ) as client:
        told: Told = [{"server": _dump(client.server_info), "can": _dump(client.server_capabilities)}]
        told += [[list(step), await _STEPS[step[0]](client, seen, *step[1:])] for step in plan]
        return told


def _dump(model: Any) -> Any:
    return None if model is None else model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def _list(client: Client, _seen: Any) -> Any:
    several = (
        client.list_tools(),
        client.list_resources(),
        client.list_resource_templates(),
        client.list_prompts(),
    )
    return [_dump(await each) for each in several]


async def _call(client: Client, _seen: Any, tool: str, given: dict[str, Any]) -> Any:
    steps: list[Any] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        steps.append([progress, total, message])

    return [steps, _dump(await client.call_tool(tool, given, progress_callback=note))]


async def _read(client: Client, _seen: Any, uri: str) -> Any:
    return _dump(await client.read_resource(uri))


async def _subscribe(client: Client, _seen: Any, uri: str) -> Any:
    return _dump(await client.subscribe_resource(uri))


async def _await(_client: Client, seen: "asyncio.Queue[Any]", method: str) -> Any:
    async with asyncio.timeout(_AWAIT_S):
        found = _dump(await seen.get())
    assert found["method"] == method
    return found


_STEPS: dict[str, Any] = {
    "list": _list,
    "call": _call,
    "read": _read,
    "subscribe": _subscribe,
    "await": _await,
}
