"""Import of Agen's policies: its JSON, each condition as CEL; what has no equivalent is an error, never dropped.

A policy is an object with `name`, `action`, `conditions`, optionally `conditionLogic` (`and`, `or`), `enabled`,
`tools`, `message`. A condition is `{attribute, op, negate, value}`, or one nested group
`{conditionLogic, conditions}`.
"""

import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agen_authz.core.attribute import VARIABLES
from agen_authz.core.cel import CelType, Mistake
from agen_authz.core.policy import environment

_ACTIONS = ("deny", "step_up")
_NOT_YET = {"mask": "masking is not available yet", "approval_required": "approvals are not available yet"}
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
    "date": "request.time",
    "time": "request.time",
}
_KEYS = frozenset(
    {"name", "description", "action", "conditions", "conditionLogic", "enabled", "tools", "message", "id"}
)  # fmt: skip
_GROUP_KEYS = frozenset({"conditions", "conditionLogic"})
_CONDITION_KEYS = frozenset({"attribute", "op", "negate", "value"})
_LISTS = frozenset(name for name, kind in VARIABLES.items() if kind is CelType.STRINGS)
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
# What stands below these is ours; below anything else it is an argument's.
_OURS = ("user", "tool", "request")
_OPEN = ("args.", "inputs.", "user.claims.")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?P<time>T.+)?")
_DAY = timedelta(days=1)
_MAX_SHOWN_CHARS = 80
_MAX_DOUBLE = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gave: policies as our configuration spells them, or every reason why not."""

    policies: tuple[dict[str, Any], ...]
    errors: tuple[str, ...]


class _Unknown(Exception):
    """There is no equivalent; the message says of what."""


def import_policies(document: Any, *, state: str = "shadow", server: str = "*") -> Imported:
    """Import Agen's policies.

    Args:
        document: one policy, a list of them, or an object with `policies`.
        state: what enabled policies become; disabled ones stay disabled.
        server: the resource whose tools they name.
    """
    listed = document.get("policies", document) if isinstance(document, dict) else document
    written = listed if isinstance(listed, list) else [listed]
    policies, errors = [], []
    for index, each in enumerate(written):
        try:
            policies.append(_import_policy(each, state, server))
        except _Unknown as exc:
            name = each.get("name") if isinstance(each, dict) else None
            # What is quoted is a stranger's: one line of it, without what a terminal would obey.
            line = f"{name if isinstance(name, str) else f'policy {index + 1}'}: {exc}"
            errors.append("".join(char if char.isprintable() else "?" for char in line))
    return Imported(tuple(policies), tuple(errors))


def _import_policy(written: Any, state: str, server: str) -> dict[str, Any]:
    if not isinstance(written, dict) or not isinstance(written.get("name"), str):
        raise _Unknown("not a policy with a name")
    # The action first: what is refused by name is not refused for the settings that belong to it.
    action = _action_of(written)
    _refuse_unknown(written, _KEYS, "")
    is_enabled, message = written.get("enabled", True), written.get("message")
    if not isinstance(is_enabled, bool):
        raise _Unknown("`enabled` is not true or false")
    imported: dict[str, Any] = {"name": written["name"], "state": state if is_enabled else "disabled"}
    tools = _names_of(written.get("tools"))
    if tools:
        imported["tools"] = [f"{server}/{tool}" for tool in tools]
    when = _import_group(written.get("conditions", []), written.get("conditionLogic", "and"), may_nest=True)
    if when:
        imported["when"] = when
    imported["then"] = action
    if action == "step_up":
        # What Agen asks for there (its acr for several factors).
        imported["step_up"] = {"acr": ["http://schemas.openid.net/pape/policies/2007/06/multi-factor"]}
    if message:
        if not isinstance(message, str):
            raise _Unknown("`message` is not text")
        imported["message"] = message
    return imported


def _refuse_unknown(written: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(written.keys() - known)
    if unknown:
        raise _Unknown(f"unknown key `{unknown[0]}`{where}")


def _names_of(tools: Any) -> list[str]:
    if tools is None:
        return []
    if not isinstance(tools, list) or not all(isinstance(tool, str) and tool for tool in tools):
        raise _Unknown("`tools` is not a list of names")
    for tool in tools:
        if "*" in tool:
            raise _Unknown(f"tool `{tool}`: here * stands for any name")
    return tools


def _action_of(written: dict[str, Any]) -> str:
    action = written.get("action")
    if not isinstance(action, str):
        raise _Unknown(f"unknown action `{action}`")
    if action in _NOT_YET:
        raise _Unknown(f"action `{action}`: {_NOT_YET[action]}")
    if action == "allow":
        raise _Unknown("action `allow`: policies only restrict here; write an access rule")
    if action not in _ACTIONS:
        raise _Unknown(f"unknown action `{action}`")
    return action


def _import_group(conditions: Any, logic: Any, *, may_nest: bool) -> list[str]:
    if not isinstance(conditions, list) or len(conditions) > _MAX_CONDITIONS:
        raise _Unknown(f"`conditions` is not a list of at most {_MAX_CONDITIONS}")
    if str(logic).lower() not in ("and", "or"):
        raise _Unknown(f"unknown conditionLogic `{logic}`")
    texts = [_import_one(each, may_nest=may_nest) for each in conditions]
    if str(logic).lower() == "or" and len(texts) > 1:
        texts = [" || ".join(f"({text})" for text in texts)]
    for text in texts:
        compiled = environment().compile(text)
        if isinstance(compiled, Mistake):
            shown = text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}..."
            raise _Unknown(f"`{shown}` is not a condition here: {compiled.message}")
    return texts


def _import_one(written: Any, *, may_nest: bool) -> str:
    if not isinstance(written, dict):
        raise _Unknown("a condition is not an object")
    if "conditions" in written:
        if not may_nest:
            raise _Unknown("groups within groups")
        _refuse_unknown(written, _GROUP_KEYS, " of a group")
        inner = _import_group(written["conditions"], written.get("conditionLogic", "and"), may_nest=False)
        if not inner:
            raise _Unknown("a group without conditions")
        return " && ".join(f"({text})" for text in inner)
    _refuse_unknown(written, _CONDITION_KEYS, " of a condition")
    op, negate = written.get("op"), written.get("negate", False)
    render = _OPERATORS.get(op) if isinstance(op, str) else None
    if render is None:
        raise _Unknown(f"unknown operator `{op}`")
    if not isinstance(negate, bool):
        raise _Unknown("`negate` is not true or false")
    name = _attribute(written.get("attribute"))
    if VARIABLES.get(name) not in (None, *_FITTING.get(str(op), ())):
        raise _Unknown(f"`{op}` does not go with `{name}`")
    text = render(name, written.get("value"))
    return f"!({text})" if negate else text


def _attribute(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise _Unknown("a condition without attribute")
    known = _ATTRIBUTES.get(name.lower())
    if known is not None:
        return known
    if name.lower() == "tool-id":
        raise _Unknown("attribute `tool-id`: tools have no ids here; use `tools`")
    is_ours = name.partition(".")[0] in _OURS
    if VARIABLES.get(name) not in (None, CelType.OBJECT):
        return name
    # Everything else is an argument of the call there.
    if not _ARGUMENT.fullmatch(name) or (is_ours and not name.startswith(_OPEN)):
        raise _Unknown(f"attribute `{name}` is neither known nor the name of an argument")
    return name if name.startswith(_OPEN) else f"args.{name}"


# ---- operators -----------------------------------------------------------------------------------------------


def _quote(text: Any) -> str:
    if not isinstance(text, str):
        raise _Unknown("a value is not text")
    escaped = "".join(char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in text)
    return f'"{escaped}"'


def _texts(value: Any) -> list[str]:
    written = value if isinstance(value, list) else [value]
    if not written:
        raise _Unknown("a list without values")
    return [_quote(each) for each in written]


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Unknown("a value is not a number")
    # Compared as a double, which holds whole numbers and fractions alike.
    if abs(value) > _MAX_DOUBLE or not math.isfinite(value) or float(value) != value:
        raise _Unknown("a number that cannot be compared exactly")
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
        raise _Unknown("a value is not a date") from None


def _timestamp(moment: datetime) -> str:
    return f'timestamp("{moment.isoformat().replace("+00:00", "Z")}")'


def _day_after(moment: datetime) -> datetime:
    try:
        return moment + _DAY
    except OverflowError:
        raise _Unknown("a value is not a date") from None


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
    # Not `double(...)`, which reads text: what is no number cannot be compared, and what cannot be is denied.
    return lambda name, value: f"{name} {operator} {_number(value)}"


def _equal(name: str, value: Any) -> str:
    # `==` between a text and a number is false; the two comparisons are an error.
    return f"{name} >= {_number(value)} && {name} <= {_number(value)}"


def _between_numbers(name: str, value: Any) -> str:
    low, high = _pair(value)
    return f"{name} >= {_number(low)} && {name} <= {_number(high)}"


def _is(name: str, value: Any) -> str:
    if not isinstance(value, bool):
        raise _Unknown("a value is not true or false")
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
        raise _Unknown("a value is not a pair")
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
