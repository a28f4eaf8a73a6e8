"""What tools/install-peers installed, and processes of it that end with their test."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
INSTALLED = ROOT / "build" / "peers"
NODE = INSTALLED / "node_modules" / "node" / "bin" / "node"
SUITE = INSTALLED / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
_START_S = 60.0
_STOP_S = 5.0
_POLL_S = 0.05


@contextmanager
def running(command: Sequence[str], out: Path, cwd: Path = ROOT) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process that prints a line once it listens; it is ended on exit."""
    with out.open("wb") as stdout, out.with_suffix(".err").open("wb") as stderr:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=cwd)
    try:
        await_text(process, out, "\n")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_text(process: "subprocess.Popen[bytes]", out: Path, text: str) -> None:
    """Wait until a process has printed `text`."""
    deadline = time.monotonic() + _START_S
    while text not in out.read_text("utf-8"):
        said = out.with_suffix(".err").read_text("utf-8", "replace")[-2000:]
        assert process.poll() is None, f"`{out.name}` ended with code {process.returncode}: {said}"
        assert time.monotonic() < deadline, f"`{out.name}` did not print {text!r}: {said}"
        time.sleep(_POLL_S)


def node_command(script: Path, *arguments: str) -> list[str]:
    """Write the command that runs a script on the Node that was installed."""
    assert NODE.is_file(), "the peers are not installed: run tools/install-peers"
    return [str(NODE), str(script), *arguments]
