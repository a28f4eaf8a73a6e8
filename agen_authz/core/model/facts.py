"""What is known besides the call before it is decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from agen_authz.core.model.call import Call, Target
from agen_authz.core.model.decision import Approval
from agen_authz.core.model.principal import BoundTask, Session
from agen_authz.core.model.value import Json
from agen_authz.core.reason import Reason


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a call's origin; None for an address or country that no trusted proxy reported."""

    ip: str | None
    networks: tuple[str, ...]
    country: str | None
    user_agent: str


NOWHERE = Context(None, (), None, "")


class Unfit(Struct, frozen=True):
    """Why a call does not fit its tool's definition; `detail` says where, and holds no value of the call."""

    reason: Reason
    detail: str


class Fit(Protocol):
    """Which calls fit the approved definitions of a tool (core/arguments)."""

    def check(self, call: Call) -> Unfit | None:
        """Say why a call of the tool does not fit, in its arguments or in the headers that repeat them; pure."""


class Facts(Struct, frozen=True):
    """Everything that was read before the decision; times are seconds since the epoch, `host` is the authority.

    `session` is None if the call is of no session, or of one that is not the caller's.
    `unpinned` says why pinning lets no call of the tool pass; None if it does.
    `fit` is what a `tools/call` must fit; None if its arguments are not checked. `tasks` has
    what is known of each task that a call names, in the same order, `NO_TASK` if nothing is; None if no task was
    looked up. `annotations` are those of the tool's approved definitions; None if none is approved, or if these differ.
    `approvals` has what is known of each approval that a policy (by its name) asks for a target; None if none was
    looked up.
    """

    now: float
    session: Session | None = None
    context: Context = NOWHERE
    host: str = ""
    unpinned: Reason | None = None
    fit: Fit | None = None
    tasks: tuple[BoundTask, ...] | None = None
    annotations: Mapping[str, Json] | None = None
    approvals: Mapping[tuple[Target, str], Approval] | None = None
