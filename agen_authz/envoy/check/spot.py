"""A place in a foreign configuration, written or not."""

import re
from dataclasses import dataclass

from agen_authz.config.reading.tree import Path
from agen_authz.envoy.check.source import Node

_TYPE = "@type"
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)(ms|us|ns|s|m|h)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_FALSE_WORDS = ("", "false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Spot:
    """One place; if nothing was written, `line` is that of the nearest part above it that was.

    Nothing raises: a value of another type than asked for reads as if it were not there, except that a switch of
    an unexpected type is on, because a switch that is on is what we warn of.
    """

    node: Node | None
    path: Path
    line: int

    def at(self, *keys: str) -> "Spot":
        """Go to a member by its keys, which are in protobuf's spelling."""
        spot = self
        for key in keys:
            members = spot.node.value if spot.node is not None else None
            node = members.get(key) if isinstance(members, dict) else None
            if node is not None and node.value is None:
                node = None
            spot = Spot(node, (*spot.path, key), spot.line if node is None else node.line)
        return spot

    def items(self) -> tuple["Spot", ...]:
        """Give the items of a list; a mapping in a list's place is its only item."""
        value = self.node.value if self.node is not None else None
        if isinstance(value, list):
            return tuple(Spot(node, (*self.path, index), node.line) for index, node in enumerate(value))
        return (self,) if isinstance(value, dict) else ()

    def members(self) -> tuple[tuple[str, "Spot"], ...]:
        """Give the members of a mapping."""
        value = self.node.value if self.node is not None else None
        return tuple((key, self.at(key)) for key in value) if isinstance(value, dict) else ()

    @property
    def is_written(self) -> bool:
        """True if something other than null is here."""
        return self.node is not None

    @property
    def is_mapping(self) -> bool:
        """True if members, and no items, are here."""
        return self.node is not None and isinstance(self.node.value, dict)

    @property
    def is_on(self) -> bool:
        """True if a switch is on: false, absent, and the words for false are off."""
        value = self.node.value if self.node is not None else False
        if isinstance(value, str):
            return value.lower() not in _FALSE_WORDS
        return value is not False and value != 0

    @property
    def text(self) -> str:
        """Read a word; what is not a word is empty."""
        value = self.node.value if self.node is not None else None
        return value if isinstance(value, str) else ""

    @property
    def word(self) -> str:
        """Read an enumeration's name or number as text."""
        value = self.node.value if self.node is not None else None
        return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""

    @property
    def number(self) -> float | None:
        """Read a number, also one written as text, which protobuf allows."""
        value = self.node.value if self.node is not None else None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        try:
            return float(value)
        except ValueError:
            return None

    @property
    def seconds(self) -> float | None:
        """Read a duration as protobuf, Go or Istio write it: `0.25s`, `250ms`, `1m30s`."""
        parts = _DURATION.findall(self.text)
        if not parts or "".join(amount + unit for amount, unit in parts) != self.text:
            return None
        return sum(float(amount) * _SECONDS[unit] for amount, unit in parts)

    @property
    def words(self) -> tuple[str, ...]:
        """Read a list of words."""
        return tuple(item.text for item in self.items())


def typed(config: Spot) -> tuple[str, Spot]:
    """Give an Any's message name, and the message itself, also from within a TypedStruct."""
    name = config.at(_TYPE).text.rpartition("/")[2]
    if name.endswith(".TypedStruct"):
        return config.at("type_url").text.rpartition("/")[2], config.at("value")
    return name, config
