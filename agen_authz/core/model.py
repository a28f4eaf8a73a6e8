"""The values that a request passes through: Request, Principal, Call, Facts, Decision.

What is made anew for every request is a frozen `msgspec.Struct`: made in a quarter of a frozen dataclass's time, for
some twenty of them a request (docs/performance.md). What is built once is a frozen dataclass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, NewType, TypeAlias

from msgspec import Struct

from agen_authz.core.header import HeaderNames
from agen_authz.core.reason import Reason

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
MessageId: TypeAlias = str | int

RawToken = NewType("RawToken", str)
Issuer = NewType("Issuer", str)
Subject = NewType("Subject", str)
Digest = NewType("Digest", str)
SessionId = NewType("SessionId", str)

# Stands in an issuer for the tenant of a token, which this claim names (Entra).
ANY_TENANT, TENANT_CLAIM = "{tenantid}", "tid"


# ---- what is configured -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClaimPaths:
    """Where a provider keeps what we read: each a tuple of candidate paths, the first that is there counts.

    `keyed` names those of `roles`, `permissions` and `groups` that are the keys of an object.
    """

    subject: tuple[tuple[str, ...], ...]
    roles: tuple[tuple[str, ...], ...]
    permissions: tuple[tuple[str, ...], ...]
    groups: tuple[tuple[str, ...], ...]
    email: tuple[tuple[str, ...], ...]
    email_verified: tuple[tuple[str, ...], ...]
    client: tuple[tuple[str, ...], ...]
    scopes: tuple[tuple[str, ...], ...]
    tenant: tuple[tuple[str, ...], ...]
    country: tuple[tuple[str, ...], ...]
    keyed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID provider and what it may speak for; None in `tenants` or `roles` means any.

    `issuer` may hold `ANY_TENANT`: then `tenants` lists the tenants whose issuers are accepted.
    """

    name: str
    issuer: Issuer
    advertised_issuer: str
    algorithms: frozenset[str]
    token_types: frozenset[str]
    leeway_s: float
    max_token_age_s: float | None
    tenants: frozenset[str] | None
    roles: frozenset[str] | None
    claims: ClaimPaths


@dataclass(frozen=True, slots=True)
class Revoked:
    """What is refused at once, of every provider."""

    kids: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    jti: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Resource:
    """One MCP server behind Envoy, as callers see it (RFC 9728 protected resource).

    `scope_requests` says by which word clients ask for a scope, where that is not its name in the token.
    `audiences` are all that a token may be for, its own url among them, from `core.audience.spell_audiences`.
    """

    name: str
    url: str
    scheme: str
    authorities: frozenset[str]
    path: str
    query: str | None
    providers: Mapping[str, Provider]
    audiences: frozenset[str]
    clients: frozenset[str] | None
    require_tenant: bool
    scopes: tuple[str, ...]
    origins: frozenset[str]
    admits_unmapped: bool
    methods: Mapping[str, bool]
    resumable: bool
    forward_token: bool
    forward_headers: frozenset[str]
    metadata_url: str
    is_signed: bool = False
    scope_requests: Mapping[str, str] = field(default_factory=dict)


# ---- what was asked ---------------------------------------------------------------------------------


class Request(Struct, frozen=True):
    """One HTTP request as Envoy described it; the body is bytes that nobody has parsed."""

    method: str
    authority: str
    path: str
    headers: Mapping[str, str]
    names: HeaderNames
    repeated: frozenset[str]
    raw_body: bytes
    has_text_body: bool
    is_partial: bool
    peer: str


class Era(StrEnum):
    """The two ways of MCP: `modern` from 2026-07-28 on, `legacy` with sessions before."""

    MODERN = "modern"
    LEGACY = "legacy"


class Shape(StrEnum):
    """What kind of message a request carries."""

    REQUEST = "request"
    NOTIFICATION = "notification"
    RESPONSE = "response"
    STREAM = "stream"
    END = "end"


class Envelope(Struct, frozen=True):
    """What a refusal must be bound to: the message's own id (type kept), its era and shape."""

    era: Era = Era.LEGACY
    shape: Shape = Shape.REQUEST
    id: MessageId | None = None


class TargetKind(StrEnum):
    """What access rules can name."""

    TOOL = "tool"
    RESOURCE = "resource"
    PROMPT = "prompt"


class Target(Struct, frozen=True):
    """One tool, resource or prompt of one server, spelt exactly as the backend will read it."""

    kind: TargetKind
    server: str
    name: str


class Mirrored(Struct, frozen=True):
    """Headers that repeat arguments of a call, by their names, and the arguments that they must repeat."""

    headers: Mapping[str, str]
    arguments: Json


