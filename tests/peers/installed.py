"""What tools/install-peers installed, and processes of it that end with their test."""

from contextlib import AbstractContextManager
from pathlib import Path

from tests.stage.process import Process, await_true, running

ROOT = Path(__file__).resolve().parent.parent.parent
INSTALLED = ROOT / "build" / "peers"
NODE = INSTALLED / "node_modules" / "node" / "bin" / "node"
EVERYTHING = INSTALLED / "node_modules" / "@modelcontextprotocol" / "server-everything" / "dist" / "index.js"
SUITE = INSTALLED / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"


def running_peer(command: list[str], out: Path, cwd: Path = ROOT) -> AbstractContextManager[Process]:
    """Run a process that prints a line once it listens; it is ended on exit."""
    out.write_bytes(b"")
    return running(command, out.with_suffix(".err"), lambda: "\n" in out.read_text("utf-8"), out, cwd=cwd)


def await_text(process: Process, out: Path, text: str) -> None:
    """Wait until a process has printed `text`."""
    await_true(process, f"`{out.name}`", lambda: text in out.read_text("utf-8"), out.with_suffix(".err"))


def node_command(script: Path, *arguments: str) -> list[str]:
    """Write the command that runs a script on the Node that was installed."""
    assert NODE.is_file(), "the peers are not installed: run tools/install-peers"
    return [str(NODE), str(script), *arguments]
