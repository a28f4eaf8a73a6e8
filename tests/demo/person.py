"""What the official OAuth client needs around it: somewhere to keep tokens, and a person who logs in."""

from urllib.parse import urlsplit

import httpx2
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

CALLBACK = "http://127.0.0.1:49152/callback"


class Memory:
    """Keeps what the client would write to a disk."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """Follows the client to the login page, logs in, and brings back what the redirect says."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.query: dict[str, str] = {}

    async def open(self, url: str) -> None:
        async with httpx2.AsyncClient() as web:
            page = await web.get(url)
            login_id = page.text.partition('name="login" value="')[2].partition('"')[0]
            form = {"login": login_id, "person": self.role, "answer": "log-in"}
            origin = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
            answer = await web.post(f"{origin}/login", data=form)
        assert answer.headers["location"].startswith(CALLBACK)
        self.query = dict(httpx2.URL(answer.headers["location"]).params)

    async def read(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(self.query)


def sign_in_as(role: str, resource: str, memory: Memory, browser: Browser | None = None) -> OAuthClientProvider:
    """Build the client's own provider: it finds the issuer, registers, and lets a person of a role log in."""
    browser = browser or Browser(role)
    metadata = OAuthClientMetadata.model_validate({"redirect_uris": [CALLBACK], "client_name": "Official"})
    return OAuthClientProvider(resource, metadata, memory, browser.open, browser.read)