class Call(Struct, frozen=True):
    """One MCP message, parsed once and strictly; the bytes it came from are what is forwarded.

    `may_hold_nul` is false if no string in it can hold a NUL; `mirrored` is None if no header repeats an argument.
    """

    server: str
    envelope: Envelope
    version: str
    method: str
    targets: tuple[Target, ...] = ()
    uses_task: bool = False
    arguments: dict[str, Json] | None = None
    inputs: dict[str, Json] | None = None
    session_id: SessionId | None = None
    may_hold_nul: bool = True
    mirrored: Mirrored | None = None


class Misread(Struct, frozen=True):
    """A message that cannot be decided on, with what its refusal is bound to."""

    reason: Reason
    envelope: Envelope = Envelope()
    detail: str = ""
    requested_version: str | None = None


# ---- who asks ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller; only `core.token` makes one. Identity is (issuer, subject).

    None in `groups`, `email_verified` or `amr` means that the claim has another type than it must have; `claims` is
    None if no condition reads them.
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
    """Whom a session belongs to."""

    issuer: Issuer
    subject: Subject


# Owns what belongs to another server: no provider's issuer is empty.
NOBODY = Owner(Issuer(""), Subject(""))


# ---- what is known beside the call ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a call's origin; None for an address or country that nobody can vouch for."""

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


# ---- what is decided --------------------------------------------------------------------------------


class Step(Struct, frozen=True):
    """One step that led to a decision: which rule or check, and what it said."""

    check: str
    outcome: str
    rule: str = ""


class State(StrEnum):
    """Whether a policy is looked at, and whether it is enforced."""

    DISABLED = "disabled"
    SHADOW = "shadow"
    ENFORCE = "enforce"


class Effect(StrEnum):
    """What a policy asks for where it applies."""

    DENY = "deny"
    STEP_UP = "step_up"
    REQUIRE_APPROVAL = "require_approval"


class Outcome(StrEnum):
    """What came of a policy that names the target, where it is not that it does not apply."""

    APPLIES = "applies"
    ERROR = "error"


class Matched(Struct, frozen=True):
    """A policy that applied to a call, or could not be evaluated: `cause` says what and why, and holds no value."""

    policy: str
    effect: Effect
    state: State
    outcome: Outcome
    cause: str = ""


class BindSession(Struct, frozen=True):
    """Obligation: the session becomes this caller's, or already is; else the call is denied."""

    server: str
    session_id: SessionId
    owner: Owner


class EndSession(Struct, frozen=True):
    """Obligation: the caller has ended the session, and its place is free again."""

    server: str
    session_id: SessionId
    owner: Owner


Obligation: TypeAlias = BindSession | EndSession


class Allow(Struct, frozen=True):
    """The call may go on once its obligations are met."""

    word: ClassVar[str] = "allow"
    reason: ClassVar[Reason] = Reason.ALLOWED
    why: tuple[Step, ...]
    obligations: tuple[Obligation, ...] = ()
    matched: tuple[Matched, ...] = ()


class Deny(Struct, frozen=True):
    """The call is refused; `reason` is the true one, what the client is told may be less.

    `message` is what a policy wants the caller to be told.
    """

    word: ClassVar[str] = "deny"
    reason: Reason
    why: tuple[Step, ...] = ()
    envelope: Envelope = Envelope()
    target: Target | None = None
    requested_version: str | None = None
    message: str | None = None
    matched: tuple[Matched, ...] = ()


class Challenge(Struct, frozen=True):
    """What a client is asked to come back with.

    Args:
        lacks_scope: a scope is missing, so the client must ask for more; else only the authentication falls short.
        scopes: every scope that the call needs, by the words that clients ask for.
    """

    lacks_scope: bool
    scopes: tuple[str, ...]
    acr_values: tuple[str, ...] = ()
    max_age_s: int | None = None
    message: str | None = None


class StepUp(Struct, frozen=True):
    """The call may be made with a stronger token."""

    word: ClassVar[str] = "step_up"
    reason: ClassVar[Reason] = Reason.STEP_UP_REQUIRED
    challenge: Challenge
    why: tuple[Step, ...]
    envelope: Envelope
    target: Target
    matched: tuple[Matched, ...] = ()


class Answer(Struct, frozen=True):
    """The request is answered by ourselves from configuration: metadata and CORS preflights."""

    word: ClassVar[str] = "answer"
    reason: Reason
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Decision: TypeAlias = Allow | Deny | StepUp | Answer
"""What is decided; `word` is its kind, the same in events and metrics, `reason` the true Reason."""
