"""What a check of given arguments costs, known before it is made: the library cannot be stopped once it has begun.

A schema may ask for more than any caller would wait for: two references in `anyOf` double at each level of arguments.
So arguments are walked once. At each value it is known which subschemas are about it and how many times each of them is
asked (a `Toll`), and that is what the value costs. The walk counts too much rather than too little: every branch is
asked, `patternProperties` match every name, and every item is each of `prefixItems`.

All tolls that a schema can have are worked out when it is compiled; one that would have too many is refused.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from agen_authz.core.arguments.graph import BadSchema, Graph, Subschema
from agen_authz.core.arguments.pattern import price_pattern
from agen_authz.core.model import Json

# A unit is about 25 ns of the machine of docs/performance.md; all of them are 200 ms.
MAX_COST = 8_000_000
_SUBSCHEMA, _ENTRY, _MULTIPLE, _UNIQUE = 8, 2, 1000, 12
_CHARS_A_UNIT = 32
# A tree of subschemas, which has one toll for each of them, never reaches either.
_MAX_TOLLS, _MAX_ASKED = 20_000, 100_000
# Subschemas about one value, times the names of its members; together some half a second.
_MAX_PAIRS = 300_000
# As often as this is more than can be paid.
_MAX_TIMES = MAX_COST
# Values whose cost depends on what is in them.
_LARGER = (str, list, dict)
_UNEVALUATED = frozenset({"unevaluatedProperties", "unevaluatedItems"})

# How many times each subschema is asked about a value, by its number; those that are about the same value included.
Asked: TypeAlias = tuple[tuple[int, int], ...]


class Toll:
    """What is asked about one value, and what that costs.

    Args:
        asks: how many times any subschema is asked; 0 if the schema says nothing of the value.
        price: for the value itself.
        char_price: for each character, if it is a string.
        name_price: for each member, if it is an object, and `name_char_price` for each character of its name.
        unique: how many times its items are compared with each other.
        members: the tolls of members that the schema names, and `other` of all other members.
        item: the toll of its items.
    """

    __slots__ = (
        "asks", "char_price", "item", "members", "name_char_price", "name_price", "other", "price", "unique",
    )  # fmt: skip

    def __init__(self, asked: Asked, naming: Asked, prices: "tuple[_Price, ...]") -> None:
        self.asks = sum(times for _, times in asked)
        self.price = sum(prices[number].value * times for number, times in asked)
        self.char_price = sum(prices[number].char * times for number, times in asked)
        self.unique = sum(prices[number].unique * times for number, times in asked)
        # A name is a value, too, of which `propertyNames` asks.
        self.name_price = sum(prices[number].name * times for number, times in asked)
        self.name_price += sum(prices[number].value * times for number, times in naming)
        self.name_char_price = sum(prices[number].name_char * times for number, times in asked)
        self.name_char_price += sum((prices[number].char + 1) * times for number, times in naming)
        self.members: dict[str, Toll] = {}
        # Until they are known.
        self.other: Toll = self
        self.item: Toll = self


def measure(arguments: Json, toll: Toll, budget: int = MAX_COST) -> int:
    """Say what a check costs; more than `budget` if it is not affordable, and then not how much more."""
    spent = 0
    # Each value with its toll, and how many times it is compared as part of an item of a list.
    pending: list[tuple[Json, Toll, int]] = [(arguments, toll, 0)]
    while pending and spent <= budget:
        value, toll, compared = pending.pop()
        spent += toll.price + compared * _UNIQUE
        if isinstance(value, str):
            chars = len(value)
            spent += chars * toll.char_price + (toll.asks + compared) * chars // _CHARS_A_UNIT
        elif isinstance(value, dict):
            spent += _walk_members(value, toll, compared, pending)
        elif isinstance(value, list):
            spent += _walk_items(value, toll, compared, pending)
    return spent


def _walk_members(value: dict[str, Json], toll: Toll, compared: int, pending: list[tuple[Json, Toll, int]]) -> int:
    members, other = toll.members, toll.other
    for name, held in value.items():
        following = members.get(name, other)
        if following.asks or compared:
            pending.append((held, following, compared))
    spent = len(value) * toll.name_price
    if toll.name_char_price or compared:
        spent += sum(map(len, value)) * (toll.name_char_price + compared)
    return spent


def _walk_items(value: list[Json], toll: Toll, compared: int, pending: list[tuple[Json, Toll, int]]) -> int:
    item = toll.item
    compared = min(compared + toll.unique, _MAX_TIMES)
    if not (item.asks or compared):
        return 0
    larger = [each for each in value if isinstance(each, _LARGER)]
    pending.extend((each, item, compared) for each in larger)
    return (len(value) - len(larger)) * (item.price + compared * _UNIQUE)


class _Price(Struct, frozen=True):
    value: int
    char: int
    name: int
    name_char: int
    unique: int


def set_tolls(graph: Graph) -> Toll | BadSchema:
    """Work out all tolls of a schema; the result is that of the arguments as a whole."""
    maker = _TollMaker(graph)
    return maker.make() or BadSchema("too many subschemas are about one value in too many ways")


class _TollMaker:
    def __init__(self, graph: Graph) -> None:
        self._nodes = graph.nodes
        self._prices = tuple(_price(node) for node in graph.nodes)
        self._made: dict[Asked, Toll] = {}
        self._pending: list[Asked] = []
        self._asked = self._pairs = 0

    def make(self) -> Toll | None:
        """Make the toll of the whole, and every toll that leads to; None if they are too many."""
        first = self._find({0: 1})
        while self._pending:
            if len(self._made) > _MAX_TOLLS or self._asked > _MAX_ASKED:
                return None
            asked = self._pending.pop()
            toll = self._made[asked]
            asking = [(self._nodes[number], times) for number, times in asked]
            names = {name for node, _ in asking for name in node.maps.get("properties", ())}
            # Each of them is asked about each name, and about all others.
            self._pairs += len(asking) * (len(names) + 2)
            if self._pairs > _MAX_PAIRS:
                return None
            for name in names:
                toll.members[name] = self._find(_gather((_list_members(node, name), times) for node, times in asking))
            toll.other = self._find(_gather((_list_members(node, None), times) for node, times in asking))
            toll.item = self._find(_gather((_list_items(node), times) for node, times in asking))
        return first

    def _find(self, first: dict[int, int]) -> Toll:
        self._asked += 1
        asked = self._spread(first)
        if asked not in self._made:
            named = _gather((_list_naming(self._nodes[number]), times) for number, times in asked)
            self._made[asked] = Toll(asked, self._spread(named), self._prices)
            self._pending.append(asked)
        return self._made[asked]

    def _spread(self, first: dict[int, int]) -> Asked:
        """Add the subschemas that are about the same value, however many steps away."""
        asked: dict[int, int] = {}
        pending = first
        # INVARIANT: it ends, for no chain of subschemas is longer than MAX_CHAIN.
        while pending:
            self._asked += len(pending)
            following: list[tuple[Iterable[int], int]] = []
            for number, times in pending.items():
                node = self._nodes[number]
                # `unevaluated...` asks once more what the others have found.
                times = min(times * 2, _MAX_TIMES) if _UNEVALUATED & node.schemas.keys() else times
                asked[number] = min(asked.get(number, 0) + times, _MAX_TIMES)
                following.append((node.list_same(), times))
            pending = _gather(following)
        return tuple(sorted(asked.items()))


def _gather(following: Iterable[tuple[Iterable[int], int]]) -> dict[int, int]:
    gathered: dict[int, int] = {}
    for numbers, times in following:
        for number in numbers:
            gathered[number] = min(gathered.get(number, 0) + times, _MAX_TIMES)
    return gathered


def _list_members(node: Subschema, name: str | None) -> list[int]:
    found = list(node.maps.get("patternProperties", {}).values())
    properties = node.maps.get("properties", {})
    if name is not None and name in properties:
        found.append(properties[name])
    elif "additionalProperties" in node.schemas:
        found.append(node.schemas["additionalProperties"])
    if "unevaluatedProperties" in node.schemas:
        found.append(node.schemas["unevaluatedProperties"])
    return found


def _list_items(node: Subschema) -> list[int]:
    found = [each for keyword in ("prefixItems", "items") for each in node.lists.get(keyword, ())]
    keywords = ("items", "additionalItems", "contains", "unevaluatedItems")
    return found + [node.schemas[each] for each in keywords if each in node.schemas]


def _list_naming(node: Subschema) -> list[int]:
    return [node.schemas["propertyNames"]] if "propertyNames" in node.schemas else []


def _price(node: Subschema) -> _Price:
    pattern = node.plain.get("pattern")
    patterns = node.maps.get("patternProperties", {})
    looks_at_names = patterns or node.schemas.keys() & {"additionalProperties", "unevaluatedProperties"}
    value = _SUBSCHEMA + _ENTRY * (_count(node.plain) + sum(map(len, node.maps.values())) + _count(node.names))
    return _Price(
        value=value + (_MULTIPLE if "multipleOf" in node.plain else 0),
        char=price_pattern(pattern) if isinstance(pattern, str) else 0,
        name=_SUBSCHEMA * (1 + len(patterns)) if looks_at_names else 0,
        name_char=sum(map(price_pattern, patterns)),
        unique=int(node.plain.get("uniqueItems") is True),
    )


def _count(value: Json | Mapping[str, Json]) -> int:
    """Count the values and the characters that a value may be compared with."""
    counted, pending = 0, [value]
    while pending:
        each = pending.pop()
        counted += 1
        if isinstance(each, str):
            counted += len(each) // _CHARS_A_UNIT
        elif isinstance(each, Mapping):
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
    return counted
