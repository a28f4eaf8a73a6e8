"""A sidecar with its own console and an issuer to sign in at; people decide there with a browser or from a terminal."""

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx2

from agen_authz.demo.issuer.client import CONSOLE_CLIENT, DEMO_SECRET
from tests.e2e.approved import NOT_MOVED, Balanced, encrypt
from tests.stage.dialogue import Dialogue
from tests.stage.port import HOST, is_listening, reserve_port
from tests.stage.process import BOUND_S, Process, await_true
from tests.stage.world import World, running_world

# Roles are those of the demo's people, who are of one tenant.
SECTIONS = """\
approvals:
  base_url: {console}
  flows:
    - {{name: one, steps: [{{name: accounts, approvers: {{roles: [finance]}}}}], timeout: 1h}}
    - name: two
      steps: [{{name: accounts, approvers: {{roles: [finance]}}}}, {{name: platform, approvers: {{roles: [admin]}}}}]
      timeout: 1h
policies:
  - {{name: deals, state: enforce, tools: ["crm/get_deal"], then: require_approval, flow: one}}
  - {{name: customers, state: enforce, tools: ["crm/get_customer"], then: require_approval, flow: two}}
console: {{provider: one, client_id: {client}, client_secret_file: "{secret}"}}
limits: {{store_timeout: {call_s:g}s}}
"""
# A machine that is busy makes calls slow; neither the store nor the issuer is said to be unavailable.
CALL_S = 60.0
DEAL = {"deal_id": "d-2001"}
_INPUT = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">')


@dataclass
class Decided:
    """Everything that runs, with the address that browsers are sent to."""

    world: World
    console: str
    folder: Path

    def list_votes(self) -> list[tuple[str, str, str]]:
        """List what people decided, as events tell it: the word, the subject of the approver, the request."""
        told = [each["approval"] for each in self.world.events() if each["decision"] == "approval"]
        return [(each["event"], each["approver"]["subject"], each["id"]) for each in told if "approver" in each]


@contextmanager
def running_decided(folder: Path, changed: Callable[[str], str] = str) -> Iterator[Decided]:
    """Run everything; ready on entry.

    Args:
        changed: changes the configuration.
    """
    port, secret = reserve_port(), folder / "console.secret"
    secret.write_text(DEMO_SECRET)
    secret.chmod(0o600)

    def place(text: str) -> str:
        text = text.replace("server: {", f'server: {{console: "{HOST}:{port}", check_timeout: {CALL_S:g}s, ', 1)
        text = text.replace("tenants: any,", "tenants: any, claims: {tenant: tenantId},", 1)
        text = text.replace("cooldown: 200ms, timeout: 1s", f"cooldown: 200ms, timeout: {CALL_S:g}s")
        return changed(encrypt(folder, text))

    console = f"http://{HOST}:{port}"
    sections = SECTIONS.format(console=console, client=CONSOLE_CLIENT, secret=secret, call_s=CALL_S)
    with running_world(folder, more=sections, changed=place) as world:
        await_console(world.sidecar, folder / "sidecar.log", port)
        yield Decided(world, console, folder)


def await_console(sidecar: Process, log: Path, port: int) -> None:
    """Wait for the worker that serves the console: calls are welcome before it is there."""
    await_true(sidecar, "the console", lambda: is_listening(port), log)


@dataclass
class Visitor:
    """Somebody with a browser that runs no script; `page` is what they see."""

    web: httpx2.AsyncClient
    page: httpx2.Response

    async def press(self, place: str, answer: str, **fields: str) -> None:
        """Press a button of the page's form that is sent to `place`."""
        hidden = {name: unescape(value) for name, value in _INPUT.findall(self.page.text)}
        here = urlsplit(str(self.page.url))
        origin = f"{here.scheme}://{here.netloc}"
        form = {**hidden, **fields, "answer": answer}
        self.page = await self.web.post(urljoin(origin, place), data=form, headers={"origin": origin})

    async def decide(self, answer: str) -> None:
        """Decide the request that the page is about."""
        await self.press(f"{urlsplit(str(self.page.url)).path}/decision", answer)


@asynccontextmanager
async def visiting(role: str, page: str, moved: Mapping[int, int] = NOT_MOVED) -> AsyncIterator[Visitor]:
    """Open a page of the console, sign in as one of the demo's people, and come back to it.

    Args:
        moved: as for `Balanced`.
    """
    async with httpx2.AsyncClient(transport=Balanced(moved), timeout=BOUND_S, follow_redirects=True) as web:
        visitor = Visitor(web, await web.get(page))
        await visitor.press("/login", "log-in", person=role)
        yield visitor


def begin(console: str, *words: str) -> tuple[Dialogue, str, str]:
    """Run a command of a terminal that is not signed in; what it printed: the link to open, and the number."""
    command = Dialogue("approvals", *words, "--console", console)
    link = command.hear().removeprefix("Sign in at ").strip()
    return command, link, command.hear().rpartition(": ")[2].strip()


async def run_as(role: str, console: str, *words: str, typed: str = "") -> tuple[int, str, str]:
    """Run a command, and sign in when it asks; its exit code and what it printed."""
    command, link, number = begin(console, *words)
    async with visiting(role, link) as visitor:
        assert f'<p class="match">{number}</p>' in visitor.page.text
        await visitor.press("/terminal", "allow")
    # The redirect has led to the terminal itself.
    assert "The terminal is signed in." in visitor.page.text
    return command.end(typed)


def run_signed_in(console: str, *words: str, typed: str = "") -> tuple[int, str, str]:
    """Run a command of a terminal that is signed in."""
    return Dialogue("approvals", *words, "--console", console).end(typed)
