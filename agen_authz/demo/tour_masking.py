"""The tour's scene about what comes back: one customer's record, as two callers see it."""

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from agen_authz.demo.plan import Plan
from agen_authz.demo.scene import Act, Ending
from agen_authz.demo.token import fetch_token

_TIMEOUT_S = 20.0
_SHOWN = ("name", "email", "phone", "birth_date", "address.street", "address.city")
_WIDTH = 34


async def read_customer(plan: Plan, role: str, country: str, customer_id: str) -> dict[str, object]:
    """Read a customer's record through the official client, as a role that calls from a country."""
    url = plan.url_of("crm")
    token = await fetch_token(plan.issuer, role, url, country=country)
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=_TIMEOUT_S) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        result = await client.call_tool("get_customer", {"customer_id": customer_id})
    return dict(result.structured_content or {})


def compare_records(customer_id: str, one: tuple[str, str], other: tuple[str, str]) -> Act:
    """Read a customer's record as two callers, each a role and a country, and show both side by side."""

    async def act(plan: Plan) -> Ending:
        records = [await read_customer(plan, *caller, customer_id) for caller in (one, other)]
        rows = [(name, *(str(_find(record, name)) for record in records)) for name in _SHOWN]
        differ = sum(left != right for _, left, right in rows)
        titles = [f"{role} in {country}" for role, country in (one, other)]
        head = f"{'':<16}{titles[0]:<{_WIDTH}}{titles[1]}"
        return Ending(f"{differ} masked", (head, *(f"{name:<16}{left:<{_WIDTH}}{right}" for name, left, right in rows)))

    return act


def _find(record: dict[str, object], path: str) -> object:
    value: object = record.get("customer", record)
    for key in path.split("."):
        value = value.get(key, "-") if isinstance(value, dict) else "-"
    return value
