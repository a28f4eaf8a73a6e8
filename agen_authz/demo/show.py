"""What the demo tells a person once it runs."""

import sys
from pathlib import Path

from agen_authz.demo.plan import HOST, ROLES, Plan
from agen_authz.demo.wire import VERSION

_READY = "ready"
# The command next to this Python: it works from any folder.
_COMMAND = Path(sys.executable).with_name("agen-authz")


def show_invitation(plan: Plan) -> None:
    """Print where everything is, three commands to try, and the line `ready`."""
    ports = plan.ports
    lines = [
        "",
        "agen-authz demo: Envoy is in front of two MCP servers, and every call is decided.",
        "",
        f"  crm          {plan.url_of('crm')}",
        f"  billing      {plan.url_of('billing')}",
        f"  issuer       {plan.issuer}",
        f"  metrics      http://{HOST}:{ports.ops}/metrics",
        f"  audit        {plan.audit_file}",
        f"  files        {plan.state}",
        "",
        "  roles        " + "\n               ".join(f"{role:<9}{does}" for role, does in ROLES.items()),
        "",
        "Try, in another terminal:",
        "",
        *_commands(plan),
        "Ctrl-C ends all of it.",
    ]
    print("\n".join(lines))
    print(_READY, flush=True)


def _commands(plan: Plan) -> list[str]:
    tried = (
        ("an analyst reads: allowed", "analyst", "get_customer", '{"customer_id": "c-1001"}'),
        (
            "support may not delete: the tool does not exist for them",
            "support",
            "delete_customer",
            '{"customer_id": "c-1005"}',
        ),
        ("an admin may", "admin", "delete_customer", '{"customer_id": "c-1005"}'),
    )
    return [line for row in tried for line in _command(plan, *row)]


def _command(plan: Plan, what: str, role: str, tool: str, arguments: str) -> list[str]:
    where = f" --ports {plan.ports}" if str(plan.ports) else ""
    meta = f'"io.modelcontextprotocol/protocolVersion":"{VERSION}","io.modelcontextprotocol/clientCapabilities":{{}}'
    params = f'"params":{{"name":"{tool}","arguments":{arguments},"_meta":{{{meta}}}}}'
    return [
        f"  # {what}",
        f'  curl -s {plan.url_of("crm")} -H "authorization: Bearer $({_COMMAND} demo{where} token {role})" \\',
        "    -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' \\",
        f"    -H 'mcp-protocol-version: {VERSION}' -H 'mcp-method: tools/call' -H 'mcp-name: {tool}' \\",
        f'    -d \'{{"jsonrpc":"2.0","id":1,"method":"tools/call",{params}}}\'',
        "",
    ]
