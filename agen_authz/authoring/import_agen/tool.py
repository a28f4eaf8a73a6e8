"""Agen's tools by their ids, from its API's list of them or a Terraform state."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TERRAFORM = ("values", "planned_values")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's name, and the id of its application if it is known."""

    name: str
    app: str = ""


def read_tools(document: Any) -> dict[str, Tool]:
    """Read a list of tools.

    Raises:
        ValueError: it holds none, or is one page of several.
    """
    resources = list(walk_terraform(document))
    entries = [
        values for resource in resources for values in _tools_of(str(resource.get("type")), resource.get("values"))
    ] or listed(document, "tools")
    tools = {
        entry["id"]: Tool(entry["name"], str(entry.get("appId") or entry.get("application_id") or ""))
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), str) and isinstance(entry.get("name"), str)
    }
    if not tools:
        raise ValueError("holds no tools with `id` and `name`")
    return tools


def _tools_of(kind: str, values: Any) -> list[Any]:
    if not isinstance(values, dict):
        return []
    if kind.endswith("_tools"):
        held = values.get("tools")
        return held if isinstance(held, list) else []
    return [values] if kind.endswith("_tool") else []


def listed(document: Any, key: str) -> list[Any]:
    """Give the entries of a list, also of one within an object, as an API answers.

    Raises:
        ValueError: it is one page of several.
    """
    if not isinstance(document, dict):
        return document if isinstance(document, list) else [document]
    pages = document.get("_metadata")
    total = pages.get("totalPages") if isinstance(pages, dict) else None
    if isinstance(total, int) and total > 1:
        raise ValueError(f"one page of {total}; give all of them in one list")
    held = next((document[name] for name in (key, "items") if name in document), document)
    return held if isinstance(held, list) else [held]


def is_terraform(document: Any) -> bool:
    """True if a document is what `terraform show -json` writes."""
    if not isinstance(document, dict):
        return False
    return any(isinstance(document.get(key), dict) and "root_module" in document[key] for key in _TERRAFORM)


def walk_terraform(document: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the resources of a Terraform state or plan, of all modules."""
    if not is_terraform(document):
        return
    pending = [document[key]["root_module"] for key in _TERRAFORM if isinstance(document.get(key), dict)]
    while pending:
        module = pending.pop(0)
        if isinstance(module, dict):
            yield from (each for each in _list_of(module, "resources") if isinstance(each, dict))
            pending.extend(_list_of(module, "child_modules"))


def _list_of(module: Mapping[str, Any], key: str) -> list[Any]:
    held = module.get(key)
    return held if isinstance(held, list) else []
