"""How every event begins that tells of no decision: definitions, pins, and what was masked."""

from datetime import UTC, datetime


def render_heading(word: str, server: str, request_id: str, policy_set: str, *, now: float) -> dict[str, object]:
    """Render the fields that every event has.

    Args:
        word: what the event tells of, in the place of a decision's word.
    """
    return {
        "time": datetime.fromtimestamp(now, UTC),
        "request_id": request_id,
        "decision": word,
        "reason": "",
        "server": server,
        "policy_set": policy_set,
        "duration_us": 0,
    }
