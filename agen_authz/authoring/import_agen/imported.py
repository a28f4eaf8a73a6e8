"""Import of Agen's policies: its JSON, each condition as CEL; what has no equivalent is an error, never dropped.

Three forms are read. An object with `name`, `action`, `conditions`, optionally `conditionLogic` (`and`, `or`),
`enabled`, `tools`, `message`, and `detectors` if the action is `mask`; what Agen's API returns (`api`); a Terraform
state (`terraform`). A condition is `{attribute, op, negate, value}`, or one nested group of them
(`{conditionLogic, conditions}`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agen_authz.authoring.import_agen.api import is_of_the_api, read_api
from agen_authz.authoring.import_agen.condition import NoEquivalent, import_group, refuse_unknown
from agen_authz.authoring.import_agen.load import find_unloadable
from agen_authz.authoring.import_agen.masking import Masking, read_masking, read_patterns
from agen_authz.authoring.import_agen.plain import (
    APPROVE,
    MASK,
    Group,
    ImportNames,
    Plain,
    check_action,
    check_enabled,
    check_names,
)
from agen_authz.authoring.import_agen.terraform import read_state
from agen_authz.authoring.import_agen.tool import is_terraform, listed

_KEYS = frozenset(
    {"name", "description", "action", "conditions", "conditionLogic", "enabled", "tools", "message", "id"}
)  # fmt: skip
_POLICIES, _PROTECTION = _SECTIONS = ("policies", "data_protection")
# What Agen asks for there (its acr for several factors).
_ACR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gave: policies as our configuration spells them, or every reason why not.

    Args:
        data_protection: what masks, as rules of that section.
    """

    policies: tuple[dict[str, Any], ...]
    errors: tuple[str, ...]
    data_protection: tuple[dict[str, Any], ...] = ()


def import_policies(
    document: Any, *, state: str = "shadow", server: str = "*", names: ImportNames | None = None
) -> Imported:
    """Import Agen's policies; what is returned loads as a configuration's `policies` and `data_protection`.

    Args:
        document: one policy, a list of them, an object with `policies` or `items`, or a Terraform state.
        state: what enabled policies become; disabled ones stay disabled.
        server: the resource whose tools they name.
        names: what the ids in them stand for; it has its own `server`.
    """
    names = ImportNames(server) if names is None else names
    try:
        written: list[Any] = list(read_state(document) if is_terraform(document) else listed(document, "policies"))
        if is_terraform(document):
            names = replace(names, patterns={**read_patterns(document), **names.patterns})
    except ValueError as exc:
        return Imported((), (str(exc),))
    outcomes = [_import(each, state, names) for each in written]
    unloadable = {section: iter(find_unloadable(_pick(outcomes, section), section)) for section in _SECTIONS}
    outcomes = [
        (f"{outcome['name']}: {flaw}" if (flaw := next(unloadable[_section_of(outcome)])) else outcome)
        if isinstance(outcome, dict)
        else _label(written[index], index, outcome)
        for index, outcome in enumerate(outcomes)
    ]
    policies, data_protection = (tuple(_pick(outcomes, section)) for section in _SECTIONS)
    errors = tuple(_one_line(outcome) for outcome in outcomes if isinstance(outcome, str))
    return Imported(policies, errors, data_protection)


def _section_of(outcome: dict[str, Any]) -> str:
    return _POLICIES if "then" in outcome else _PROTECTION


def _pick(outcomes: list[dict[str, Any] | str], section: str) -> list[dict[str, Any]]:
    return [each for each in outcomes if isinstance(each, dict) and _section_of(each) == section]


def _label(written: Any, index: int, error: str) -> str:
    if isinstance(written, NoEquivalent):
        return error
    name = written.get("name") if isinstance(written, dict) else None
    return f"{name if isinstance(name, str) else f'policy {index + 1}'}: {error}"


def _one_line(text: str) -> str:
    # What is quoted is a stranger's: one line of it, without what a terminal would obey.
    return "".join(char if char.isprintable() else "?" for char in text)


def _import(written: Any, state: str, names: ImportNames) -> dict[str, Any] | str:
    try:
        if isinstance(written, NoEquivalent):
            raise written
        return _render(_read(written, names), state)
    except NoEquivalent as exc:
        return str(exc)


def _read(written: Any, names: ImportNames) -> Plain:
    if not isinstance(written, dict) or not isinstance(written.get("name"), str):
        raise NoEquivalent("not a policy with a name")
    return read_api(written, names) if is_of_the_api(written) else _read_flat(written, names)


def _read_flat(written: Mapping[str, Any], names: ImportNames) -> Plain:
    # The action first: what is refused by name is not refused for the settings that belong to it.
    action = check_action(written.get("action"), names)
    refuse_unknown(written, _KEYS | {"detectors"} if action == MASK else _KEYS, "")
    is_enabled, message = check_enabled(written), written.get("message")
    tools = check_names(written.get("tools"), "tools")
    masking = _read_flat_masking(written, names) if action == MASK else None
    if message and not isinstance(message, str):
        raise NoEquivalent("`message` is not text")
    if message and masking is not None:
        raise NoEquivalent("`message` has no equivalent where something is masked")
    group = Group(written.get("conditions", []), written.get("conditionLogic", "and"))
    # Policies there are about tools only, and about all of them if they name none.
    selectors = tuple(f"{names.server}/{tool}" for tool in tools or ("*",))
    return Plain(
        name=written["name"],
        action=action,
        is_enabled=is_enabled,
        tools=selectors,
        group=group,
        message=message or None,
        masking=masking,
        flow=names.flow if action == APPROVE else "",
    )


def _read_flat_masking(written: Mapping[str, Any], names: ImportNames) -> Masking:
    if "detectors" not in written:
        raise NoEquivalent("action `mask`: `detectors` does not say what is masked")
    return read_masking(written["detectors"], names.patterns, "detectors")


def _render(plain: Plain, state: str) -> dict[str, Any]:
    group = plain.group
    imported: dict[str, Any] = {"name": plain.name, "state": state if plain.is_enabled else "disabled"}
    if plain.tools:
        imported["tools"] = list(plain.tools)
    when = [
        *plain.conditions,
        *import_group(group.conditions, group.logic, may_nest=True, where=group.where, places=group.places),
    ]
    if when:
        imported["when"] = when
    if plain.masking is not None:
        return imported | _render_masking(plain.masking)
    imported["then"] = "require_approval" if plain.action == APPROVE else plain.action
    if plain.action == APPROVE:
        imported["flow"] = plain.flow
    if plain.action == "step_up":
        imported["step_up"] = {"acr": [_ACR]}
    if plain.message is not None:
        imported["message"] = plain.message
    return imported


def _render_masking(masking: Masking) -> dict[str, Any]:
    detectors = {"detectors": {"add": list(masking.detectors)}} if masking.detectors else {}
    custom = {"custom": [dict(each) for each in masking.custom]} if masking.custom else {}
    # What is found is redacted there, whatever it is.
    return {**detectors, **custom, "style": {"default": "redact"}}
