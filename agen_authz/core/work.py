"""How much work one decision may make: what its conditions read and cost is counted, and bounded."""

from agen_authz.core.ambiguity import Look
from agen_authz.core.cel import MAX_WORK

_WALKED = 60.0


class Work:
    """What one decision has cost so far, and what was found in its call's arguments."""

    __slots__ = ("_charged", "_spent", "look")

    def __init__(self) -> None:
        self.look = Look()
        self._charged = 0
        self._spent = [0.0, 0.0]

    def spend(self, units: float, *, is_watched: bool) -> bool:
        """Spend units, and what was walked since the last time; true if all of it is affordable.

        Args:
            is_watched: for a policy in shadow, which takes nothing from what enforced ones may spend.
        """
        walked = self.look.walked
        self._spent[is_watched] += units + _WALKED * (walked - self._charged)
        self._charged = walked
        return self._spent[is_watched] <= MAX_WORK
