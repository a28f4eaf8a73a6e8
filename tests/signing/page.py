"""The verifiers as docs/backend-signatures.md shows them, and backends that run them."""

import json
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.installed import NODE
from tests.signing.vectors import Vector
from tests.stage.compile import build_go
from tests.stage.port import HOST
from tests.stage.process import START_S
from tests.stage.talk import Talk, talking

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "backend-signatures.md"


def extract(language: str) -> str:
    """Take the one verifier in a language out of the page: the first of its blocks, the second shows its use."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2, f"{len(blocks)} blocks of `{language}`: one verifier and its use were expected"
    source: str = blocks[0]
    return source


def find_node() -> str:
    """Find the Node that tools/install-peers installed, or the machine's own."""
    node = str(NODE) if NODE.is_file() else shutil.which("node")
    assert node is not None, "node is not installed: run tools/install-test-services"
    return node


def build_node_backend(source: str, into: Path) -> list[str]:
    """Write a verifier down where the backend in Node finds it."""
    verifier = into / "verify.mjs"
    verifier.write_text(source, "utf-8")
    return [find_node(), str(HERE / "serve.mjs"), str(verifier)]


def build_go_backend(source: str, into: Path) -> list[str]:
    """Build a backend in Go around a verifier."""
    shutil.copytree(HERE / "go", into, dirs_exist_ok=True)
    (into / "agen").mkdir(exist_ok=True)
    (into / "agen" / "verify.go").write_text(source, "utf-8")
    build_go(into, into / "backend")
    return [str(into / "backend")]


class Backend:
    """A running backend, behind a verifier of the page."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._port = int(talk.read_line())

    def tell(self, **given: object) -> None:
        """Make a new verifier, or set its clock."""
        self._talk.say(json.dumps(given).encode() + b"\n")
        assert self._talk.read_line() == "ready"

    def ask(self, vector: Vector) -> str:
        """Send a vector's request to a new verifier, twice where it is to be the second; return the answer."""
        keys = {keyid: secret.hex() for keyid, secret in vector.keys.items()}
        self.tell(keys=keys, resource=vector.resource, now=vector.now)
        if vector.is_second:
            assert self.send(vector) == "accepted"
        return self.send(vector)

    def send(self, vector: Vector) -> str:
        """Send a request as bytes; return `accepted`, the check that refused it, or the status and what was said."""
        lines = [f"{vector.method} {vector.target} HTTP/1.1", *(f"{name}: {value}" for name, value in vector.headers)]
        if vector.body:
            lines.append(f"content-length: {len(vector.body)}")
        with socket.create_connection((HOST, self._port), timeout=START_S) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + vector.body)
            head, _, said = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
        status = head.split(b" ")[1].decode("ascii")
        if status == "403":
            return _dechunk(head, said)
        return "accepted" if status == "200" else f"{status} {said.decode('latin-1')}"


def _dechunk(head: bytes, said: bytes) -> str:
    if b"chunked" in head.lower():
        said = said.split(b"\r\n")[1]
    return said.decode("ascii")


@contextmanager
def running(command: list[str], log: Path) -> Iterator[Backend]:
    """Run a backend."""
    with talking(command, log) as talk:
        yield Backend(talk)
