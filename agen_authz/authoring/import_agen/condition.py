"""Agen's conditions as CEL: groups, attributes, and every operator that has an equivalent."""

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from agen_authz.core.cel.condition import CelType, ConditionMistake
from agen_authz.core.policy.attribute import VARIABLES
from agen_authz.core.policy.table import environment

_MAX_CONDITIONS = 10
# Free text there, our variables here.
_ATTRIBUTES = {
    "ip": "request.ip",
    "country": "request.country",
    "user-agent": "request.user_agent",
    "user_agent": "request.user_agent",
    "roles": "user.roles",
    "user_role": "user.roles",
    "user.email": "user.email",
    "email": "user.email",
    "tool-name": "tool.name",
    "tool_name": "tool.name",
    "tenant": "user.tenant",
    "frontegg.email": "user.email",
    "frontegg.tenantid": "user.tenant",
    "frontegg.userid": "user.subject",
    "date": "request.time",
    "time": "request.time",
}
_GROUP_KEYS = frozenset({"conditions", "conditionLogic"})
_CONDITION_KEYS = frozenset({"attribute", "op", "negate", "value"})
_LISTS = frozenset(name for name, kind in VARIABLES.items() if kind is CelType.STRINGS)
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
# What is below these is ours; below anything else it is an argument's.
_OURS = ("user", "tool", "request", "frontegg")
# The attributes of a token, as Agen names them.
_CLAIMS = "jwt."
_OPEN = ("args.", "inputs.", "user.claims.")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?P<time>T.+)?")
_DAY = timedelta(days=1)
_MAX_SHOWN_CHARS = 80
_MAX_DOUBLE = sys.float_info.max


class NoEquivalent(Exception):
    """There is no equivalent here; the message says of what, and where it is written."""


def at(where: str, message: str) -> str:
    """Begin a message with the place that it is about, if it is known."""
    return f"{where}: {message}" if where else message


def refuse_unknown(written: Mapping[str, Any], known: frozenset[str], of: str, *, where: str = "") -> None:
    """Refuse keys that are not known: what they say would be dropped.

    Raises:
        NoEquivalent: there is one; the message names it.
    """
    unknown = sorted(written.keys() - known)
    if unknown:
        raise NoEquivalent(at(where, f"unknown key `{unknown[0]}`{of}"))


def import_group(
    conditions: Any, logic: Any, *, may_nest: bool, where: str = "", places: Sequence[str] = ()
) -> list[str]:
    """Import conditions; all of those returned must hold.

    Args:
        may_nest: groups within are allowed.
        where: the path of the list, for messages; empty where a policy has one list only.
        places: the path of each condition, if it does not follow from that.

    Raises:
        NoEquivalent: one has none.
    """
    if not isinstance(conditions, list) or len(conditions) > _MAX_CONDITIONS:
        raise NoEquivalent(at(where, f"`conditions` is not a list of at most {_MAX_CONDITIONS}"))
    if str(logic).lower() not in ("and", "or"):
        raise NoEquivalent(at(where, f"unknown conditionLogic `{logic}`"))
    places = places or [f"{where}[{index}]" if where else "" for index in range(len(conditions))]
    texts = [_import_at(each, place, may_nest=may_nest) for each, place in zip(conditions, places, strict=True)]
    if str(logic).lower() == "or" and len(texts) > 1:
        texts = [" || ".join(f"({text})" for text in texts)]
    for text in texts:
        compiled = environment().compile(text)
        if isinstance(compiled, ConditionMistake):
            shown = text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}..."
            raise NoEquivalent(at(where, f"`{shown}` is not a condition here: {compiled.message}"))
    return texts


def _import_at(written: Any, place: str, *, may_nest: bool) -> str:
    if isinstance(written, dict) and "conditions" in written:
        return _import_inner(written, place, may_nest=may_nest)
    try:
        return _import_one(written)
    except NoEquivalent as exc:
        raise NoEquivalent(at(place, str(exc))) from None


def _import_inner(group: dict[str, Any], place: str, *, may_nest: bool) -> str:
    if not may_nest:
        raise NoEquivalent(at(place, "groups within groups"))
    refuse_unknown(group, _GROUP_KEYS, " of a group", where=place)
    where = f"{place}.conditions" if place else ""
    inner = import_group(group["conditions"], group.get("conditionLogic", "and"), may_nest=False, where=where)
    if not inner:
        raise NoEquivalent(at(place, "a group without conditions"))
    return " && ".join(f"({text})" for text in inner)


def _import_one(written: Any) -> str:
    if not isinstance(written, dict):
        raise NoEquivalent("a condition is not an object")
    refuse_unknown(written, _CONDITION_KEYS, " of a condition")
    op, negate = written.get("op"), written.get("negate", False)
    render = _OPERATORS.get(op) if isinstance(op, str) else None
    if render is None:
        raise NoEquivalent(f"unknown operator `{op}`")
    if not isinstance(negate, bool):
        raise NoEquivalent("`negate` is not true or false")
    name = _attribute(written.get("attribute"))
    if VARIABLES.get(name) not in (None, *_FITTING.get(str(op), ())):
        raise NoEquivalent(f"`{op}` does not go with `{name}`")
    text = render(name, written.get("value"))
    return f"!({text})" if negate else text


