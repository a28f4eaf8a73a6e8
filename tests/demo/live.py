"""An issuer that runs, with a clock that the test moves, and a client of it."""

import hashlib
import itertools
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from agen_authz.demo.issuer import (
    Issuer,
    IssuerSettings,
    SigningKey,
    Sources,
    build_app,
    build_issuer,
    name_key,
)
from agen_authz.demo.listen import Site, authority_of, bind_loopback
from tests.builders import NOW, ec_key, sign
from tests.stage.listen import serving
from tests.stage.port import HOST

CRM = "http://127.0.0.1:10000/crm/mcp"
BILLING = "http://127.0.0.1:10000/billing/mcp"
SETTINGS = IssuerSettings(port=0, resources=(CRM, BILLING))
CALLBACK = "http://127.0.0.1:49152/callback"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
_TIMEOUT_S = 10


@dataclass
class Clock:
    """A clock that moves when told to."""

    time: float = NOW

    def __call__(self) -> float:
        return self.time


def counted_sources(clock: Clock) -> Sources:
    """Draw names in a fixed order, and their own keys."""
    names, keys = itertools.count(1), itertools.count(1)
    return Sources(clock, lambda: f"drawn-{next(names)}", lambda: ec_key(f"issuer-{next(keys)}"))


@dataclass
class LiveIssuer:
    """A running issuer, its clock, and a client."""

    issuer: Issuer
    clock: Clock
    web: httpx.Client
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.url = self.issuer.url

    def token(self, **form: str) -> httpx.Response:
        """Ask the token endpoint."""
        return self.web.post("/token", data=form)

    def access_token(self, role: str, resource: str = CRM, **form: str) -> str:
        """Get the token that a demo client gets."""
        credentials = {"client_id": f"demo-{role}", "client_secret": "demo-only"}
        answer = self.token(grant_type="client_credentials", resource=resource, **credentials, **form)
        token: str = answer.json()["access_token"]
        return token

    def authorize(self, **changes: str | None) -> httpx.Response:
        """Open the login page with a good request, or with one that was changed; None leaves a parameter out."""
        good = {
            "response_type": "code",
            "client_id": "demo-browser",
            "redirect_uri": CALLBACK,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": CRM,
            "state": "s-1",
        }
        params = {name: value for name, value in {**good, **changes}.items() if value is not None}
        return self.web.get("/authorize", params=params)

    def log_in(self, role: str, *, second_factor: bool = False, **changes: str | None) -> dict[str, str]:
        """Go from the authorization request through the page; return what the redirect tells the client."""
        page = self.authorize(**changes)
        login_id = page.text.partition('name="login" value="')[2].partition('"')[0]
        form = {"login": login_id, "person": role, "answer": "log-in"}
        if second_factor:
            form["second_factor"] = "yes"
        return told(self.web.post("/login", data=form))

    def exchange(self, code: str, **changes: str) -> httpx.Response:
        """Exchange a code as the client it was made for, or with something changed."""
        good = {"client_id": "demo-browser", "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "code": code}
        return self.token(grant_type="authorization_code", **{**good, **changes})

    def mint(self, *, key: SigningKey | None = None, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """Sign an access token that this issuer never would: claims, key or header changed, None leaves out."""
        signing = key or self.issuer.ring.signing
        now = int(self.clock())
        claims = {
            "iss": self.url,
            "sub": "u-1001",
            "aud": CRM,
            "exp": now + 300,
            "iat": now,
            "jti": "minted-1",
            "client_id": "demo-analyst",
            "scope": "mcp:tools",
            "roles": ["analyst"],
            **changes,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return sign(kept, key=signing.private, **{"kid": signing.kid, **(header or {})})


def told(answer: httpx.Response) -> dict[str, str]:
    """Read what a redirect tells the client."""
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def read_claims(token: str) -> dict[str, Any]:
    """Read the claims of a token without believing them."""
    return _read_part(token, 1)


def read_header(token: str) -> dict[str, Any]:
    """Read the header of a token."""
    return _read_part(token, 0)


def _read_part(token: str, position: int) -> dict[str, Any]:
    part = token.split(".")[position]
    read: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return read


@dataclass
class Stage:
    """A server that stays while the application behind it is another one for each test: starting takes its time."""

    authority: str
    # One for all tests: a client reads the machine's certificates, which takes longer than most tests.
    web: httpx.Client
    app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    def put_on(self, *, clock: Clock | None = None, first_key: SigningKey | None = None, **changes: Any) -> LiveIssuer:
        """Put a fresh issuer on; `changes` are to its settings."""
        clock = clock or Clock()
        issuer = build_issuer(replace(SETTINGS, **changes), self.authority, counted_sources(clock), first_key)
        self.app = build_app(issuer)
        return LiveIssuer(issuer, clock, self.web)


@contextmanager
def running_stage() -> Iterator[Stage]:
    """Run a stage on a free port."""
    listener = bind_loopback(HOST, 0)
    authority = authority_of(listener)
    with httpx.Client(base_url=f"http://{authority}", trust_env=False, timeout=_TIMEOUT_S) as web:
        stage = Stage(authority, web)
        with serving(Site(stage, listener)):
            yield stage


@contextmanager
def live_issuer(
    *, clock: Clock | None = None, first_key: SigningKey | None = None, **changes: Any
) -> Iterator[LiveIssuer]:
    """Run an issuer on a separate port; `changes` are to its settings."""
    with running_stage() as stage:
        yield stage.put_on(clock=clock, first_key=first_key, **changes)


def named(key_name: str, kid: str | None = None) -> SigningKey:
    """Make a key, the same for the same name; `kid` gives it another one's name."""
    key = name_key(ec_key(key_name))
    return key if kid is None else replace(key, kid=kid)
