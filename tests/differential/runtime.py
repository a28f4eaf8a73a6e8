"""Parsers of other runtimes, each one process for all bodies of a run."""

import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.differential.normal import Reading, read_line
from tests.peers.installed import NODE
from tests.stage.compile import build_go
from tests.stage.talk import Talk, talking

HERE = Path(__file__).resolve().parent
_LENGTH = struct.Struct(">I")


class Runtime:
    """One running parser: a body goes in, two readings come out."""

    def __init__(self, name: str, talk: Talk) -> None:
        self.name = name
        self._talk = talk

    def read(self, body: bytes) -> dict[str, Reading | None]:
        """Let the other runtime read one body."""
        self._talk.say(_LENGTH.pack(len(body)) + body)
        (length,) = _LENGTH.unpack(self._talk.read(_LENGTH.size))
        readings = read_line(self._talk.read(length).decode("ascii"))
        return {f"{self.name}, {kind}": reading for kind, reading in readings.items()}


def build_reader(into: Path) -> list[str]:
    """Build the reader in Go."""
    binary = into / "go-reader"
    build_go(HERE / "go", binary)
    return [str(binary)]


def find_node() -> list[str]:
    """Find the Node that tools/install-peers installed, or the machine's own."""
    node = str(NODE) if NODE.is_file() else shutil.which("node")
    assert node is not None, "node is not installed: run tools/install-peers"
    return [node, str(HERE / "reader.mjs")]


@contextmanager
def started(name: str, command: list[str], into: Path) -> Iterator[Runtime]:
    """Run one parser; its log is in a folder."""
    with talking(command, into / f"{name}.log") as talk:
        yield Runtime(name, talk)
