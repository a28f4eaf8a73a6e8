"""The console behind a real socket, its issuer, and people with browsers of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from agen_authz.adapters.jwks import JwksSource, OidcProvider, ProviderKeys
from agen_authz.console import ConsolePorts, ConsoleRules, ConsoleSettings, build_console
from agen_authz.core.model import Issuer
from agen_authz.demo.issuer import IssuerSettings, Sources, build_app, build_issuer
from agen_authz.demo.issuer.client import CONSOLE_CLIENT, DEMO_SECRET
from agen_authz.demo.listen import Site, authority_of, bind_loopback
from agen_authz.wire.approval_event import EventTerms
from tests import builders as build
from tests.approval_fakes import MemoryApprovals, MemorySessions
from tests.browser import scene
from tests.fakes import CountingMetrics, FakeClock, SeqEntropy
from tests.stage.listen import serving
from tests.stage.port import HOST

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
_SECONDS = 20.0


@dataclass
class Person:
    """Somebody with a browser; `page` is Playwright's, `complaints` what the browser had to say of our pages."""

    url: str
    context: Any
    page: Any
    complaints: list[str] = field(default_factory=list)

    def hear(self, said: Any) -> None:
        """Note what the browser complains of."""
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def open(self, place: str) -> None:
        """Open a page of the console."""
        self.page.goto(self.url + place)

    def log_in(self, role: str) -> None:
        """Log in on the issuer's page, which is shown now."""
        self.page.check(f"input[value={role}]")
        self.follow("button[value=log-in]")

    def follow(self, selector: str) -> None:
        """Click what leads to another page, and wait until it is there.

        A click alone ends before the next page begins: whoever looks at once may see the page before.
        """
        with self.page.expect_navigation():
            self.page.click(selector)

    def heading(self) -> str:
        """Read the heading of the page."""
        return " ".join(self.page.inner_text("h1").split())


@contextmanager
def browsing(chromium: Any, url: str, now: float | None = None, **options: Any) -> Iterator[Person]:
    """Open a browser for somebody.

    Args:
        url: of the console.
        now: what pages take for the time; None for the machine's clock.
        options: those of Playwright's contexts.
    """
    context = chromium.new_context(viewport=DESKTOP, **options)
    if now is not None:
        context.clock.set_fixed_time(now)
    context.set_default_timeout(_SECONDS * 1000)
    page = context.new_page()
    somebody = Person(url, context, page)
    page.on("console", somebody.hear)
    page.on("pageerror", lambda error: somebody.complaints.append(str(error)))
    try:
        yield somebody
    finally:
        context.close()


@dataclass
class Front:
    """A console that runs, and everything that it stands on."""

    url: str
    issuer_url: str
    clock: FakeClock
    approvals: MemoryApprovals
    sessions: MemorySessions
    chromium: Any
    lines: list[dict[str, Any]] = field(default_factory=list)
    pinned: list[tuple[str, str, str]] = field(default_factory=list)

    @contextmanager
    def person(self, role: str | None = None, to: str = "/", **options: Any) -> Iterator[Person]:
        """Let somebody open a browser, and log in where they are sent."""
        # The page counts with the clock that the console has.
        with browsing(self.chromium, self.url, self.clock.now(), **options) as somebody:
            if role is not None:
                somebody.open(to)
                somebody.log_in(role)
            yield somebody


@dataclass
class _Lived:
    """An application with something that must begin and end in its loop."""

    app: ASGIApp
    keys: JwksSource
    identity: OidcProvider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        await receive()
        await self.keys.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.keys.close()
        await self.identity.close()
        await send({"type": "lifespan.shutdown.complete"})


@contextmanager
def running_front(chromium: Any) -> Iterator[Front]:
    """Run an issuer, then a console that people sign in to with it."""
    clock = FakeClock(build.NOW)
    names, keys = count(1), count(1)
    sources = Sources(clock.now, lambda: f"drawn-{next(names)}", lambda: build.ec_key(f"front-{next(keys)}"))
    at_issuer, at_console = bind_loopback(HOST, 0), bind_loopback(HOST, 0)
    settings = IssuerSettings(port=0, resources=("http://127.0.0.1:10000/crm/mcp",))
    issuer = build_issuer(settings, authority_of(at_issuer), sources)
    front = Front(
        f"http://{authority_of(at_console)}", issuer.url, clock, MemoryApprovals(), MemorySessions(), chromium
    )
    scene.show(front.approvals, issuer.url)
    with serving(Site(build_app(issuer), at_issuer)), serving(Site(_build(front), at_console)):
        yield front


def _build(front: Front) -> ASGIApp:
    keys_at = ProviderKeys(
        name="demo",
        issuer=front.issuer_url,
        jwks_uri=None,
        allows_loopback_http=True,
        refresh_s=600.0,
        keep_stale_s=3600.0,
        cooldown_s=30.0,
        timeout_s=10.0,
    )
    keys = JwksSource((keys_at,), clock=front.clock, metrics=CountingMetrics())
    identity = OidcProvider(keys_at, (CONSOLE_CLIENT, DEMO_SECRET), clock=front.clock)
    app = build_console(ConsoleSettings(front.url, CONSOLE_CLIENT, 8 * 3600.0, b"c" * 32), _fill(front, keys, identity))
    return _Lived(app, keys, identity)


def _fill(front: Front, keys: JwksSource, identity: OidcProvider) -> ConsolePorts:
    rules = ConsoleRules(
        provider=build.provider(name="demo", issuer=Issuer(front.issuer_url)),
        flows={scene.FLOW.name: scene.FLOW},
        terms=scene.TERMS,
        event=EventTerms("v-1", b"e" * 32),
        policies=scene.POLICIES,
        pinning="enforce",
        unmapped={"crm": ("delete_customer",)},
    )
    catalogue, history, events = scene.make_catalogue(), scene.make_history(), scene.make_events(front.issuer_url)

    async def record(line: bytes) -> None:
        front.lines.append({"line": line.decode()})

    async def describe() -> dict[str, str]:
        return {
            "check": "ok",
            "keys of demo": "ok, 1 key",
            "store": "ok",
            "notifications": "17 wait, the oldest since 4 min",
        }

    async def list_events() -> list[bytes]:
        return events

    async def pin(server: str, name: str, digest: str, by: str) -> bool:
        front.pinned.append((server, name, by))
        return True

    return ConsolePorts(
        approvals=front.approvals,
        sessions=front.sessions,
        identity=identity,
        keys=keys,
        clock=front.clock,
        entropy=SeqEntropy(),
        rules=lambda: rules,
        record=record,
        metrics=CountingMetrics(),
        catalogue=lambda: catalogue,
        health=describe,
        events=list_events,
        history=lambda: history,
        pin=pin,
    )
