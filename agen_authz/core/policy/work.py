"""How much work one decision, or one list, may make: what its conditions read and cost is counted, and bounded."""

from collections.abc import Mapping

from agen_authz.core.cel.condition import MAX_WORK
from agen_authz.core.masking import list_detected
from agen_authz.core.model import Json
from agen_authz.core.policy.ambiguity import Look

_WALKED = 60.0
# What it costs to ask the library anything.
_ASKED = 5_000.0
MAX_LIST_WORK = 40 * MAX_WORK
"""What conditions may cost for all entries of one list: a second, or 40,000 of the cheapest."""
MAX_DETECTED = 32 * 1024
"""How many characters of a call's arguments and answers are searched for `detected`."""


class Work:
    """What one decision has cost so far, and what was found in its call's arguments.

    Attributes:
        done: units of all that was affordable, with what it costs to ask.
    """

    __slots__ = ("_charged", "_detected", "_look", "_spent", "_spent_watching", "done")

    def __init__(self) -> None:
        # Most decisions need none of it.
        self._look: Look | None = None
        self._detected: tuple[frozenset[str] | None] | None = None
        self._charged = 0
        self._spent = self._spent_watching = self.done = 0.0

    @property
    def look(self) -> Look:
        """What was found in the arguments so far."""
        if self._look is None:
            self._look = Look()
        return self._look

    def detect(self, arguments: Mapping[str, Json] | None, inputs: Mapping[str, Json] | None) -> list[str] | None:
        """List the detectors that find something in what one call brings; None if that is more than may be searched.

        The first call's answer is kept: a decision is about one call.
        """
        if not arguments and not inputs:
            return []
        if self._detected is None:
            self._detected = (list_detected([dict(arguments or {}), dict(inputs or {})], MAX_DETECTED),)
        found = self._detected[0]
        return None if found is None else sorted(found)

    def spend(self, units: float, *, is_watched: bool) -> bool:
        """Spend units, and what was walked since the last time; true if all of it is affordable.

        Args:
            is_watched: for a policy in shadow, which takes nothing from what enforced ones may spend.
        """
        if self._look is not None:
            units += _WALKED * (self._look.walked - self._charged)
            self._charged = self._look.walked
        if is_watched:
            self._spent_watching += units
        else:
            self._spent += units
        is_affordable = (self._spent_watching if is_watched else self._spent) <= MAX_WORK
        if is_affordable:
            self.done += units + _ASKED
        return is_affordable
