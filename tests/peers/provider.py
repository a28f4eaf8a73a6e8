"""oidc-provider as a process: it issues tokens, rotates its keys, goes down and comes back with them."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.peers.installed import INSTALLED, ROOT, await_text, node_command, running_peer
from tests.stage.port import HOST, reserve_port
from tests.stage.process import Process

ROLE = "peer"
SCOPE = "mcp:tools"
_SCRIPT = ROOT / "tools" / "peers" / "provider.mjs"
_CREDENTIALS = {"client_id": "peer", "client_secret": "peer-only"}


@dataclass
class Provider:
    """One provider at one address, up or down."""

    folder: Path
    port: int
    _run: ExitStack = field(default_factory=ExitStack)
    _process: Process | None = None
    _rotations: int = 0

    @property
    def issuer(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def _out(self) -> Path:
        return self.folder / "provider.out"

    def go_up(self) -> None:
        """Start it, with the keys that it had."""
        command = node_command(_SCRIPT, str(self.port), str(self.folder / "provider-keys.json"))
        self._process, self._rotations = self._run.enter_context(running_peer(command, self._out, INSTALLED)), 0

    def go_down(self) -> None:
        """End it: nobody listens at its address."""
        self._run.close()

    def rotate(self) -> None:
        """Sign with a new key from now on; the older ones stay published."""
        assert self._process is not None
        self._rotations += 1
        self._process.send_signal(signal.SIGHUP)
        await_text(self._process, self._out, "rotated\n" * self._rotations)

    def issue(self, resource: str) -> str:
        """Get an access token for a resource."""
        form = {"grant_type": "client_credentials", "scope": SCOPE, "resource": resource, **_CREDENTIALS}
        answer = httpx.post(f"{self.issuer}/token", data=form, trust_env=False)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token


@contextmanager
def running_provider(folder: Path) -> Iterator[Provider]:
    """Run a provider on a free port."""
    provider = Provider(folder, reserve_port())
    provider.go_up()
    try:
        yield provider
    finally:
        provider.go_down()
