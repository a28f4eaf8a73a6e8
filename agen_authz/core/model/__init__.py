"""The values that a request passes through: Request, Principal, Call, Facts, Decision.

What is made for every request is a frozen `msgspec.Struct`: made in a quarter of a frozen dataclass's time, for
some twenty of them a request (docs/performance.md). What is built once is a frozen dataclass.
"""

from agen_authz.core.model.call import Call, Envelope, Era, Mirrored, Misread, Shape, Target, TargetKind
from agen_authz.core.model.decision import (
    Allow,
    Answer,
    Approval,
    ApprovalStanding,
    AwaitApproval,
    Challenge,
    Decision,
    Deny,
    Effect,
    Matched,
    Outcome,
    State,
    Step,
    StepUp,
)
from agen_authz.core.model.facts import NOWHERE, Context, Facts, Fit, Unfit
from agen_authz.core.model.inspection import Inspection
from agen_authz.core.model.principal import NO_TASK, NOBODY, TASK_KEPT_S, BoundTask, Owner, Principal, Session
from agen_authz.core.model.provider import ANY_TENANT, TENANT_CLAIM, ClaimPaths, Provider, Revoked
from agen_authz.core.model.request import Request
from agen_authz.core.model.resource import Resource
from agen_authz.core.model.value import Digest, Issuer, Json, MessageId, RawToken, SessionId, Subject

__all__ = [
    "ANY_TENANT",
    "NOBODY",
    "NOWHERE",
    "NO_TASK",
    "TASK_KEPT_S",
    "TENANT_CLAIM",
    "Allow",
    "Answer",
    "Approval",
    "ApprovalStanding",
    "AwaitApproval",
    "BoundTask",
    "Call",
    "Challenge",
    "ClaimPaths",
    "Context",
    "Decision",
    "Deny",
    "Digest",
    "Effect",
    "Envelope",
    "Era",
    "Facts",
    "Fit",
    "Inspection",
    "Issuer",
    "Json",
    "Matched",
    "MessageId",
    "Mirrored",
    "Misread",
    "Outcome",
    "Owner",
    "Principal",
    "Provider",
    "RawToken",
    "Request",
    "Resource",
    "Revoked",
    "Session",
    "SessionId",
    "Shape",
    "State",
    "Step",
    "StepUp",
    "Subject",
    "Target",
    "TargetKind",
    "Unfit",
]
