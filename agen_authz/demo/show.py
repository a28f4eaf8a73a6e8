"""What the demo tells a person once it runs."""

from agen_authz.demo.plan import HOST, ROLES, Plan

_READY = "ready"


def show_invitation(plan: Plan) -> None:
    """Print where everything is, three commands to try, and the line `ready`."""
    ports = plan.ports
    lines = [
        "",
        "agen-authz demo: Envoy stands in front of two MCP servers, and every call is decided.",
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
        "Try, in another terminal (in the folder of this project):",
        "",
        *_commands(plan),
        "Ctrl-C ends all of it.",
    ]
    print("\n".join(lines))
    print(_READY, flush=True)


def _commands(plan: Plan) -> list[str]:
    tried = (
        ("an analyst reads: allowed", "analyst", "get_customer", '{"customer_id": "c-1001"}'),
        ("support may not delete: the tool does not exist for them", "support", "delete_customer", '{"customer_id": "c-1005"}'),
        ("an admin may", "admin", "delete_customer", '{"customer_id": "c-1005"}'),
    )
    return [line for row in tried for line in _command(plan, *row)]


def _command(plan: Plan, what: str, role: str, tool: str, arguments: str) -> list[str]:
    body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}'
    return [
        f"  # {what}",
        f"  curl -s {plan.url_of('crm')} -H \"authorization: Bearer $(.venv/bin/agen-authz demo token {role})\" \\",
        "    -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' \\",
        "    -H 'mcp-protocol-version: 2025-11-25' \\",
        f"    -d '{body}'",
        "",
    ]
