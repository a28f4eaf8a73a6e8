"""The log of refused tokens: one line a minute for each resource and Reason, so that strangers cannot fill the log."""

import logging
from threading import Lock

from agen_authz.core.errors import Rejected
from agen_authz.core.reason import Reason

_LOG = logging.getLogger(__name__)
_INTERVAL_S = 60.0
# Every client begins without a token, and every token ends: nothing is wrong with either.
_USUAL = frozenset({Reason.TOKEN_MISSING, Reason.TOKEN_EXPIRED})


class RefusalLog:
    """Logs what a refused token says and what is wanted; each audit event has it as well."""

    def __init__(self) -> None:
        self._lock = Lock()
        # INVARIANT: as many keys as resources times Reasons, which are both closed sets.
        self._last: dict[tuple[str, Reason], float] = {}
        self._unsaid: dict[tuple[str, Reason], int] = {}

    def note(self, resource: str, refused: Rejected, elapsed_s: float) -> None:
        """Log a refusal, or count it if one of its kind was logged within a minute."""
        if refused.reason in _USUAL:
            return
        key = (resource, refused.reason)
        with self._lock:
            last = self._last.get(key)
            if last is not None and elapsed_s - last < _INTERVAL_S:
                self._unsaid[key] = self._unsaid.get(key, 0) + 1
                return
            self._last[key] = elapsed_s
            unsaid = self._unsaid.pop(key, 0)
        told = {"resource": resource, "reason": refused.reason.value, "why": refused.detail, "not_logged": unsaid}
        _LOG.warning("a token was refused", extra=told)
