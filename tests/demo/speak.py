"""What tests read off the official client's results."""

from typing import Any


def text_of(result: Any) -> str:
    """Read the first text of a tool's result, a prompt or a resource."""
    if hasattr(result, "contents"):
        return str(result.contents[0].text)
    return str(result.messages[0].content.text if hasattr(result, "messages") else result.content[0].text)


def hints_of(tools: Any) -> dict[str, dict[str, Any]]:
    """Read the annotations of every tool."""
    return {tool.name: tool.annotations.model_dump(by_alias=True, exclude_none=True) for tool in tools}
