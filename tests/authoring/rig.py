"""Drafts, lists of tools, recorded events and the command, as tests of authoring need them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from agen_authz.authoring.catalog import CatalogEntry
from agen_authz.authoring.draft import Draft, build_draft
from agen_authz.cli.main import app
from agen_authz.config import load
from agen_authz.core.model import Target, TargetKind
from tests.config.test_mistakes import GOOD

RULES = """\
    - {name: edit, tools: [crm/update_customer, crm/delete_customer], allow: [support]}
    - {name: refunds, tools: [billing/refund], allow_all: [finance, enrolled]}
    - {name: notes, resources: ["crm/note://**"], prompts: [crm/summarize], allow: [analyst, support]}
"""
POLICIES = """\
policies:
  - {name: no deletes, state: enforce, tools: ["*/delete_*"], when: ['!("office" in request.networks)'], then: deny}
  - {name: big, state: enforce, tools: [billing/refund], when: ["args.amount > 1000.0"], then: deny, message: Too big.}
  - {name: fresh, state: enforce, tools: [billing/refund], then: step_up, step_up: {acr: [strong], max_age: 5m}}
  - {name: watched, state: shadow, tools: ["crm/get_*"], when: ['user.claims.team == "red"'], then: deny}
  - {name: asleep, state: disabled, tools: [crm/get_customer], then: deny}
"""
TEXT = GOOD + RULES + POLICIES
TOOLS = {
    "tools": [
        {"name": "get_customer", "annotations": {"readOnlyHint": True}},
        {"name": "update_customer"},
        {"name": "delete_customer", "annotations": {"readOnlyHint": True}},
    ],
    "resources": [{"uri": "note://1"}],
    "resourceTemplates": [{"uriTemplate": "note://{id}"}],
    "prompts": [{"name": "summarize"}],
}


def write(folder: Path, text: str = TEXT, name: str = "agen.yaml") -> Path:
    """Write a configuration."""
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def save(folder: Path, document: Any, name: str = "tools.json") -> Path:
    """Write JSON."""
    file = folder / name
    file.write_text(json.dumps(document), "utf-8")
    return file


def draft(folder: Path, text: str = TEXT) -> Draft:
    """Build a draft."""
    return build_draft(load(write(folder, text), environ={}))


def tool(name: str, *, server: str = "crm", is_read_only: bool = False) -> CatalogEntry:
    """Say that a server offers a tool."""
    return CatalogEntry(Target(TargetKind.TOOL, server, name), is_read_only)


def event(tool: str = "crm/get_customer", **changes: Any) -> dict[str, Any]:
    """Write an audit event of an allowed call; changes of `principal`, `call` and `context` are merged."""
    server, _, name = tool.partition("/")
    parts: dict[str, Mapping[str, Any]] = {
        "principal": {
            "provider": "corp", "issuer": "https://id.example.com/", "subject": "ann", "client": "desk", "tenant": "",
            "roles": ["analyst"], "permissions": [], "groups": [], "scopes": [], "email": "", "email_verified": False,
            "country": "", "acr": "", "amr": [], "expires": 1_800_000_300.0, "token_id": "t1",
        },
        "call": {
            "era": "modern", "version": "2026-07-28", "shape": "request", "method": "tools/call",
            "targets": [{"kind": "tool", "name": name}], "arguments_digest": "", "session_digest": "", "id": "i:1",
        },
        "context": {
            "method": "POST", "authority": "mcp.example.com", "path": "/crm/mcp", "peer": "192.0.2.1",
            "ip": "192.0.2.1", "networks": [], "country": "", "user_agent": "", "origin": "",
        },
    }  # fmt: skip
    merged = {key: {**held, **changes.pop(key, {})} for key, held in parts.items()}
    said = {"time": "2027-01-15T08:00:00+00:00", "decision": "allow", "reason": "allowed", "server": server}
    return {**said, **merged, **changes}


def lines(*events: Any) -> list[bytes]:
    """Write events as an audit file holds them."""
    return [json.dumps(each).encode() + b"\n" for each in events]


def run(*words: Any, given: str | None = None) -> Any:
    """Run `agen-authz policy`; `given` is its standard input."""
    return CliRunner().invoke(app, ["policy", *map(str, words)], input=given)


def config(folder: Path, text: str = TEXT, name: str = "agen.yaml") -> Path:
    """Write a configuration whose store is nowhere yet."""
    return write(folder, text + f"store: {{url: 'sqlite:///{folder}/agen.db'}}\n", name)
