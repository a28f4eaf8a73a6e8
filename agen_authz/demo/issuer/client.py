"""OAuth clients: the demo's own, and those that register themselves with loopback redirect URIs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from agen_authz.core.model import Json
from agen_authz.demo.issuer.people import PEOPLE
from agen_authz.demo.issuer.refusal import Refused

# Public on purpose: any program on this machine may play every person of the demo.
DEMO_SECRET = "demo-only"  # noqa: S105 - documented, and worth nothing outside the demo
BROWSER_CLIENT = "demo-browser"
CONSOLE_CLIENT = "agen-console"
CODE_GRANTS = frozenset({"authorization_code", "refresh_token"})
_LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
_URI_CHARACTERS = re.compile(r"[!-\[\]-~]{1,2048}")  # visible ASCII but the backslash
_MAX_CLIENTS = 1000
_MAX_REDIRECTS = 10
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Client:
    """A client; one with a secret is confidential, one with a role acts as that person by itself."""

    client_id: str
    name: str
    grants: frozenset[str]
    redirect_uris: tuple[str, ...] = ()
    secret: str | None = None
    role: str | None = None

    def may_redirect(self, uri: str) -> bool:
        """Compare with what was registered; the port may differ (RFC 8252 section 7.3)."""
        if not is_loopback_redirect(uri):
            return False
        return any(_without_port(uri) == _without_port(registered) for registered in self.redirect_uris)


class ClientBook:
    """Clients by id; of those that registered themselves, the oldest make room."""

    def __init__(self) -> None:
        self._known = {client.client_id: client for client in _own_clients()}
        self._registered: dict[str, Client] = {}

    def find(self, client_id: str) -> Client | None:
        """Find a client."""
        return self._known.get(client_id) or self._registered.get(client_id)

    def add(self, client: Client) -> None:
        """Remember a client that registered itself."""
        while len(self._registered) >= _MAX_CLIENTS:
            del self._registered[next(iter(self._registered))]
        self._registered[client.client_id] = client


def read_registration(document: Json, client_id: str) -> Client | Refused:
    """Read a registration request (RFC 7591 section 2); every client becomes a public one."""
    if not isinstance(document, Mapping):
        return Refused("invalid_client_metadata", "not a JSON object")
    redirect_uris = document.get("redirect_uris")
    if not isinstance(redirect_uris, list) or not 1 <= len(redirect_uris) <= _MAX_REDIRECTS:
        return Refused("invalid_redirect_uri", f"`redirect_uris` must list 1 to {_MAX_REDIRECTS} URIs")
    uris = tuple(uri for uri in redirect_uris if isinstance(uri, str) and is_loopback_redirect(uri))
    if len(uris) != len(redirect_uris):
        return Refused("invalid_redirect_uri", "only http redirect URIs on loopback are accepted here")
    grants = document.get("grant_types", ["authorization_code"])
    if not isinstance(grants, list) or "authorization_code" not in grants:
        return Refused("invalid_client_metadata", "`grant_types` must hold `authorization_code`")
    name = document.get("client_name", "An unnamed client")
    if not isinstance(name, str) or not 1 <= len(name) <= _MAX_NAME:
        return Refused("invalid_client_metadata", f"`client_name` must have 1 to {_MAX_NAME} characters")
    return Client(client_id, name, CODE_GRANTS & {str(grant) for grant in grants}, uris)


def render_registration(client: Client, now: float) -> dict[str, Json]:
    """Write down what was registered (RFC 7591 section 3.2.1)."""
    return {
        "client_id": client.client_id,
        "client_id_issued_at": int(now),
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": [*sorted(client.grants)],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }


def is_loopback_redirect(uri: str) -> bool:
    """True if a redirect URI stays on this machine (RFC 8252 section 7.3)."""
    if not _URI_CHARACTERS.fullmatch(uri):
        return False
    parts = _split(uri)
    if parts is None or parts.scheme != "http" or "#" in uri or "@" in parts.netloc:
        return False
    return parts.hostname in _LOOPBACK_HOSTS


def _split(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        _ = parts.port  # read here, because only reading it finds that it is not a number
    except ValueError:
        return None
    return parts


def _without_port(uri: str) -> tuple[str | None, str, str]:
    parts = urlsplit(uri)
    return parts.hostname, parts.path, parts.query


def _own_clients() -> list[Client]:
    alone = [
        Client(f"demo-{role}", person.name, frozenset({"client_credentials"}), secret=DEMO_SECRET, role=role)
        for role, person in PEOPLE.items()
    ]
    uris = ("http://127.0.0.1/callback", "http://localhost/callback")
    back = ("http://127.0.0.1/sign-in/callback", "http://localhost/sign-in/callback")
    sign_in = frozenset({"authorization_code"})
    console = Client(CONSOLE_CLIENT, "The approvers' console", sign_in, back, secret=DEMO_SECRET)
    return [*alone, Client(BROWSER_CLIENT, "The demo's browser", CODE_GRANTS, uris), console]
