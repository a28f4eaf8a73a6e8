"""What is decided, and the steps that led to it."""

from enum import StrEnum
from typing import ClassVar, TypeAlias

from msgspec import Struct

from agen_authz.core.model.call import Envelope, Target
from agen_authz.core.model.principal import Session
from agen_authz.core.model.value import Digest
from agen_authz.core.reason import Reason


class Step(Struct, frozen=True):
    """One step that led to a decision: which rule or check, and what it said."""

    check: str
    outcome: str
    rule: str = ""


class State(StrEnum):
    """True if a policy is looked at, and whether it is enforced."""

    DISABLED = "disabled"
    SHADOW = "shadow"
    ENFORCE = "enforce"


class Effect(StrEnum):
    """What a policy asks for where it applies; MASK is that of data-protection rules, which decide nothing."""

    DENY = "deny"
    STEP_UP = "step_up"
    REQUIRE_APPROVAL = "require_approval"
    MASK = "mask"


class Outcome(StrEnum):
    """The result of a policy that names the target: it applies, or it could not be evaluated."""

    APPLIES = "applies"
    ERROR = "error"


class Matched(Struct, frozen=True):
    """A policy that applied to a call, or could not be evaluated: `cause` says what and why, and holds no value."""

    policy: str
    effect: Effect
    state: State
    outcome: Outcome
    cause: str = ""


class ApprovalStanding(StrEnum):
    """How an approval stands, as far as was looked up."""

    UNASKED = "unasked"
    OPEN = "open"
    GRANTED = "granted"
    REJECTED = "rejected"


class Approval(Struct, frozen=True):
    """One approval that a policy asks for, of one target of one call.

    Args:
        digest: names the policy and its flow, both as they are configured.
        request: the id of the ApprovalRequest; empty if there is none, or none was looked up.
        message: the policy's text for the caller.
    """

    target: Target
    policy: str
    flow: str
    digest: Digest
    standing: ApprovalStanding = ApprovalStanding.UNASKED
    request: str = ""
    message: str | None = None


class Allow(Struct, frozen=True):
    """The call may go on once it is signed and recorded; `session` is the one that the call belongs to.

    `protections` names the data-protection rules that apply to what comes back, in the order of the configuration.
    `grants` are approvals that allow this call once: the call is not allowed unless all of them are used for it.
    """

    word: ClassVar[str] = "allow"
    reason: ClassVar[Reason] = Reason.ALLOWED
    why: tuple[Step, ...]
    session: Session | None = None
    matched: tuple[Matched, ...] = ()
    protections: tuple[str, ...] = ()
    grants: tuple[Approval, ...] = ()


class Deny(Struct, frozen=True):
    """The call is refused; `reason` is the true one; the client may get a less precise one.

    `message` is the policy's text for the caller.
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


class AwaitApproval(Struct, frozen=True):
    """The call may be made once people have approved it.

    Args:
        wanted: what is not granted yet; at least one.
        opens_urls: True if the client can open a page by itself (elicitation in URL mode).
    """

    word: ClassVar[str] = "await_approval"
    reason: ClassVar[Reason] = Reason.APPROVAL_REQUIRED
    wanted: tuple[Approval, ...]
    why: tuple[Step, ...]
    envelope: Envelope
    opens_urls: bool = False
    matched: tuple[Matched, ...] = ()


class Answer(Struct, frozen=True):
    """The request is answered by ourselves: metadata and CORS preflights, or the task of the caller's own approvals.

    `headers` are all that the answer has. `why` is empty if nothing was decided.
    """

    word: ClassVar[str] = "answer"
    reason: Reason
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    why: tuple[Step, ...] = ()


Decision: TypeAlias = Allow | Deny | StepUp | AwaitApproval | Answer
"""What is decided; `word` is its kind, the same in events and metrics, `reason` the true Reason."""
