"""Who calls, verified."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct

from agen_authz.core.model.value import Issuer, Json, SessionId, Subject


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller; only `core.identity.token` makes one. Identity is (issuer, subject).

    None in `groups`, `email_verified` or `amr` means that the claim has another type than it must have, or that a claim
    on the way to it is not an object; `claims` is None if no condition reads them.
    """

    provider: str
    issuer: Issuer
    subject: Subject
    client: str
    tenant: str
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    groups: tuple[str, ...] | None
    scopes: tuple[str, ...]
    email: str
    email_verified: bool | None
    country: str
    acr: str
    amr: tuple[str, ...] | None
    auth_time: float | None
    issued_at: float | None
    expires: float
    token_id: str
    claims: Mapping[str, Json] | None


class Owner(Struct, frozen=True):
    """Whose something is: a session, a task, a place in a queue."""

    issuer: Issuer
    subject: Subject


class BoundTask(Struct, frozen=True):
    """Whose a task is, and the tool that made it."""

    owner: Owner
    tool: str


# Owns what has no caller: no provider's issuer is empty.
NOBODY = Owner(Issuer(""), Subject(""))
# A task that is bound to no caller, as far as is known.
NO_TASK = BoundTask(NOBODY, "")
# How long a task stays bound. Clients may come back for a result days later; what servers keep for longer is rare.
TASK_KEPT_S = 30 * 24 * 3600.0


class Session(Struct, frozen=True):
    """A session that the caller has proved to be theirs.

    Args:
        backend_id: the id by which the backend knows it.
        declares_url: True if the client declared, when it began, that it opens URLs (`elicitation.url`).
    """

    backend_id: SessionId
    declares_url: bool
