"""MCP servers whose tools can be reworded while they run: a file for each tool, so that a demo shows a change."""

from pathlib import Path

from mcp.server.mcpserver import MCPServer
from mcp.types import Tool

_MAX_CHARS = 4000


class DescribedServer(MCPServer):
    """An MCP server that reads descriptions from files, if it is given a folder; it is read at every list."""

    descriptions: Path | None = None

    async def list_tools(self) -> list[Tool]:
        """List the tools; what `NAME.txt` in the folder holds is the description of the tool NAME."""
        return [_describe(tool, self.descriptions) for tool in await super().list_tools()]


def _describe(tool: Tool, folder: Path | None) -> Tool:
    file = None if folder is None else folder / f"{tool.name}.txt"
    if file is None or not file.is_file():
        return tool
    return tool.model_copy(update={"description": file.read_text("utf-8", "replace")[:_MAX_CHARS].rstrip("\n")})
