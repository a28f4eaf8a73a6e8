"""The verifiers as docs/backend-signatures.md shows them, and backends that run them."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.installed import NODE
from tests.signing.vectors import Vector

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "backend-signatures.md"
_BUILT = ROOT / "build" / "signing"
_TIMEOUT_S = 10.0


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


def build_node(source: str, into: Path) -> list[str]:
    """Write a verifier down where the backend in Node finds it."""
    verifier = into / "verify.mjs"
    verifier.write_text(source, "utf-8")
    return [find_node(), str(HERE / "serve.mjs"), str(verifier)]


def build_go(source: str, into: Path) -> list[str]:
    """Build a backend in Go around a verifier; no network is needed."""
    go = shutil.which("go")
    assert go is not None, "go is not installed: run tools/install-test-services"
    shutil.copytree(HERE / "go", into, dirs_exist_ok=True)
    (into / "agen").mkdir(exist_ok=True)
    (into / "agen" / "verify.go").write_text(source, "utf-8")
    environment = {
        "PATH": os.defpath,
        "HOME": str(into),
        "GOCACHE": str(_BUILT / "go-cache"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
    }
    subprocess.run([go, "vet", "./..."], cwd=into, env=environment, check=True)
    subprocess.run([go, "build", "-o", "backend", "."], cwd=into, env=environment, check=True)
    return [str(into / "backend")]


class Backend:
    """A running backend, behind a verifier of the page."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._port = int(self._read_line())

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the backend ended with code {self._process.wait(_TIMEOUT_S)}"
        return line.strip()

    def tell(self, **given: object) -> None:
        """Make a new verifier, or set its clock."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        assert self._read_line() == "ready"

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
        with socket.create_connection(("127.0.0.1", self._port), timeout=_TIMEOUT_S) as connection:
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
def running(command: list[str]) -> Iterator[Backend]:
    """Run a backend; it ends when its input does."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Backend(process)
    finally:
        process.communicate(timeout=_TIMEOUT_S)
