"""What looking at one message may cost: counted, and bounded in proportion to its size."""

from agen_authz.core.masking.rule import Unmaskable

# A unit is about a microsecond. What real messages need is far less.
_BASE, _BY_CHAR = 60_000, 0.2


class Work:
    """What the search has cost so far, in units."""

    __slots__ = ("_left",)

    def __init__(self, chars: int) -> None:
        self._left = _BASE + _BY_CHAR * chars

    def spend(self, units: float) -> None:
        """Spend units.

        Raises:
            Unmaskable: more than is affordable.
        """
        self._left -= units
        if self._left < 0:
            raise Unmaskable("looking for values in it costs too much")
