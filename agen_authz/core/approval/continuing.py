"""Calls that continue one that the backend answered with a question (MCP 2026-07-28, multi round-trip requests).

Such a call carries the `requestState` that came with the question. Only the backend knows what is in it: it may name
another amount or another customer than the arguments that policies and approvers see. So a call to what a policy may
want approved carries a state only if this backend has sent it to this caller, for this target and these arguments,
whether or not the policy applies to these. Process notes each state before it leaves.

What is noted is kept where tasks are, under a server's name that no resource can have.
"""

import hashlib
from collections.abc import Mapping

from agen_authz.core.approval.parameters import digest_call
from agen_authz.core.model import Call, Digest, Envelope, Era, Json, Owner, Target

STATE_KEY = "requestState"
# MCP 2026-07-28: only these may be answered with a question.
CONTINUED_METHODS = frozenset({"tools/call", "resources/read", "prompts/get"})


def may_ask(method: str, envelope: Envelope) -> bool:
    """True if the answer to a call may be a question."""
    return envelope.era is Era.MODERN and method in CONTINUED_METHODS


def name_place(server: str) -> str:
    """Name the place of a server's states; a resource's name has no space in it."""
    return f"{server} states"


def name_arguments(call: Call, key: bytes) -> Digest:
    """Name the arguments that a state is good for, by a keyed digest."""
    return digest_call({"params": {"arguments": call.arguments}}, {}, key)


def name_state(owner: Owner, target: Target, arguments: Digest, state: str) -> str:
    """Name a state that was sent to a caller for a call: SHA-256 over every part with its length, as hex.

    Different callers may be sent the same state, if a backend keeps nothing in it that is the caller's.

    Args:
        arguments: from `name_arguments`.
    """
    written = (owner.issuer, owner.subject, target.kind.value, target.name, arguments, state)
    parts = [part.encode("utf-8", "surrogatepass") for part in written]
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()


def find_state(result: Mapping[str, Json]) -> str | None:
    """Find the state that an answer sends along with a question."""
    state = result.get(STATE_KEY) if result.get("resultType") == "input_required" else None
    return state if isinstance(state, str) else None
