"""The tour: a short story through the official MCP client, and whether everything went as it tells."""

import re

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from rich.console import Console

from agen_authz.demo.launch import Parts
from agen_authz.demo.plan import Plan
from agen_authz.demo.scene import Act, Ending, Scene
from agen_authz.demo.token import fetch_token
from agen_authz.demo.tour_approvals import approve, ask
from agen_authz.demo.tour_masking import compare_records
from agen_authz.demo.tour_tools import compare_lists, look_for, restore_words, reword, run_tools, until
from agen_authz.demo.wire import post_call, post_in_session, start_session

_MODERN, _LEGACY = "2026-07-28", "legacy"
_TIMEOUT_S = 20.0
# Every outcome in which something is shown or done; any other is a Reason for a refusal.
_DONE = frozenset({"allowed", "4 and 8 tools", "6 masked", "pinned", "listed", "approved"})

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
PAYOUT: dict[str, object] = {"payee": "ACME", "iban": "DE89370400440532013000", "amount": 10}
LARGE_REFUND: dict[str, object] = {"invoice_id": "i-4001", "amount": 1200}
WAITING_REFUND = ask("finance", "billing", "refund", {"invoice_id": "i-4001", "amount": 2500}, acr="urn:mfa")


async def play_tour(parts: Parts) -> bool:
    """Play every scene, show what happened, and say whether all went as told."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        "\n[bold]A tour of agen-authz[/bold]: the official MCP client, a real Envoy, a decision on every call\n"
    )
    went_well = True
    for scene in SCENES:
        ending = await scene.act(parts.plan)
        _show(console, scene, ending)
        went_well = went_well and ending.outcome == scene.expected
    closing = "[green]Everything went as told.[/green]" if went_well else "[red]Something went otherwise.[/red]"
    console.print(f"\n  {closing} The evidence of every call is in {parts.plan.audit_file}\n")
    return went_well


def _show(console: Console, scene: Scene, ending: Ending) -> None:
    is_right = ending.outcome == scene.expected
    colour = "red" if not is_right else "green" if ending.outcome in _DONE else "yellow"
    console.print(f"  [{colour}]{ending.outcome:<18}[/{colour}] {scene.told}")
    console.print(f"  {'':<18} [dim]{scene.why}[/dim]")
    for line in ending.lines:
        console.print(f"  {'':<18}   {line}", markup=False)
    if not is_right:
        console.print(f"  {'':<18} [red]expected: {scene.expected}[/red]")


def _call(role: str, server: str, tool: str, arguments: dict[str, object], *, mode: str = _MODERN) -> Act:
    async def act(plan: Plan) -> Ending:
        url = plan.url_of(server)
        token = await fetch_token(plan.issuer, role, url)
        return await _call_with(token, url, tool, arguments, mode=mode)

    return act


async def _call_with(token: str, url: str, tool: str, arguments: dict[str, object], *, mode: str = _MODERN) -> Ending:
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=_TIMEOUT_S) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        try:
            result = await client.call_tool(tool, arguments)
        except MCPError as exc:
            return Ending(_reason_in(exc.data) or f"error {exc.code}")
    return Ending("tool error" if result.is_error else "allowed")


def _post(server: str, role: str | None, *, issued_for: str | None = None, forged: bool = False) -> Act:
    async def act(plan: Plan) -> Ending:
        token = None
        if role is not None:
            token = await fetch_token(plan.issuer, role, plan.url_of(issued_for or server))
        if forged and token is not None:
            token = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
        response = await post_call(plan.url_of(server), token, "get_customer", {"customer_id": "c-1001"})
        return _end(response.json())

    return act


def _borrow_session(owner: str, borrower: str, server: str) -> Act:
    async def act(plan: Plan) -> Ending:
        url = plan.url_of(server)
        session = await start_session(url, await fetch_token(plan.issuer, owner, url))
        response = await post_in_session(url, await fetch_token(plan.issuer, borrower, url), session)
        return _end(response.json())

    return act


def _end(answer: dict[str, dict[str, object]]) -> Ending:
    return Ending(_reason_in(answer.get("error", {}).get("data")) or "allowed")


def _step_up(role: str, server: str, tool: str, arguments: dict[str, object]) -> Act:
    """Be refused, get the token that the challenge asks for, and repeat the call: what a client does."""

    async def act(plan: Plan) -> Ending:
        url = plan.url_of(server)
        refused = await post_call(url, await fetch_token(plan.issuer, role, url), tool, arguments)
        asked = dict(_PARAMETER.findall(refused.headers.get("www-authenticate", "")))
        more = {name: asked[wanted] for name, wanted in (("acr", "acr_values"), ("scope", "scope")) if wanted in asked}
        token = await fetch_token(plan.issuer, role, url, **more)
        return await _call_with(token, url, tool, arguments)

    return act


def _reason_in(details: object) -> str | None:
    return str(details["reason"]) if isinstance(details, dict) and "reason" in details else None


SCENES: tuple[Scene, ...] = (
    Scene(
        "a client without a token reads a customer",
        _post("crm", None),
        "token_missing",
        "401 with a challenge that says where tokens come from; the body was never parsed",
    ),
    Scene(
        "an analyst reads a customer",
        _call("analyst", "crm", "get_customer", {"customer_id": "c-1001"}),
        "allowed",
        "rule `everybody reads customers`, MCP 2026-07-28",
    ),
    Scene(
        "the same through a client of the older era",
        _call("analyst", "crm", "get_customer", {"customer_id": "c-1001"}, mode=_LEGACY),
        "allowed",
        "MCP 2025-11-25: the session id proves whose session it is",
    ),
    Scene(
        "support uses the analyst's session id",
        _borrow_session("analyst", "support", "crm"),
        "session_unknown",
        "the id is signed for the analyst and the crm; nothing is remembered, so nothing can be taken over",
    ),
    Scene(
        "an analyst and an admin list the crm's tools",
        compare_lists("crm", "analyst", "admin"),
        "4 and 8 tools",
        "each list shows what its caller may call; the same code decides lists and calls",
    ),
    Scene(
        "an admin in Germany and an analyst in the US read the same customer",
        compare_records("c-1001", ("admin", "DE"), ("analyst", "US")),
        "6 masked",
        "rule `personal data outside of Europe`: each value is masked in every copy, before its message leaves",
    ),
    Scene(
        "the analyst sends a number as a text",
        _call("analyst", "crm", "search_customers", {"limit": "ten"}),
        "invalid_arguments",
        "arguments are compared with the pinned schema before the server sees them",
    ),
    Scene(
        "the analyst edits a deal",
        _call("analyst", "crm", "update_deal", {"deal_id": "d-2001", "stage": "won"}),
        "unknown_target",
        "no rule lets analysts edit: for them the tool does not exist",
    ),
    Scene(
        "support edits the deal",
        _call("support", "crm", "update_deal", {"deal_id": "d-2001", "stage": "won"}),
        "allowed",
        "rule `support edits`",
    ),
    Scene(
        "support deletes a customer",
        _call("support", "crm", "delete_customer", {"customer_id": "c-1004"}),
        "unknown_target",
        "deleting is for admins",
    ),
    Scene(
        "an admin deletes the customer",
        _call("admin", "crm", "delete_customer", {"customer_id": "c-1004"}),
        "allowed",
        "rule `admins delete and export`",
    ),
    Scene(
        "finance reads an invoice",
        _call("finance", "billing", "get_invoice", {"invoice_id": "i-4001"}),
        "allowed",
        "rule `reading invoices`, on another server",
    ),
    Scene(
        "finance pays money out",
        _call("finance", "billing", "payout", PAYOUT),
        "step_up_required",
        "a scope is missing: 403 with every scope that this call needs, and also `acr_values` and `max_age`",
    ),
    Scene(
        "finance signs in with a second factor, as the challenge says, and pays out",
        _step_up("finance", "billing", "payout", PAYOUT),
        "allowed",
        "the token itself says `acr`, and when the person signed in",
    ),
    Scene(
        "finance refunds 1200",
        _call("finance", "billing", "refund", LARGE_REFUND),
        "step_up_required",
        "policy `large refunds need a second factor`: 401 with `acr_values` (RFC 9470)",
    ),
    Scene(
        "finance signs in with a second factor, and refunds",
        _step_up("finance", "billing", "refund", LARGE_REFUND),
        "allowed",
        "up to 1000 none is asked for: the condition reads the amount",
    ),
    Scene(
        "finance refunds 2500, with a second factor",
        WAITING_REFUND,
        "waits",
        "policy `refunds above 2000 need approval`: the answer names the page where people decide",
    ),
    Scene(
        "an admin signs in at the console, reads the call and approves it",
        approve("admin", WAITING_REFUND),
        "approved",
        "exactly this call: this person, this tool, these arguments",
    ),
    Scene(
        "finance makes the call again",
        WAITING_REFUND,
        "allowed",
        "the approval is used by it",
    ),
    Scene(
        "and once more",
        WAITING_REFUND,
        "waits",
        "an approval is for one call: this is another request",
    ),
    Scene(
        "support calls a tool that no rule names",
        _call("support", "crm", "drop_everything", {}),
        "unknown_target",
        "what no rule names is denied, and answered like what is not allowed",
    ),
    Scene(
        "an analyst shows the billing token to the crm",
        _post("crm", "analyst", issued_for="billing"),
        "token_audience",
        "a token is good for the resource it was issued for, and nowhere else (RFC 8707)",
    ),
    Scene(
        "an attacker changes the end of a token",
        _post("crm", "admin", forged=True),
        "token_signature",
        "nothing in a token is believed before its signature is verified",
    ),
    Scene(
        "the crm describes `get_deal` in other words, which address the model",
        reword("crm", "get_deal", "analyst"),
        "hidden",
        "what changed in more than wording is in no list until an operator approves it",
    ),
    Scene(
        "the analyst calls the tool nevertheless",
        until("unknown_target", _call("analyst", "crm", "get_deal", {"deal_id": "d-2001"})),
        "unknown_target",
        "the event says `tool_changed`; for the caller the tool does not exist",
    ),
    Scene(
        "an operator looks at the change and approves it",
        run_tools("pin", "crm/get_deal", "--by", "ann@example.com", done="pinned"),
        "pinned",
        "agen-authz tools pin crm/get_deal --by ann@example.com; the audit log names ann",
    ),
    Scene(
        "the analyst lists the tools again",
        until("listed", look_for("crm", "get_deal", "analyst")),
        "listed",
        "exactly the definition that was shown is approved, and within a second every worker knows it",
    ),
    Scene(
        "the crm describes the tool as before",
        restore_words("crm", "get_deal", "analyst"),
        "listed",
        "that definition is approved as well: several of one tool may be",
    ),
)
