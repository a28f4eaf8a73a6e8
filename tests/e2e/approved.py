"""Calls that people must approve, through a real Envoy, and people who decide in the sidecar's own store."""

import re
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes, token_hex
from time import time
from types import MappingProxyType
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult, ErrorData

from agen_authz.adapters.store import KeptCipher, SqlApprovals, open_store
from agen_authz.build.approval import build_approvals
from agen_authz.config import load
from agen_authz.core.approval.request import ApprovalRequest
from agen_authz.core.approval.table import Approver, vote
from agen_authz.core.approval.tell import tell
from agen_authz.core.model import Issuer, Owner, Subject
from agen_authz.ports.approval import Query
from tests.stage.process import BOUND_S, START_S, await_true
from tests.stage.world import World, modern, tool_call

PAGE = "https://approve.example.com/requests/"
SECTIONS = """\
approvals:
  base_url: https://approve.example.com
  flows:
    - {name: finance, steps: [{name: lead, approvers: {roles: [lead]}}], timeout: 1h}
    - {name: quick, steps: [{name: lead, approvers: {roles: [lead]}}], timeout: 1s}
policies:
  - {name: customers, state: enforce, tools: ["crm/get_customer"], then: require_approval, flow: finance}
  - {name: records, state: enforce, resources: ["crm/customer://**"], then: require_approval, flow: finance}
  - {name: prompts, state: enforce, prompts: ["crm/*"], then: require_approval, flow: finance}
  - {name: deals, state: enforce, tools: ["crm/get_deal"], then: require_approval, flow: quick}
"""
CUSTOMER: dict[str, Any] = {"customer_id": "c-1001"}
_LINK = re.compile(r"https?://\S+/requests/[0-9a-f]{32}")
NOT_MOVED: Mapping[int, int] = MappingProxyType({})
MODES = ["2026-07-28", "legacy"]


def reload(world: World, folder: Path, config: str) -> None:
    """Let the sidecar read another configuration, and wait until it decides by it."""

    def read_version() -> str:
        world.post(world.one.mint(world.crm), tool_call("search_customers", {}), **modern("search_customers"))
        return str(world.events()[-1]["policy_set"])

    before = read_version()
    (folder / "agen.yaml").write_text(config, "utf-8")
    world.sidecar.send_signal(signal.SIGHUP)
    await_true(world.sidecar, "the reload", lambda: read_version() != before, folder / "sidecar.log")


def encrypt(folder: Path, config: str) -> str:
    """Give the store of a configuration a key."""
    key = folder / "store.key"
    key.write_bytes(token_bytes(32))
    key.chmod(0o600)
    return config.replace('agen.db"}', f'agen.db", encryption_key_file: "{key}"}}')


@dataclass(frozen=True)
class People:
    """Those who decide, as the console lets them: by the same table, in the same store."""

    folder: Path

    async def decide(self, page: str, *, approves: bool = True, name: str = "lou") -> None:
        """Decide the request that a page is about."""
        loaded = load(self.folder / "agen.yaml", environ={})
        rules, now = build_approvals(loaded.config, b"k"), time()
        async with self._open(loaded) as approvals:
            request = await approvals.get(page.removeprefix(PAGE))
            assert request is not None
            binding, flow = request.binding, rules.flows[request.flow]
            owner = Owner(Issuer("https://id.example.com"), Subject(name))
            approver = Approver(owner, "", binding.tenant, frozenset({"lead"}), frozenset(), now)
            decided = vote(request, flow, approver, rules.terms, approves=approves, reason="", now=now)
            assert isinstance(decided, ApprovalRequest), decided
            told = tell(request, decided, flow, lambda: token_hex(16), now)
            assert await approvals.change(request, decided, told)

    async def list(self) -> Sequence[ApprovalRequest]:
        """List all requests, the newest first."""
        async with self._open(load(self.folder / "agen.yaml", environ={})) as approvals:
            return await approvals.list(Query())

    @asynccontextmanager
    async def _open(self, loaded: Any) -> AsyncIterator[SqlApprovals]:
        store = open_store(loaded.config.store.url, timeout_s=START_S)
        try:
            yield SqlApprovals(store, KeptCipher(loaded.secrets.store_key, token_bytes))
        finally:
            await store.close()


class Balanced(httpx2.AsyncHTTPTransport):
    """Sends what is for a port to another one, as a balancer does that keeps the `Host` header.

    Args:
        moved: from one port to the other; may be changed.
    """

    def __init__(self, moved: Mapping[int, int]) -> None:
        super().__init__()
        self._moved = moved

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url.copy_with(port=self._moved.get(request.url.port or 0, request.url.port))
        sent = httpx2.Request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        return await super().handle_async_request(sent)


@asynccontextmanager
async def connect(
    world: World, mode: str, *, opens: Any = None, moved: Mapping[int, int] = NOT_MOVED, **more: Any
) -> AsyncIterator[Client]:
    """Connect the official client.

    Args:
        opens: is called with each page that the server asks to open; None for a client that opens none.
        moved: as for `Balanced`.
        more: claims of the token.
    """
    headers = {"authorization": f"Bearer {world.one.mint(world.crm, **more)}"}

    async def elicit(context: Any, params: Any) -> ElicitResult | ErrorData:
        await opens(params.url)
        return ElicitResult(action="accept")

    async with (
        httpx2.AsyncClient(headers=headers, timeout=BOUND_S, transport=Balanced(moved)) as http,
        Client(
            streamable_http_client(world.crm, http_client=http),
            mode=mode,
            elicitation_callback=None if opens is None else elicit,
            input_required_max_rounds=2,
        ) as client,
    ):
        yield client


async def ask(world: World, mode: str, tool: str = "get_customer", arguments: Any = None, **more: Any) -> str:
    """Call as a client that opens no pages; return `allowed`, the page to open, or the Reason of the refusal.

    Args:
        more: as for `connect`.
    """
    async with connect(world, mode, **more) as client:
        try:
            result = await client.call_tool(tool, CUSTOMER if arguments is None else arguments)
        except MCPError as exc:
            return str(exc.data["reason"])
    text = "".join(getattr(each, "text", "") for each in result.content)
    page = _LINK.search(text)
    if page is not None:
        return page[0]
    return f"error: {text}" if result.is_error else "allowed"
