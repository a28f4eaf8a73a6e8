"""Serves the page's FastMCP example, in the environment that has FastMCP: `serve_fastmcp.py KEYS`; prints its URL."""

import re
import socket
import sys
from pathlib import Path

import uvicorn

PAGE = Path(__file__).resolve().parents[2] / "docs" / "backend-signatures.md"


def main(keys: str) -> None:
    """Run the example on a free loopback port until it is ended."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (example,) = [block for block in blocks if "FastMCP" in block]
    space = {"__name__": "page"}
    exec(compile(example.replace("/etc/agen/keys", keys), "page", "exec"), space)  # noqa: S102 it is our own page
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/crm/mcp", flush=True)  # noqa: T201 it is read by the test
    uvicorn.Server(uvicorn.Config(space["app"], log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
