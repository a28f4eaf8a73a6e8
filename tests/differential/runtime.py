"""Parsers of other runtimes, each one process for all bodies of a run."""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.differential.normal import Reading, read_line
from tests.peers.installed import NODE

HERE = Path(__file__).resolve().parent
_LENGTH = struct.Struct(">I")
_STOP_S = 5.0


class Runtime:
    """One running parser: a body goes in, two readings come out."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None and process.stdout is not None
        self.name = name
        self._process = process
        self._stdin: IO[bytes] = process.stdin
        self._stdout: IO[bytes] = process.stdout

    def read(self, body: bytes) -> dict[str, Reading | None]:
        """Let the other runtime read one body."""
        self._stdin.write(_LENGTH.pack(len(body)) + body)
        self._stdin.flush()
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size))
        readings = read_line(self._take(length).decode("ascii"))
        return {f"{self.name}, {kind}": reading for kind, reading in readings.items()}

    def _take(self, length: int) -> bytes:
        taken = self._stdout.read(length)
        assert len(taken) == length, f"`{self.name}` ended with code {self._process.poll()}"
        return taken


def build_go(into: Path) -> list[str]:
    """Build the reader in Go, from the standard library only; no network is needed."""
    go = shutil.which("go")
    assert go is not None, "go is not installed: run tools/install-test-services"
    binary = into / "go-reader"
    environment = {
        "PATH": os.defpath,
        "HOME": str(into),
        "GOCACHE": str(into / "go-cache"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
    }
    subprocess.run([go, "build", "-o", str(binary), "."], cwd=HERE / "go", env=environment, check=True)
    return [str(binary)]


def find_node() -> list[str]:
    """Find the Node that tools/install-peers installed, or the machine's own."""
    node = str(NODE) if NODE.is_file() else shutil.which("node")
    assert node is not None, "node is not installed: run tools/install-peers"
    return [node, str(HERE / "reader.mjs")]


@contextmanager
def started(name: str, command: list[str]) -> Iterator[Runtime]:
    """Run one parser; it ends when its input does."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    runtime = Runtime(name, process)
    try:
        yield runtime
    finally:
        process.communicate(timeout=_STOP_S)
