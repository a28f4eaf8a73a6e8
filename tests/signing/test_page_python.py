"""The page's Python is run as it stands: the MCP server that answers for its caller, and both middlewares."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from agen_authz.adapters.clock import SystemClock
from agen_authz.core.signature import SignedTarget
from tests.stage.process import START_S
from tests.stage.talk import talking
from tests.verify.signed import KEY, arrive

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "backend-signatures.md"
FASTMCP = ROOT / "build" / "fastmcp" / "bin" / "python"  # tools/install-fastmcp
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "list_my_deals", "arguments": {}, "_meta": META},
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a block of the page with its keys in a folder of the test."""
    (tmp_path / "crm-1").write_bytes(KEY)

    def run_block(number: int, **names: Any) -> dict[str, Any]:
        block = BLOCKS[number].replace("/etc/agen/keys", str(tmp_path))
        space = {**names, "__name__": "page"}
        exec(compile(block, "page", "exec"), space)  # noqa: S102 it is our own page
        return space

    return run_block


async def _post(app: Any, arrived: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://crm") as web:
        headers = [(name, value) for name, value in arrived.lines if name != b"host"]
        return await web.post(arrived.path, content=arrived.body, headers=[*headers, (b"host", b"127.0.0.1:8000")])


def _call(nonce: str) -> Any:
    sent = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "list_my_deals",
    }
    target = SignedTarget("https", "127.0.0.1:8000", "/crm/mcp", None)
    return arrive(
        body=json.dumps(CALL).encode(), headers=sent, target=target, created=int(SystemClock().now()), nonce=nonce
    )


async def test_tool_of_the_mcp_server_answers_for_its_caller(run):
    space = run(1)
    async with space["server"].session_manager.run():
        good = await _post(space["app"], _call("1" * 32))
        forged = await _post(space["app"], _call("2" * 32).with_header("agen-subject", '"eve"'))
    assert (good.status_code, "deals of ann at no tenant" in good.text) == (200, True)
    assert (forged.status_code, forged.content) == (403, b"")


def test_both_middlewares_take_three_lines(run):
    for number, kind in ((0, "ASGIVerifier"), (3, "WSGIVerifier")):
        space = run(number, app=asyncio)
        lines = [line for line in BLOCKS[number].splitlines() if line]
        assert (type(space["app"]).__name__, len(lines)) == (kind, 3)


@pytest.mark.services
@pytest.mark.loopback
def test_tool_of_fastmcp_answers_for_its_caller(tmp_path):
    (tmp_path / "crm-1").write_bytes(KEY)
    command = [str(FASTMCP), str(Path(__file__).parent / "serve_fastmcp.py"), str(tmp_path)]
    with (
        talking(command, tmp_path / "server.log", env={"PYTHONPATH": str(ROOT)}) as talk,
        httpx.Client(trust_env=False, timeout=START_S) as web,
    ):
        url = talk.read_line()
        good, forged = [web.post(url, content=each.body, headers=list(each.lines)) for each in _calls()]
    assert (good.status_code, "deals of ann at no tenant" in good.text) == (200, True)
    assert (forged.status_code, forged.content) == (403, b"")


def _calls() -> list[Any]:
    return [_call("3" * 32), _call("4" * 32).with_header("agen-subject", '"eve"')]
