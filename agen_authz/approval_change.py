"""A change of a request for approval, written with the messages that tell of it: by Check, the console or the clock."""

from agen_authz.core.approval.flow import Flow
from agen_authz.core.approval.request import ApprovalRequest, Notice
from agen_authz.core.approval.tell import tell
from agen_authz.ports import Entropy
from agen_authz.ports.approval import ApprovalStore

_ID_BYTES = 16


def draw_id(entropy: Entropy) -> str:
    """Draw the id of a request or a message: 32 hex digits."""
    return entropy.draw(_ID_BYTES).hex()


def list_messages(
    before: ApprovalRequest | None, after: ApprovalRequest, flow: Flow | None, entropy: Entropy, now: float
) -> tuple[Notice, ...]:
    """List the messages that tell of a change, each with its own id; `before` is None for a new request."""
    return tell(before, after, flow, lambda: draw_id(entropy), now)


async def write_change(
    store: ApprovalStore,
    change: tuple[ApprovalRequest, ApprovalRequest],
    flow: Flow | None,
    entropy: Entropy,
    now: float,
) -> bool:
    """Write what a request became; False if it was changed meanwhile, and nothing is written then.

    Args:
        change: the request before and after.

    Raises:
        Unavailable: the store did not answer.
    """
    before, after = change
    return await store.change(before, after, list_messages(before, after, flow, entropy, now))
