"""How the issuer says no: OAuth's error codes (RFC 6749 sections 4.1.2.1 and 5.2, RFC 7591, RFC 8707)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """An OAuth error and one sentence for a developer, in the characters that RFC 6749 allows there."""

    error: str
    description: str
    status: int = 400
