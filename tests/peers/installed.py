"""What tools/install-peers installed, and processes of it that end with their test."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.stage.process import Process, await_true, end

ROOT = Path(__file__).resolve().parent.parent.parent
INSTALLED = ROOT / "build" / "peers"
NODE = INSTALLED / "node_modules" / "node" / "bin" / "node"
SUITE = INSTALLED / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"


@contextmanager
def running(command: Sequence[str], out: Path, cwd: Path = ROOT) -> Iterator[Process]:
    """Run a process that prints a line once it listens; it is ended on exit."""
    with out.open("wb") as stdout, out.with_suffix(".err").open("wb") as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=cwd)
    try:
        await_text(process, out, "\n")
        yield process
    finally:
        end(process)


def await_text(process: Process, out: Path, text: str) -> None:
    """Wait until a process has printed `text`."""
    await_true(process, f"`{out.name}`", lambda: text in out.read_text("utf-8"), out.with_suffix(".err"))


def node_command(script: Path, *arguments: str) -> list[str]:
    """Write the command that runs a script on the Node that was installed."""
    assert NODE.is_file(), "the peers are not installed: run tools/install-peers"
    return [str(NODE), str(script), *arguments]
