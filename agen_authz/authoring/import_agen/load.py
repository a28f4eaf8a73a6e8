"""True if imported policies load: they are tried in a configuration that has all that conditions can read."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from agen_authz.config import find_problems
from agen_authz.core.errors import Problem
from agen_authz.core.policy.attribute import ATTRIBUTES

_PLACE = re.compile(r"(?:policies|data_protection)\[(\d+)\](?:\.(.+))?")
_FILE = "policies"


def render_policies(policies: Iterable[Mapping[str, Any]], section: str = _FILE) -> str:
    """Render policies, or the rules of `data_protection`, as that section of a configuration file."""
    return yaml.safe_dump({section: list(policies)}, sort_keys=False, width=120)


def find_unloadable(policies: list[dict[str, Any]], section: str = _FILE) -> list[str]:
    """Say of each policy (or rule) why it does not load; empty if it does, given that it reads what is configured."""
    flaws = [""] * len(policies)
    for _ in policies:
        left = [index for index, flaw in enumerate(flaws) if not flaw]
        found = _find_flaws([policies[index] for index in left], section)
        if not found:
            break
        # What is refused may hide, or cause, what else is found: the others are tried again without it.
        for at, flaw in found.items():
            flaws[left[at]] = flaw
    return flaws


def list_needs(policies: list[dict[str, Any]], rules: list[dict[str, Any]] | None = None) -> list[str]:
    """Say what else a configuration must name, because policies (and rules of `data_protection`) that load read it."""
    rules = rules or []
    text = _surround([*policies, *rules], is_bare=True) + render_policies(policies)
    text += render_policies(rules, "data_protection")
    return list(dict.fromkeys(problem.cure for problem in find_problems(text, _FILE)))


def _find_flaws(policies: list[dict[str, Any]], section: str) -> dict[int, str]:
    problems = find_problems(_surround(policies) + render_policies(policies, section), _FILE) if policies else ()
    placed = [(_PLACE.fullmatch(problem.path), problem) for problem in problems]
    found = {int(match[1]): _spell(match[2], problem) for match, problem in reversed(placed) if match is not None}
    if problems and not found:
        return dict.fromkeys(range(len(policies)), _spell(problems[0].path, problems[0]))
    return found


def _spell(path: str | None, problem: Problem) -> str:
    return f"{f'`{path}`: ' if path else ''}{problem.message}; {problem.cure}"


def _surround(policies: list[dict[str, Any]], *, is_bare: bool = False) -> str:
    """Write the rest of a configuration: a resource for each that is named, and unless bare, every attribute known."""
    selectors = [selector for policy in policies for selector in policy.get("tools", ())]
    servers = sorted({selector.partition("/")[0].lower().replace("*", "x") for selector in selectors} | {"x"})
    claims = {each.claim: each.claim for each in ATTRIBUTES.values() if each.claim is not None}
    provider = {
        "name": "x", "issuer": "https://id.example.com/", "tenants": "any", "roles": "any",
        **({} if is_bare else {"claims": claims}),
    }  # fmt: skip
    resources = [
        {
            "name": server, "url": f"https://mcp.example.com/{index}/mcp", "providers": ["x"],
            "insecure_unsigned": True,
        }
        for index, server in enumerate(servers)
    ]  # fmt: skip
    config = {
        "version": 1,
        "server": {"authz": "127.0.0.1:9191"},
        **({} if is_bare else {"country_header": "x-country", "trusted_proxies": ["192.0.2.0/24"]}),
        "providers": [provider],
        "resources": resources,
        "access": {"mapping": "roles", "rules": [{"name": "x", "tools": [f"{servers[0]}/x"], "allow": ["x"]}]},
        **({} if is_bare else _approve(sorted({policy["flow"] for policy in policies if "flow" in policy}))),
    }
    return yaml.safe_dump(config, sort_keys=False)


def _approve(flows: list[str]) -> dict[str, Any]:
    """Write what the named flows need."""
    if not flows:
        return {}
    steps = [{"name": "x", "approvers": {"roles": ["x"]}}]
    listed = [{"name": name, "steps": steps, "timeout": "1h"} for name in flows]
    approvals = {"base_url": "https://x.example.com", "flows": listed}
    return {"approvals": approvals, "store": {"encryption_key_file": "/x"}}
