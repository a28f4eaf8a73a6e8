"""How much work one decision may make: what its conditions read and cost is counted, and bounded."""

from agen_authz.core.cel.condition import MAX_WORK
from agen_authz.core.policy.ambiguity import Look

_WALKED = 60.0


class Work:
    """What one decision has cost so far, and what was found in its call's arguments."""

    __slots__ = ("_charged", "_look", "_spent", "_spent_watching")

    def __init__(self) -> None:
        # Most decisions need none of it.
        self._look: Look | None = None
        self._charged = 0
        self._spent = self._spent_watching = 0.0

    @property
    def look(self) -> Look:
        """What was found in the arguments so far."""
        if self._look is None:
            self._look = Look()
        return self._look

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
            return self._spent_watching <= MAX_WORK
        self._spent += units
        return self._spent <= MAX_WORK
