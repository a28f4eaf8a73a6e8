"""What the console's sign-in needs from its OpenID provider."""

from typing import Protocol

from msgspec import Struct

from agen_authz.core.model import RawToken


class CodeExchange(Struct, frozen=True):
    """An authorization code with what its sign-in was begun with (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""

    code: str
    redirect_uri: str
    verifier: str


class IdentityProvider(Protocol):
    """The provider that approvers sign in at. Every method raises Unavailable if it gave no usable answer in time."""

    async def find_authorization_endpoint(self) -> str:
        """Find where browsers are sent to sign in."""

    async def redeem(self, exchange: CodeExchange) -> RawToken | None:
        """Exchange a code for the ID token, not verified yet; None if the provider refuses the code."""
