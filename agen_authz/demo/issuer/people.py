"""The demo's people: invented names, one for each role, and what each of them may ask for."""

from collections.abc import Mapping
from dataclasses import dataclass

PASSWORD_ACR = "urn:pwd"  # noqa: S105 - an authentication context, not a password
MFA_ACR = "urn:mfa"
# RFC 8176 names what was used to log in.
METHODS_BY_ACR: Mapping[str, tuple[str, ...]] = {PASSWORD_ACR: ("pwd",), MFA_ACR: ("pwd", "otp", "mfa")}

BASIC_SCOPE = "mcp:tools"
IDENTITY_SCOPE = "openid"
# Known and never granted: an ID token says the same of a person with and without them.
ABOUT_SCOPES = frozenset({"profile", "email"})
# Granted after a second factor only, and lost when the token is refreshed.
ELEVATED_SCOPES = frozenset({"billing:payout"})
SCOPES = (IDENTITY_SCOPE, BASIC_SCOPE, "crm:write", "billing:refund", "billing:payout")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who can log in; `role` is also how the demo's clients and pages name them."""

    role: str
    name: str
    title: str
    subject: str
    email: str
    country: str
    groups: tuple[str, ...]
    permissions: tuple[str, ...]
    scopes: frozenset[str]

    def grant(self, asked: tuple[str, ...], acr: str) -> tuple[str, ...]:
        """Keep of the scopes asked for what this person may have after logging in this way."""
        may_elevate = acr == MFA_ACR
        return tuple(scope for scope in asked if scope in self.scopes and (may_elevate or scope not in ELEVATED_SCOPES))


TENANT = "acme"
PEOPLE: Mapping[str, Person] = {
    "analyst": Person(
        role="analyst",
        name="Ana Lindqvist",
        title="Revenue analyst",
        subject="u-1001",
        email="ana.lindqvist@acme.example",
        country="SE",
        groups=("revenue",),
        permissions=("crm:read",),
        scopes=frozenset({"openid", "mcp:tools"}),
    ),
    "support": Person(
        role="support",
        name="Samir Okafor",
        title="Customer support",
        subject="u-1002",
        email="samir.okafor@acme.example",
        country="DE",
        groups=("support",),
        permissions=("crm:read", "crm:write"),
        scopes=frozenset({"openid", "mcp:tools", "crm:write"}),
    ),
    "finance": Person(
        role="finance",
        name="Fumiko Brandt",
        title="Accounts payable",
        subject="u-1003",
        email="fumiko.brandt@acme.example",
        country="FR",
        groups=("finance",),
        permissions=("billing:read", "billing:refund", "billing:payout"),
        scopes=frozenset({"openid", "mcp:tools", "billing:refund", "billing:payout"}),
    ),
    "admin": Person(
        role="admin",
        name="Alex Moreau",
        title="Platform administrator",
        subject="u-1004",
        email="alex.moreau@acme.example",
        country="US",
        groups=("platform",),
        permissions=("crm:read", "crm:write", "crm:delete", "billing:read", "billing:refund", "billing:payout"),
        scopes=frozenset(SCOPES),
    ),
}
