"""Resources, prompts and completion of the everything server."""

import json
import re
from collections.abc import Callable, Mapping

import mcp.types as mcp
from mcp import MCPError

from tests.peers.everything_questions import elicit, missing
from tests.peers.everything_tools import PNG, Asked, embed, image

_INVALID_PARAMS = -32602
_TEMPLATED = re.compile(r"test://template/([^/]+)/data")

RESOURCES = mcp.ListResourcesResult(
    resources=[
        mcp.Resource(uri="test://static-text", name="text", description="A text", mime_type="text/plain"),
        mcp.Resource(uri="test://static-binary", name="binary", description="A pixel", mime_type="image/png"),
        mcp.Resource(uri="test://watched-resource", name="watched", description="May change", mime_type="text/plain"),
    ]
)
TEMPLATES = mcp.ListResourceTemplatesResult(
    resource_templates=[
        mcp.ResourceTemplate(
            uri_template="test://template/{id}/data",
            name="templated",
            description="Made from its URI",
            mime_type="application/json",
        )
    ]
)
_STATIC: Mapping[str, mcp.TextResourceContents | mcp.BlobResourceContents] = {
    "test://static-text": mcp.TextResourceContents(
        uri="test://static-text", mime_type="text/plain", text="This is the content of the static text resource."
    ),
    "test://static-binary": mcp.BlobResourceContents(uri="test://static-binary", mime_type="image/png", blob=PNG),
    "test://watched-resource": mcp.TextResourceContents(
        uri="test://watched-resource", mime_type="text/plain", text="unchanged"
    ),
}


async def read(_asked: Asked, params: mcp.ReadResourceRequestParams) -> mcp.ReadResourceResult:
    """Read a resource, or one of the template's."""
    uri = str(params.uri)
    if templated := _TEMPLATED.fullmatch(uri):
        name = templated[1]
        text = json.dumps({"id": name, "templateTest": True, "data": f"Data for ID: {name}"})
        return mcp.ReadResourceResult(
            contents=[mcp.TextResourceContents(uri=uri, mime_type="application/json", text=text)]
        )
    if uri not in _STATIC:
        raise MCPError(_INVALID_PARAMS, "resource not found", {"uri": uri})
    return mcp.ReadResourceResult(contents=[_STATIC[uri]])


# ---- prompts -------------------------------------------------------------------------------------------


def _prompt(name: str, *arguments: str) -> mcp.Prompt:
    taken = [mcp.PromptArgument(name=argument, description="Any text", required=True) for argument in arguments]
    return mcp.Prompt(name=name, description="For the suite", arguments=taken)


_ASKING = "test_input_required_result_prompt"
_QUESTION: mcp.InputRequests = {
    "user_context": elicit(
        "What context should the prompt use?",
        {"type": "object", "properties": {"context": {"type": "string"}}, "required": ["context"]},
    )
}
PROMPTS = mcp.ListPromptsResult(
    prompts=[
        _prompt("test_simple_prompt"),
        _prompt("test_prompt_with_arguments", "arg1", "arg2"),
        _prompt("test_prompt_with_embedded_resource", "resourceUri"),
        _prompt("test_prompt_with_image"),
        _prompt(_ASKING),
    ]
)


def _text(text: str) -> mcp.TextContent:
    return mcp.TextContent(text=text)


_WRITTEN: Mapping[str, Callable[[Mapping[str, str]], list[mcp.ContentBlock]]] = {
    "test_simple_prompt": lambda _: [_text("This is a simple prompt for testing.")],
    "test_prompt_with_arguments": lambda given: [
        _text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")
    ],
    "test_prompt_with_embedded_resource": lambda given: [
        embed(given["resourceUri"], "text/plain", "Embedded resource content for testing."),
        _text("Please process the embedded resource above."),
    ],
    "test_prompt_with_image": lambda _: [image(), _text("Please analyze the image above.")],
    _ASKING: lambda _: [_text("A prompt in the context that was given.")],
}


async def get_prompt(
    _asked: Asked, params: mcp.GetPromptRequestParams
) -> mcp.GetPromptResult | mcp.InputRequiredResult:
    """Write a prompt."""
    write = _WRITTEN.get(params.name)
    if write is None:
        raise MCPError(_INVALID_PARAMS, f"unknown prompt `{params.name}`")
    if params.name == _ASKING and missing(params.input_responses, _QUESTION):
        return mcp.InputRequiredResult(input_requests=_QUESTION)
    messages = [mcp.PromptMessage(role="user", content=content) for content in write(params.arguments or {})]
    return mcp.GetPromptResult(messages=messages)


async def complete(_asked: Asked, params: mcp.CompleteRequestParams) -> mcp.CompleteResult:
    """Complete an argument by one of three cities."""
    found = [name for name in ("paris", "park", "party") if name.startswith(params.argument.value)]
    return mcp.CompleteResult(completion=mcp.Completion(values=found, total=len(found), has_more=False))
