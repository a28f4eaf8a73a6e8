"""The console under one configuration: built by a worker when it starts and at every reload, and swapped as a whole."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from agen_authz.adapters.clock import SystemClock, SystemEntropy
from agen_authz.adapters.jwks import JwksSource, OidcProvider
from agen_authz.adapters.metrics import PrometheusMetrics
from agen_authz.app.state import OpenStore
from agen_authz.app.worker.keys import list_provider_keys
from agen_authz.build.console import build_console_rules
from agen_authz.build.ruleset import build_provider
from agen_authz.catalogue import CurrentCatalogue
from agen_authz.config import Loaded, read_proxies
from agen_authz.config.sections.console import Console
from agen_authz.console import ConsolePorts, ConsoleRules, ConsoleSettings, build_console
from agen_authz.console.history import History
from agen_authz.core.model import Digest
from agen_authz.core.pinning.catalogue import list_unmapped
from agen_authz.core.ruleset import RuleSet
from agen_authz.ports import AuditSink

# Events of people are one owner of the audit sink: they take no places of callers.
_OWNER = "console"
_ASK_S = 2.0


@dataclass(frozen=True, slots=True)
class ConsoleMeans:
    """What stays while the worker runs.

    Args:
        events: `ConsolePorts.events`.
    """

    state: OpenStore
    catalogue: CurrentCatalogue
    metrics: PrometheusMetrics
    sink: AuditSink
    metadata_key: bytes
    events: Callable[[], Awaitable[Sequence[bytes] | None]]
    history: History = field(default_factory=History)
    clock: SystemClock = field(default_factory=SystemClock)
    entropy: SystemEntropy = field(default_factory=SystemEntropy)

    async def record(self, line: bytes) -> None:
        """Write one event; `ConsolePorts.record`."""
        await self.sink.emit_in_turn(line, _OWNER)

    async def pin(self, server: str, name: str, digest: Digest, by: str) -> bool:
        """Approve a definition, and show it; `ConsolePorts.pin`."""
        is_done = await self.state.catalogue.approve(server, name, digest, by, self.clock.now())
        await self.catalogue.refresh()
        return is_done


@dataclass(frozen=True, slots=True)
class Pages:
    """What serves people, and what asks the provider for it; build it with `open_pages`."""

    app: ASGIApp
    keys: JwksSource
    identity: OidcProvider

    async def close(self) -> None:
        """End what asks the provider."""
        await self.keys.close()
        await self.identity.close()


@dataclass(slots=True)
class Front:
    """The application that the server has: the pages of now."""

    pages: Pages | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a request keeps the pages that it began with."""
        if self.pages is not None:
            await self.pages.app(scope, receive, send)


async def open_pages(loaded: Loaded, console: Console, rules: RuleSet, means: ConsoleMeans) -> Pages:
    """Build the console, and fetch its provider's keys; a provider that is down does not stop this."""
    settings = next(each for each in list_provider_keys(loaded) if each.name == console.provider)
    proxies = read_proxies()
    keys = JwksSource((settings,), clock=means.clock, metrics=means.metrics, proxies=proxies)
    secret = (loaded.secrets.console_secret or b"").decode("utf-8")
    identity = OidcProvider(settings, (console.client_id, secret), clock=means.clock, proxies=proxies)
    ports = ConsolePorts(
        approvals=means.state.approvals,
        sessions=means.state.sessions,
        identity=identity,
        keys=keys,
        clock=means.clock,
        entropy=means.entropy,
        rules=_Rules(loaded, console, rules, means.catalogue).read,
        record=means.record,
        metrics=means.metrics,
        catalogue=lambda: means.catalogue.snapshot,
        health=Supervisor(loaded.config.server.ops).read_health,
        events=means.events,
        history=lambda: means.history,
        pin=None if loaded.config.tools.pinning == "off" else means.pin,
    )
    app = build_console(
        ConsoleSettings(
            base_url=loaded.config.approvals.base_url or "",
            client_id=console.client_id,
            session_s=console.session,
            key=means.state.digest_key,
        ),
        ports,
    )
    await keys.start()
    return Pages(app, keys, identity)


class _Rules:
    """Builds what the console decides by, again if the catalogue has changed: unmapped tools are found in it."""

    def __init__(self, loaded: Loaded, console: Console, rules: RuleSet, catalogue: CurrentCatalogue) -> None:
        self._config, self._rules, self._catalogue = loaded.config, rules, catalogue
        self._provider = next(build_provider(each) for each in loaded.config.providers if each.name == console.provider)
        self._built: tuple[object, ConsoleRules] | None = None

    def read(self) -> ConsoleRules:
        snapshot = self._catalogue.snapshot
        if self._built is None or self._built[0] is not snapshot:
            servers = self._rules.resources
            unmapped = {each: tuple(list_unmapped(snapshot, self._rules.access, each)) for each in servers}
            self._built = snapshot, build_console_rules(self._config, self._rules, self._provider, unmapped)
        return self._built[1]


class Supervisor:
    """Asks the supervisor, at the address where platforms and Prometheus ask it too."""

    def __init__(self, ops: str) -> None:
        host, _, port = ops.rpartition(":")
        self._url = f"http://{_LOCAL.get(host, host)}:{port}"

    async def read_health(self) -> dict[str, str]:
        """Read the state of each part."""
        try:
            parts = (await self._get("/readyz")).json().get("parts", {})
        except (httpx.HTTPError, ValueError):
            return {"supervisor": "does not answer"}
        return {str(name): str(said) for name, said in parts.items()}

    async def read_metrics(self) -> str | None:
        """Read what all workers have counted; None if there is no answer."""
        try:
            return (await self._get("/metrics")).text
        except httpx.HTTPError:
            return None

    async def _get(self, place: str) -> httpx.Response:
        async with httpx.AsyncClient(timeout=_ASK_S, trust_env=False) as client:
            return await client.get(self._url + place)


# All addresses are reached on loopback, where everything is shown.
_LOCAL = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 nothing is bound here
