"""What is known besides the call before it is decided."""

from dataclasses import dataclass

from msgspec import Struct

from agen_authz.core.model.principal import Owner


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a call's origin; None for an address or country that no trusted proxy reported."""

    ip: str | None
    networks: tuple[str, ...]
    country: str | None
    user_agent: str


NOWHERE = Context(None, (), None, "")


class Facts(Struct, frozen=True):
    """Everything that was read before the decision; times are seconds since the epoch, `host` is the authority."""

    now: float
    session_owner: Owner | None = None
    context: Context = NOWHERE
    host: str = ""
