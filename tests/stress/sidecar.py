"""The sidecar as a separate process, next to one provider that the test controls; asked as Envoy asks."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx
from grpc import aio

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.servers.engine import CHECK_METHOD
from tests import builders as build
from tests.adapters.web import Web, running_web
from tests.stage.port import reserve_address
from tests.stage.process import BOUND_S, START_S, Process, end
from tests.stage.sidecar import COMMAND, await_sidecar, spawn_sidecar
from tests.stress.stand import unary

# What the provider publishes, under build.KID.
KEY = "sidecar"
CONFIG = """\
version: 1
server:
  authz: "unix://{folder}/authz.sock"
  proc: "unix://{folder}/proc.sock"
  ops: "{ops}"
  shutdown_grace: 1s
  check_timeout: {timeout}
  engine: {engine}
providers:
  - name: idp
    issuer: "{issuer}"
    insecure_issuer: true
    algorithms: [ES256]
    jwks: {{refresh: 1h, cooldown: 1ms, timeout: {fetch}}}
resources:
  - {{name: crm, url: "https://mcp.example.com/crm/mcp", providers: [idp], insecure_unsigned: true}}
unruled_sample: 0%
access:
  mapping: roles
  rules: [{{name: read, tools: ["crm/get_*"], allow: [{role}]}}]
store: {{{store}}}
limits: {{token_cache: {tokens}}}
audit: {audit}
"""


@dataclass(frozen=True)
class Told:
    """What a client is told; no Reason where the call is allowed."""

    is_allowed: bool
    status: int
    reason: str = ""
    retry_after: str = ""
    request_id: str = ""


@dataclass
class Plan:
    """How a sidecar is configured and started."""

    folder: Path
    engine: str = "native"
    timeout: str = "1s"
    role: str = "analyst"
    fetch: str = "10s"
    store: str = ""
    ops: str = ""
    issuer: str = ""
    tokens: str = "20000"
    audit: str = "{}"
    log_file: Path | None = None

    @property
    def config_file(self) -> Path:
        return self.folder / "agen.yaml"

    def write(self, **changes: str) -> Path:
        """Write the configuration, or the next one."""
        store = f'url: "sqlite:///{self.folder}/agen.db"'
        values = {"store": store, "folder": str(self.folder), **self.values(), **changes}
        self.config_file.write_text(CONFIG.format(**values), "utf-8")
        return self.config_file

    def values(self) -> dict[str, str]:
        named = ("engine", "timeout", "role", "fetch", "store", "ops", "issuer", "tokens", "audit")
        return {name: getattr(self, name) for name in named if getattr(self, name)}

    @property
    def log_path(self) -> Path:
        return self.log_file or self.folder / "sidecar.log"

    def log(self) -> str:
        """Read what the sidecar has logged."""
        return (self.folder / "sidecar.log").read_text("utf-8")


@dataclass
class Sidecar:
    """A sidecar that runs, its provider, and a connection to it."""

    plan: Plan
    web: Web
    process: Process
    channel: aio.Channel
    http: httpx.AsyncClient

    def token(self, key: str = KEY, kid: str = build.KID, **claims: Any) -> str:
        """Sign a token of the provider."""
        now = int(time.clock_gettime(time.CLOCK_REALTIME))
        written = build.claims(**{"iss": self.web.url, "exp": now + 300, "iat": now, **claims})
        return build.sign(written, key=build.ec_key(key), kid=kid)

    async def ask(self, token: str | None, **arguments: Any) -> Told:
        """Call a tool."""
        document = build.message(params={"name": "get_customer", "arguments": arguments})
        raw = build.check_request(build.headers_for(token, document), build.encode(document))
        return _read(await unary(self.channel, CHECK_METHOD)(raw, timeout=BOUND_S))

    async def policy_set(self) -> str:
        """Ask which policy set decides."""
        answer = await self.http.get(f"http://{self.plan.ops}/readyz")
        return str(answer.json()["parts"]["policy_set"])

    async def metrics(self) -> str:
        """Read what is counted."""
        return (await self.http.get(f"http://{self.plan.ops}/metrics")).text

    async def kill(self) -> None:
        """End it as the kernel does."""
        self.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self.process.wait, START_S)

    async def start_again(self, stdout: "IO[bytes] | int") -> None:
        """Start it on what the last one left; ready, and connected, on return."""
        self.process = start(self.plan, stdout)
        await ready(self)
        # The channel may have looked for the socket in between: until it tries again, its calls fail.
        async with asyncio.timeout(START_S):
            await self.channel.channel_ready()


def _read(raw: bytes) -> Told:
    response = pb.CheckResponse.FromString(raw)
    if response.WhichOneof("http_response") == "ok_response":
        headers = {option.header.key: option.header.value for option in response.ok_response.headers}
        return Told(True, 200, request_id=headers["agen-request-id"].strip('"'))
    denied = response.denied_response
    error = json.loads(denied.body or "{}").get("error", {}).get("data", {})
    headers = {option.header.key: option.header.value for option in denied.headers}
    status = int(denied.status.code)
    return Told(False, status, error.get("reason", ""), headers.get("retry-after", ""), error.get("request_id", ""))


def start(plan: Plan, stdout: "IO[bytes] | int") -> Process:
    """Start the sidecar on a configuration that is written already; its log is a file next to it."""
    return spawn_sidecar(plan.config_file, stdout, plan.log_path)


async def refused(plan: Plan) -> tuple[int, str]:
    """Start a sidecar that cannot start; return its exit status and what it says."""
    async with running_web() as web:
        web.publish(build.jwk(build.ec_key(KEY)))
        plan.issuer, plan.ops = web.url, reserve_address()
        ended = await asyncio.to_thread(
            subprocess.run, [*COMMAND, str(plan.write())], capture_output=True, check=False, timeout=START_S
        )
    return ended.returncode, ended.stderr.decode()


@asynccontextmanager
async def running(plan: Plan, stdout: "IO[bytes] | int") -> AsyncIterator[Sidecar]:
    """Run a provider and a sidecar that writes its events to `stdout`; ready on entry."""
    async with running_web() as web, httpx.AsyncClient(trust_env=False, timeout=START_S) as http:
        web.publish(build.jwk(build.ec_key(KEY)))
        plan.issuer, plan.ops = web.url, plan.ops or reserve_address()
        plan.write()
        async with aio.insecure_channel(f"unix:{plan.folder}/authz.sock") as channel:
            sidecar = Sidecar(plan, web, start(plan, stdout), channel, http)
            try:
                await ready(sidecar)
                yield sidecar
            finally:
                web.may_answer.set()
                await asyncio.to_thread(end, sidecar.process)


async def ready(sidecar: Sidecar) -> None:
    """Wait until calls are welcome."""
    plan = sidecar.plan
    await asyncio.to_thread(await_sidecar, sidecar.process, plan.ops, plan.log_path)


def events(file: Path) -> list[dict[str, Any]]:
    """Read every event that is in a file."""
    return [json.loads(line) for line in file.read_bytes().splitlines()]
