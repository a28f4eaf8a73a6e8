"""The console in memory: fakes of its ports, a provider that plays its part of a sign-in, and browsers."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from msgspec import structs
from starlette.types import ASGIApp

from agen_authz.console import ConsolePorts, ConsoleRules, ConsoleSettings, PolicyView, build_console
from agen_authz.core.approval.pairing import challenge_of
from agen_authz.core.approval.request import ApprovalRequest, KeptCall
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Digest, RawToken
from agen_authz.core.pinning.catalogue import Catalogue
from agen_authz.core.reason import Reason
from agen_authz.ports.sign_in import CodeExchange
from agen_authz.wire.approval_event import EventTerms
from tests import builders as build
from tests.approval_fakes import MemoryApprovals, MemorySessions
from tests.core.approval.rig import BINDING, FLOW, HERE, TERMS, asked
from tests.core.pinning.rig import catalogue, kept, kept_tool, tool
from tests.fakes import CountingMetrics, FakeClock, MemoryKeys, SeqEntropy

ORIGIN = "https://approve.example"
CLIENT = "agen-console"
ENDPOINT = f"{HERE}/authorize"
SETTINGS = ConsoleSettings(base_url=ORIGIN, client_id=CLIENT, session_s=8 * 3600.0, key=b"c" * 32)
REQUEST = "0" * 32
PARAMS = {"name": "refund", "arguments": {"invoice": "INV-7", "amount": 250, "to": "jo@buyer.example"}}
REFUND = tool("refund", title="Refund", description="Pays money back.")
PINNED = structs.replace(BINDING, definition=kept(REFUND).digest)
POLICY = PolicyView(
    name="refunds",
    state="enforce",
    effect="require_approval",
    selectors=("pay/refund",),
    conditions=("arguments.amount > 100",),
    flow="finance",
    message="Refunds above 100 need two people.",
    digest=BINDING.policy,
)

Claims = dict[str, Any]


def claims(subject: str = "bob", **changes: Any) -> Claims:
    """Say what the provider says of somebody: a lead of the request's tenant, unless that is changed."""
    said = {
        "iss": HERE,
        "sub": subject,
        "aud": CLIENT,
        "name": subject.capitalize(),
        "email": f"{subject}@acme.example",
        "email_verified": True,
        "tenantId": "acme",
        "roles": ["lead"],
        "groups": [],
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


BOB = claims()
ANN = claims("ann", roles=[])
EVE = claims("eve", roles=[], groups=["control"])
DAN = claims("dan", roles=[], groups=["control"])
ZOE = claims("zoe", roles=["admin"])
STRANGER = claims("mallory", roles=["guest"])


class FakeIdentity:
    """A provider: it hands out codes for those who log in, and checks what a code is exchanged with."""

    def __init__(self, clock: FakeClock) -> None:
        self.is_down = False
        self.clock = clock
        self.asked: list[dict[str, str]] = []
        self._codes: dict[str, tuple[dict[str, str], Claims]] = {}

    async def find_authorization_endpoint(self) -> str:
        if self.is_down:
            raise Unavailable(Reason.PROVIDER_UNAVAILABLE, "idp")
        return ENDPOINT

    async def redeem(self, exchange: CodeExchange) -> RawToken | None:
        if self.is_down:
            raise Unavailable(Reason.PROVIDER_UNAVAILABLE, "idp")
        wish, said = self._codes.pop(exchange.code, ({}, {}))
        is_same = exchange.redirect_uri == wish.get("redirect_uri")
        if not is_same or challenge_of(exchange.verifier) != wish["code_challenge"]:
            return None
        now = int(self.clock.now())
        token = {"exp": now + 300, "iat": now, "auth_time": now, "nonce": wish["nonce"], **said}
        kept = {name: value for name, value in token.items() if value is not None}
        return RawToken(build.sign(kept, typ="JWT"))

    def log_in(self, location: str, said: Claims) -> dict[str, str]:
        """Log somebody in who was sent here; return the query that sends them back."""
        parts = urlsplit(location)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == ENDPOINT
        wish = dict(parse_qsl(parts.query))
        self.asked.append(wish)
        code = f"code-{len(self.asked)}"
        self._codes[code] = wish, said
        return {"code": code, "state": wish["state"], "iss": str(HERE)}


class Browser:
    """A browser with its cookies; `post` sends what a form of ours sends."""

    def __init__(self, web: httpx.AsyncClient, identity: FakeIdentity, origin: str) -> None:
        self.web, self.identity, self.origin = web, identity, origin

    async def get(self, place: str) -> httpx.Response:
        """Open a page; redirects are not followed."""
        return await self.web.get(place)

    async def post(self, place: str, form: Mapping[str, str], **headers: str) -> httpx.Response:
        """Post a form as our own page does."""
        sent = {"origin": self.origin, "sec-fetch-site": "same-origin"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return await self.web.post(place, data=dict(form), headers={k: v for k, v in sent.items() if v})

    async def sign_in(self, said: Claims, to: str = "/", *, fresh: bool = False) -> httpx.Response:
        """Go to the provider and come back; return what we answer then."""
        begun = await self.get(f"/sign-in?{urlencode({'to': to, **({'fresh': '1'} if fresh else {})})}")
        assert begun.status_code == 303, begun.text
        return await self.come_back(self.identity.log_in(begun.headers["location"], said))

    async def come_back(self, query: Mapping[str, str]) -> httpx.Response:
        """Come back from the provider."""
        return await self.get(f"/sign-in/callback?{urlencode(query)}")

    async def csrf(self, place: str = "/") -> str:
        """Read the token of this session's forms."""
        return (await self.get(place)).text.partition('name="csrf" value="')[2].partition('"')[0]

    async def decide(self, answer: str = "approve", votes: int = 0, reason: str = "", **changes: str) -> httpx.Response:
        """Press a button of the request's page."""
        form = {"csrf": await self.csrf(), "votes": str(votes), "answer": answer, "reason": reason, **changes}
        return await self.post(f"/requests/{REQUEST}/decision", form)


@dataclass
class Stand:
    """A console and everything that it stands on."""

    clock: FakeClock = field(default_factory=FakeClock)
    approvals: MemoryApprovals = field(default_factory=MemoryApprovals)
    sessions: MemorySessions = field(default_factory=MemorySessions)
    metrics: CountingMetrics = field(default_factory=CountingMetrics)
    events: list[dict[str, Any]] = field(default_factory=list)
    sign_ins: list[dict[str, Any]] = field(default_factory=list)
    is_audit_down: bool = False
    parts: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.identity = FakeIdentity(self.clock)
        self.keys = MemoryKeys.holding(idp=(build.public_key(build.ec_key()),))
        self.rules = ConsoleRules(
            provider=build.provider(issuer=HERE),
            flows={"finance": FLOW},
            terms=TERMS,
            event=EventTerms("v-1", b"e" * 32),
            policies=(POLICY,),
        )
        self.catalogue: Catalogue = catalogue(kept_tool(kept(REFUND), server="pay"))
        self.app: ASGIApp = self.build()

    def build(self, settings: ConsoleSettings = SETTINGS) -> ASGIApp:
        """Build the console."""
        return build_console(settings, self.ports())

    def ports(self) -> ConsolePorts:
        """Give what is outside of the console."""
        return ConsolePorts(
            approvals=self.approvals,
            sessions=self.sessions,
            identity=self.identity,
            keys=self.keys,
            clock=self.clock,
            entropy=SeqEntropy(),
            rules=lambda: self.rules,
            record=self._record,
            metrics=self.metrics,
            catalogue=lambda: self.catalogue,
            health=self._describe,
            **self.more,
        )

    async def _record(self, line: bytes) -> None:
        if self.is_audit_down:
            raise Unavailable(Reason.AUDIT_UNAVAILABLE, "audit")
        event = json.loads(line)
        (self.sign_ins if event["decision"] == "sign_in" else self.events).append(event)

    async def _describe(self) -> Mapping[str, str]:
        return self.parts

    def change_rules(self, **changes: Any) -> None:
        """Load another configuration."""
        self.rules = replace(self.rules, **changes)

    def ask(self, params: Any = PARAMS, **changes: Any) -> ApprovalRequest:
        """Let a call ask for approval."""
        request = asked(**{"key": Digest(changes.get("id", REQUEST)), "binding": PINNED, **changes})
        self.approvals.requests[request.id] = request
        self.approvals.kept[request.id] = KeptCall(params if isinstance(params, bytes) else json.dumps(params).encode())
        return request

    def now(self) -> ApprovalRequest:
        """Read the request as it is kept now."""
        return self.approvals.requests[REQUEST]

    def words(self) -> list[str]:
        """List what the audit events tell of."""
        return [each["approval"]["event"] for each in self.events]

    @asynccontextmanager
    async def browsing(self, said: Claims | None = None, origin: str = ORIGIN) -> AsyncIterator[Browser]:
        """Open a browser, and sign somebody in."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=origin) as web:
            browser = Browser(web, self.identity, origin)
            if said is not None:
                answer = await browser.sign_in(said)
                assert answer.status_code == 303, answer.text
            yield browser