def _attribute(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise NoEquivalent("a condition without attribute")
    known = _ATTRIBUTES.get(name.lower())
    if known is not None:
        return known
    spelt: str = name
    if name.lower() == "tool-id":
        raise NoEquivalent("attribute `tool-id`: tools have no ids here; use `tools`")
    if spelt.startswith(_CLAIMS):
        spelt = f"user.claims.{spelt.removeprefix(_CLAIMS)}"
    is_ours = spelt.partition(".")[0] in _OURS
    if VARIABLES.get(spelt) not in (None, CelType.OBJECT):
        return spelt
    # Everything else is an argument of the call there.
    if not _ARGUMENT.fullmatch(spelt) or (is_ours and not spelt.startswith(_OPEN)):
        raise NoEquivalent(f"attribute `{name}` is neither known nor the name of an argument")
    return spelt if spelt.startswith(_OPEN) else f"args.{spelt}"


def quote(text: Any) -> str:
    """Write a text as CEL does.

    Raises:
        NoEquivalent: it is not text.
    """
    if not isinstance(text, str):
        raise NoEquivalent("a value is not text")
    escaped = "".join(char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in text)
    return f'"{escaped}"'


# ---- operators -----------------------------------------------------------------------------------------------


def _texts(value: Any) -> list[str]:
    written = value if isinstance(value, list) else [value]
    if not written:
        raise NoEquivalent("a list without values")
    return [quote(each) for each in written]


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NoEquivalent("a value is not a number")
    # Compared as a double, which holds whole numbers and fractions alike.
    if abs(value) > _MAX_DOUBLE or not math.isfinite(value) or float(value) != value:
        raise NoEquivalent("a number that cannot be compared exactly")
    return repr(float(value))


def _moment_of(value: Any) -> tuple[datetime, bool]:
    """Read a date, or a time of it; the second word is whether it is a time."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        moment = datetime.fromisoformat(match[0])
        # A time that names no zone is taken as UTC, as dates are.
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC), match["time"] is not None
    except (ValueError, OverflowError):
        raise NoEquivalent("a value is not a date") from None


def _timestamp(moment: datetime) -> str:
    return f'timestamp("{moment.isoformat().replace("+00:00", "Z")}")'


def _day_after(moment: datetime) -> datetime:
    try:
        return moment + _DAY
    except OverflowError:
        raise NoEquivalent("a value is not a date") from None


def _in_list(name: str, value: Any) -> str:
    values = f"[{', '.join(_texts(value))}]"
    return f"{name}.exists(held, held in {values})" if name in _LISTS else f"{name} in {values}"


def _each(function: str) -> Callable[[str, Any], str]:
    def render(name: str, value: Any) -> str:
        subject = "held" if name in _LISTS else name
        said = " || ".join(f"{subject}.{function}({text})" for text in _texts(value))
        return f"{name}.exists(held, {said})" if name in _LISTS else said

    return render


def _compare(operator: str) -> Callable[[str, Any], str]:
    # Not `double(...)`, which reads text: what is not a number cannot be compared, and what cannot be is denied.
    return lambda name, value: f"{name} {operator} {_number(value)}"


def _equal(name: str, value: Any) -> str:
    # `==` between a text and a number is false; the two comparisons are an error.
    return f"{name} >= {_number(value)} && {name} <= {_number(value)}"


def _between_numbers(name: str, value: Any) -> str:
    low, high = _pair(value)
    return f"{name} >= {_number(low)} && {name} <= {_number(high)}"


def _is(name: str, value: Any) -> str:
    if not isinstance(value, bool):
        raise NoEquivalent("a value is not true or false")
    return f"{name} == {str(value).lower()}"


def _moment(name: str) -> str:
    return name if name == "request.time" else f"timestamp({name})"


def _on(name: str, value: Any) -> str:
    day = _moment_of(value)[0].replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{_moment(name)} >= {_timestamp(day)} && {_moment(name)} < {_timestamp(_day_after(day))}"


def _on_or_after(name: str, value: Any) -> str:
    return f"{_moment(name)} >= {_timestamp(_moment_of(value)[0])}"


def _on_or_before(name: str, value: Any) -> str:
    # The whole day counts, unless a time of it is given.
    moment, is_time = _moment_of(value)
    if is_time:
        return f"{_moment(name)} <= {_timestamp(moment)}"
    return f"{_moment(name)} < {_timestamp(_day_after(moment))}"


def _between_dates(name: str, value: Any) -> str:
    first, last = _pair(value)
    return f"{_on_or_after(name, first)} && {_on_or_before(name, last)}"


def _pair(value: Any) -> Sequence[Any]:
    if isinstance(value, Mapping):
        value = [value.get("start", value.get("from")), value.get("end", value.get("to"))]
    if not isinstance(value, list) or len(value) != 2:
        raise NoEquivalent("a value is not a pair")
    return value


_OPERATORS: dict[str, Callable[[str, Any], str]] = {
    "in_list": _in_list,
    "starts_with": _each("startsWith"),
    "ends_with": _each("endsWith"),
    "contains": _each("contains"),
    "matches": _each("matches"),
    "equal": _equal,
    "greater_than": _compare(">"),
    "greater_than_equal": _compare(">="),
    "lower_than": _compare("<"),
    "lower_than_equal": _compare("<="),
    "between_numeric": _between_numbers,
    "is": _is,
    "on": _on,
    "on_or_after": _on_or_after,
    "on_or_before": _on_or_before,
    "between_date": _between_dates,
}
# Which of our variables an operator can read; what has no type of its own (an argument) goes with all.
_TEXT = (CelType.STRING, CelType.STRINGS)
_FITTING: dict[str, tuple[CelType, ...]] = {
    **dict.fromkeys(("in_list", "starts_with", "ends_with", "contains", "matches"), _TEXT),
    **dict.fromkeys(("on", "on_or_after", "on_or_before", "between_date"), (CelType.TIMESTAMP,)),
    "is": (CelType.BOOL,),
}
