"""Tools of the everything server that answer in one round: content of every kind, progress, logging, errors."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import mcp.types as mcp
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, PromptsListChanged, ToolsListChanged

Result: TypeAlias = mcp.CallToolResult | mcp.InputRequiredResult
Asked: TypeAlias = ServerRequestContext[Any, Any]
Work: TypeAlias = Callable[[Asked, mcp.CallToolRequestParams], Awaitable[Result]]

# One red pixel as PNG, and an empty WAV.
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA="
NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}}
_PAUSE_S = 0.05
_MISSING_CAPABILITY = -32021


@dataclass(frozen=True, slots=True)
class Offer:
    """One tool: what it takes, and what it does."""

    work: Work
    schema: Mapping[str, Any] = field(default_factory=lambda: NO_ARGUMENTS)


def say(text: str) -> mcp.CallToolResult:
    """Answer with one text."""
    return show(mcp.TextContent(text=text))


def show(*content: mcp.ContentBlock) -> mcp.CallToolResult:
    """Answer with content."""
    return mcp.CallToolResult(content=list(content))


def always(result: mcp.CallToolResult) -> Offer:
    """Offer a tool that answers the same every time."""

    async def work(_asked: Asked, _params: mcp.CallToolRequestParams) -> Result:
        return result

    return Offer(work)


def embed(uri: str, mime_type: str, text: str) -> mcp.EmbeddedResource:
    """Embed a text resource."""
    return mcp.EmbeddedResource(resource=mcp.TextResourceContents(uri=uri, mime_type=mime_type, text=text))


def image() -> mcp.ImageContent:
    """Show the red pixel."""
    return mcp.ImageContent(data=PNG, mime_type="image/png")


async def _log(asked: Asked, _params: mcp.CallToolRequestParams) -> Result:
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await asked.session.send_log_message("info", text, related_request_id=asked.request_id)
        await asyncio.sleep(_PAUSE_S)
    return say("logged three times")


async def _progress(asked: Asked, _params: mcp.CallToolRequestParams) -> Result:
    for done in (0, 50, 100):
        await asked.session.report_progress(done, 100)
        await asyncio.sleep(_PAUSE_S)
    return say("went from 0 to 100")


async def _need_sampling(asked: Asked, _params: mcp.CallToolRequestParams) -> Result:
    capabilities = asked.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        required: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(_MISSING_CAPABILITY, "the client must declare `sampling`", required)
    return say("the client can sample")


async def _reconnect(asked: Asked, _params: mcp.CallToolRequestParams) -> Result:
    """Close the stream in the middle: the answer waits for whoever comes back with the last event's id."""
    if asked.close_sse_stream is not None:
        await asked.close_sse_stream()
    await asyncio.sleep(_PAUSE_S)
    return say("answered after the stream was closed")


async def _touch(asked: Asked, params: mcp.CallToolRequestParams) -> Result:
    """Tell the client that a resource changed, on the stream that it listens to."""
    await asked.session.send_resource_updated(str((params.arguments or {})["uri"]))
    return say("told that the resource changed")


async def _echo(_asked: Asked, params: mcp.CallToolRequestParams) -> Result:
    return say(str(params.arguments))


_MIXED = show(
    mcp.TextContent(text="Multiple content types test:"),
    image(),
    embed("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
)
_FAILURE = mcp.CallToolResult(content=[mcp.TextContent(text="this tool always fails")], is_error=True)

# Every keyword that the suite looks for: a server must hand it on as it is.
_RICH_SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
_MIRRORED: Mapping[str, Any] = {
    "type": "object",
    "properties": {"region": {"type": "string", "x-mcp-header": "Region"}, "query": {"type": "string"}},
    "required": ["region"],
}

PLAIN: Mapping[str, Offer] = {
    "test_simple_text": always(say("This is a simple text response for testing.")),
    "test_image_content": always(show(image())),
    "test_audio_content": always(show(mcp.AudioContent(data=WAV, mime_type="audio/wav"))),
    "test_embedded_resource": always(
        show(embed("test://embedded-resource", "text/plain", "This is an embedded resource content."))
    ),
    "test_multiple_content_types": always(_MIXED),
    "test_error_handling": always(_FAILURE),
    "test_tool_with_logging": Offer(_log),
    "test_logging_tool": Offer(_log),
    "test_tool_with_progress": Offer(_progress),
    "test_missing_capability": Offer(_need_sampling),
    "test_reconnection": Offer(_reconnect),
    "touch_resource": Offer(_touch, {"type": "object", "properties": {"uri": {"type": "string"}}, "required": ["uri"]}),
    "json_schema_2020_12_tool": Offer(_echo, _RICH_SCHEMA),
    "test_mirrored_argument": Offer(_echo, _MIRRORED),
}


def triggers(bus: InMemorySubscriptionBus) -> Mapping[str, Offer]:
    """Offer the tools that tell subscribers of a change."""

    async def change_tools(_asked: Asked, _params: mcp.CallToolRequestParams) -> Result:
        await bus.publish(ToolsListChanged())
        return say("told that tools changed")

    async def change_prompts(_asked: Asked, _params: mcp.CallToolRequestParams) -> Result:
        await bus.publish(PromptsListChanged())
        return say("told that prompts changed")

    return {"test_trigger_tool_change": Offer(change_tools), "test_trigger_prompt_change": Offer(change_prompts)}
