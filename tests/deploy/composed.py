"""What deploy/compose starts, as processes on free ports of loopback: its files, with other ports and other folders."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from agen_authz.demo.wire import call_body, call_headers
from agen_authz.envoy.binary import find_binary
from agen_authz.envoy.model import TcpAddress
from agen_authz.envoy.run import Launch, run_envoy
from tests.peers.installed import INSTALLED, ROOT, node_command, running_peer
from tests.stage.port import HOST, reserve_port
from tests.stage.process import START_S, end
from tests.stage.sidecar import start_sidecar

COMPOSE = ROOT / "deploy" / "compose"
# The ports that its files name, which are the defaults of the sidecar too.
PORTS = (10000, 10001, 10002, 9191, 9192, 9464)
# Where Envoy listens in its container; here it listens on loopback.
EVERYWHERE = "0.0.0.0"  # noqa: S104 - it is replaced, nothing listens there
_BACKEND = ("-m", "agen_authz.demo.backend")


@dataclass(frozen=True)
class Composed:
    """The whole, running: where callers go, and where they get their tokens."""

    url: str
    issuer: str
    web: httpx.Client

    def issue(self, name: str) -> str:
        """Get a token as a program, with its name and secret."""
        form = {"grant_type": "client_credentials", "scope": "mcp:tools", "resource": self.url}
        answer = self.web.post(f"{self.issuer}/token", data=form, auth=(name, f"{name}-demo"))
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def call(self, token: str | None, tool: str, arguments: dict[str, object]) -> httpx.Response:
        """Call a tool through Envoy."""
        return self.web.post(self.url, json=call_body(tool, arguments), headers=call_headers(tool, token))


@contextmanager
def running_compose(folder: Path) -> Iterator[Composed]:
    """Run what compose.yaml names, in its order, on its files; Envoy comes from the package of the demo."""
    ports = {port: reserve_port() for port in PORTS}
    front, issuing, serving = ports[10000], ports[10001], ports[10002]
    config = _write(folder, "agen.yaml", ports, _addresses(ports))
    bootstrap = _write(folder, "envoy.yaml", ports)
    key = folder / "keys" / "crm" / "crm-1"
    subprocess.run([sys.executable, str(COMPOSE / "make_key.py"), str(key)], check=True)
    backend = [sys.executable, *_BACKEND, "--crm", str(serving), "--crm-keys", str(key.parent)]
    with ExitStack() as stack:
        stack.enter_context(running_peer(_provider(folder, issuing), folder / "idp.out", folder))
        stack.enter_context(running_peer(backend, folder / "crm.out"))
        with (folder / "audit.jsonl").open("ab") as events:
            stack.callback(end, start_sidecar(config, f"{HOST}:{ports[9464]}", events))
        binary = find_binary()
        assert isinstance(binary, Path), binary
        log = folder / "envoy.log"
        stack.enter_context(run_envoy(Launch(binary, bootstrap, TcpAddress(HOST, front), log, start_timeout_s=START_S)))
        web = stack.enter_context(httpx.Client(trust_env=False, timeout=START_S))
        yield Composed(f"http://{HOST}:{front}/crm/mcp", f"http://{HOST}:{issuing}", web)


def _provider(folder: Path, port: int) -> list[str]:
    # Node looks for packages next to the script.
    (folder / "node_modules").symlink_to(INSTALLED / "node_modules")
    script = Path(shutil.copy(COMPOSE / "idp" / "provider.mjs", folder))
    return node_command(script, str(port))


def _write(folder: Path, name: str, ports: dict[int, int], more: str = "") -> Path:
    text = (COMPOSE / name).read_text("utf-8") + more
    text = re.sub("|".join(map(str, ports)), lambda found: str(ports[int(found[0])]), text)
    text = text.replace("/run/keys", f"{folder}/keys").replace("/var/lib/agen", str(folder))
    file = folder / name
    file.write_text(text.replace(EVERYWHERE, HOST), "utf-8")
    return file


def _addresses(ports: dict[int, int]) -> str:
    authz, proc, ops = (f"{HOST}:{ports[port]}" for port in (9191, 9192, 9464))
    return f"server: {{authz: '{authz}', proc: '{proc}', ops: '{ops}', shutdown_grace: 1s}}\n"
