"""How a call is approved: steps in order, who decides each, and how many of them."""

from msgspec import Struct

from agen_authz.core.model import Digest


class Approvers(Struct, frozen=True):
    """Who may decide a step: people with one of these roles, groups, or verified e-mail addresses (case-folded)."""

    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()


class FlowStep(Struct, frozen=True):
    """One step: it is done once `quorum` different people have approved it."""

    name: str
    approvers: Approvers
    quorum: int = 1


class Flow(Struct, frozen=True):
    """A flow of the configuration (`approvals.flows`).

    Args:
        steps: at least one.
        timeout_s: how long approvers have, from the moment that the request was made.
        approves_on_timeout: True if no decision in time approves the call; only where the flow is of low risk.
        remind_every_s: how often those who have not decided are reminded; None if never.
        show_arguments: JSON pointers into the arguments that approvers see unmasked.
        tells_requester: True if the requester gets a message about the end.
        digest: names the flow as it is configured, so that a request that another one was asked for does not count.
    """

    name: str
    steps: tuple[FlowStep, ...]
    timeout_s: float
    approves_on_timeout: bool = False
    remind_every_s: float | None = None
    requester_may_approve: bool = False
    show_arguments: tuple[str, ...] = ()
    tells_requester: bool = True
    digest: Digest = Digest("")
