"""Import of Agen's policies: its JSON, each condition as CEL; what has no equivalent is an error, never dropped.

A policy is an object with `name`, `action`, `conditions`, optionally `conditionLogic` (`and`, `or`), `enabled`,
`tools`, `message`. A condition is `{attribute, op, negate, value}`, or one nested group
`{conditionLogic, conditions}`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agen_authz.core.cel import Mistake
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
_LISTS = frozenset({"user.roles"})
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


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
            name = each.get("name", f"policy {index + 1}") if isinstance(each, dict) else f"policy {index + 1}"
            errors.append(f"{name}: {exc}")
    return Imported(tuple(policies), tuple(errors))


def _import_policy(written: Any, state: str, server: str) -> dict[str, Any]:
    if not isinstance(written, dict) or not isinstance(written.get("name"), str):
        raise _Unknown("not a policy with a name")
    known = {"name", "description", "action", "conditions", "conditionLogic", "enabled", "tools", "message", "id"}
    unknown = sorted(written.keys() - known)
    if unknown:
        raise _Unknown(f"unknown key `{unknown[0]}`")
    action = _action_of(written)
    imported: dict[str, Any] = {"name": written["name"], "state": state if written.get("enabled", True) else "disabled"}
    if written.get("tools"):
        imported["tools"] = [f"{server}/{tool}" for tool in written["tools"]]
    when = _import_group(written.get("conditions", []), written.get("conditionLogic", "and"), may_nest=True)
    if when:
        imported["when"] = when
    imported["then"] = action
    if action == "step_up":
        # What Agen asks for there (its acr for several factors).
        imported["step_up"] = {"acr": ["http://schemas.openid.net/pape/policies/2007/06/multi-factor"]}
    if written.get("message"):
        imported["message"] = written["message"]
    return imported


def _action_of(written: dict[str, Any]) -> str:
    action = written.get("action")
    if action in _NOT_YET:
        raise _Unknown(f"action `{action}`: {_NOT_YET[action]}")
    if action == "allow":
        raise _Unknown("action `allow`: policies only restrict here; write an access rule")
    if action not in _ACTIONS:
        raise _Unknown(f"unknown action `{action}`")
    return str(action)


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
            raise _Unknown(f"`{text}` is not a condition here: {compiled.message}")
    return texts


def _import_one(written: Any, *, may_nest: bool) -> str:
    if not isinstance(written, dict):
        raise _Unknown("a condition is not an object")
    if "conditions" in written:
        if not may_nest:
            raise _Unknown("groups within groups")
        inner = _import_group(written["conditions"], written.get("conditionLogic", "and"), may_nest=False)
        return " && ".join(f"({text})" for text in inner) or "true"
    unknown = sorted(written.keys() - {"attribute", "op", "negate", "value"})
    if unknown:
        raise _Unknown(f"unknown key `{unknown[0]}` of a condition")
    op, negate = written.get("op"), written.get("negate", False)
    render = _OPERATORS.get(op) if isinstance(op, str) else None
    if render is None:
        raise _Unknown(f"unknown operator `{op}`")
    if not isinstance(negate, bool):
        raise _Unknown("`negate` is not true or false")
    text = render(_attribute(written.get("attribute")), written.get("value"))
    return f"!({text})" if negate else text


def _attribute(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise _Unknown("a condition without attribute")
    known = _ATTRIBUTES.get(name.lower())
    if known is not None:
        return known
    if name.lower() == "tool-id":
        raise _Unknown("attribute `tool-id`: tools have no ids here; use `tools`")
    # Everything else is an argument of the call there.
    if not _ARGUMENT.fullmatch(name):
        raise _Unknown(f"attribute `{name}` is neither known nor the name of an argument")
    return name if name.startswith("args.") else f"args.{name}"


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
    # `args` hold whole numbers and fractions alike: compared as doubles, both read the same.
    return repr(float(value))


def _date(value: Any) -> str:
    if not isinstance(value, str) or not _DATE.match(value):
        raise _Unknown("a value is not a date")
    return f'timestamp("{value if "T" in value else f"{value}T00:00:00Z"}")'


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
    return lambda name, value: f"double({name}) {operator} {_number(value)}"


def _between_numbers(name: str, value: Any) -> str:
    low, high = _pair(value)
    return f"double({name}) >= {_number(low)} && double({name}) <= {_number(high)}"


def _is(name: str, value: Any) -> str:
    if not isinstance(value, bool):
        raise _Unknown("a value is not true or false")
    return f"{name} == {str(value).lower()}"


def _moment(name: str) -> str:
    return name if name == "request.time" else f"timestamp({name})"


def _on(name: str, value: Any) -> str:
    return f'{_moment(name)} >= {_date(value)} && {_moment(name)} < {_date(value)} + duration("24h")'


def _when(operator: str) -> Callable[[str, Any], str]:
    return lambda name, value: f"{_moment(name)} {operator} {_date(value)}"


def _on_or_before(name: str, value: Any) -> str:
    # The whole day counts, unless a time of it is given.
    if isinstance(value, str) and "T" in value:
        return f"{_moment(name)} <= {_date(value)}"
    return f'{_moment(name)} < {_date(value)} + duration("24h")'


def _between_dates(name: str, value: Any) -> str:
    first, last = _pair(value)
    return f"{_moment(name)} >= {_date(first)} && {_on_or_before(name, last)}"


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
    "equal": _compare("=="),
    "greater_than": _compare(">"),
    "greater_than_equal": _compare(">="),
    "lower_than": _compare("<"),
    "lower_than_equal": _compare("<="),
    "between_numeric": _between_numbers,
    "is": _is,
    "on": _on,
    "on_or_after": _when(">="),
    "on_or_before": _on_or_before,
    "between_date": _between_dates,
}
