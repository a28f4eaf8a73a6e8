"""An MCP server of everything that the official suite asks for, on the official SDK; run with `python -m`."""

import warnings
from typing import Any

import mcp.types as mcp
from mcp import MCPError
from mcp.server.lowlevel import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from starlette.types import ASGIApp

from agen_authz.demo.listen import Site, authority_of, bind_loopback, run_sites
from tests.peers.everything_content import PROMPTS, RESOURCES, TEMPLATES, complete, get_prompt, read
from tests.peers.everything_questions import IN_ROUNDS, ON_THE_STREAM
from tests.peers.everything_tools import PLAIN, Asked, Result, triggers

MCP_PATH = "/mcp"
_NAME = "agen-everything"
_INVALID_PARAMS = -32602
_RETRY_MS = 100


class Events(EventStore):
    """Keeps every event of every stream, for clients that come back."""

    def __init__(self) -> None:
        self._events: list[tuple[str, mcp.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: mcp.JSONRPCMessage | None) -> str:
        """Keep an event and name it."""
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        """Send what came after an event on its stream."""
        position = int(last_event_id)
        stream_id = self._events[position - 1][0]
        for index, (stream, message) in enumerate(self._events[position:], position + 1):
            if stream == stream_id and message is not None:
                await send_callback(EventMessage(message, str(index)))
        return stream_id


def build_everything() -> Server[Any]:
    """Build the server."""
    bus = InMemorySubscriptionBus()
    offers = {**PLAIN, **ON_THE_STREAM, **IN_ROUNDS, **triggers(bus)}
    listed = mcp.ListToolsResult(
        tools=[
            mcp.Tool(name=name, description=f"`{name}` of the suite", input_schema=dict(offer.schema))
            for name, offer in offers.items()
        ]
    )

    async def call_tool(asked: Asked, params: mcp.CallToolRequestParams) -> Result:
        if params.name not in offers:
            raise MCPError(_INVALID_PARAMS, f"unknown tool `{params.name}`")
        return await offers[params.name].work(asked, params)

    async def empty(_asked: Asked, _params: Any) -> mcp.EmptyResult:
        return mcp.EmptyResult()

    def always(result: Any) -> Any:
        async def answer(_asked: Asked, _params: Any) -> Any:
            return result

        return answer

    server: Server[Any] = Server(
        _NAME,
        version="1.0.0",
        get_tool_input_schema=lambda name: offers[name].schema if name in offers else None,
        on_list_tools=always(listed),
        on_call_tool=call_tool,
        on_list_resources=always(RESOURCES),
        on_list_resource_templates=always(TEMPLATES),
        on_read_resource=read,
        on_subscribe_resource=empty,
        on_unsubscribe_resource=empty,
        on_subscriptions_listen=ListenHandler(bus),
        on_list_prompts=always(PROMPTS),
        on_get_prompt=get_prompt,
        on_completion=complete,
        on_set_logging_level=empty,
    )
    server.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=_NAME))
    return server


def build_app(server: Server[Any]) -> ASGIApp:
    """Serve it over HTTP, with sessions that can be resumed and the SDK's own protection against rebinding."""
    return server.streamable_http_app(streamable_http_path=MCP_PATH, event_store=Events(), retry_interval=_RETRY_MS)


def main() -> None:
    """Serve on a free loopback port, and print where."""
    # Sampling and logging are on their way out, and exactly what the suite asks for.
    warnings.simplefilter("ignore")
    listener = bind_loopback("127.0.0.1", 0)
    run_sites([Site(build_app(build_everything()), listener)], authority_of(listener))


if __name__ == "__main__":
    main()
