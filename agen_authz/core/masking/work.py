"""What looking at one message may cost: counted, and bounded in proportion to its size and to what is found in it."""

from agen_authz.core.masking.rule import Unmaskable

# A unit is about a microsecond, seldom more than two. Real messages without values need a tenth of a unit for each
# character, and up to one if their words are those of labels.
_AT_LEAST, _BRIEF, _BY_CHAR = 150_000, 20_000, 0.5
# What a value that is found adds: masking it costs more than to search a text without values.
_BY_VALUE, _MAX_VALUES = 300, 25_000


class Allowance:
    """What the search may still cost, in units."""

    __slots__ = ("_left", "_values")

    def __init__(self, chars: int, *, is_brief: bool = False) -> None:
        """Allow for a number of characters.

        Args:
            is_brief: True where a decision waits for it, and nothing is masked.
        """
        self._left = (_BRIEF if is_brief else _AT_LEAST) + _BY_CHAR * chars
        self._values = 0 if is_brief else _MAX_VALUES

    def spend(self, units: float) -> None:
        """Spend units.

        Raises:
            Unmaskable: more than is affordable.
        """
        self._left -= units
        if self._left < 0:
            raise Unmaskable("looking for values in it costs too much")

    def earn(self) -> None:
        """Add what a value that was found may cost, up to a number of values."""
        if self._values > 0:
            self._values -= 1
            self._left += _BY_VALUE
