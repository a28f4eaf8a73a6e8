"""The demo's billing through the official client, in both protocol eras."""

import json
from collections.abc import Iterator

import pytest
from mcp import Client, MCPError

from agen_authz.demo.backend import build_app, build_billing
from tests.demo.speak import hints_of, text_of
from tests.stage.listen import serving_app

pytestmark = pytest.mark.loopback

READS = {"readOnlyHint": True, "openWorldHint": False}
MOVES_MONEY = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True}
OVERWRITES = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True, "openWorldHint": False}
GRETAS_IBAN = {
    "kind": "iban",
    "holder": "Nordlicht Logistik GmbH",
    "number": "DE89370400440532013000",
    "expires": None,
}
CARD = {"kind": "card", "holder": "Greta Hallmann", "number": "3782 822463 10005", "expires": "2030-01"}


@pytest.fixture(params=["legacy", "auto"])
def mode(request: pytest.FixtureRequest) -> str:
    """Speak one era."""
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def reading() -> Iterator[str]:
    """Run a billing that no test changes."""
    with serving_app(build_app(build_billing())) as root:
        yield f"{root}/mcp"


@pytest.fixture
def url() -> Iterator[str]:
    """Run billing with the records that every demo begins with."""
    with serving_app(build_app(build_billing())) as root:
        yield f"{root}/mcp"


async def test_tools_say_what_they_change(reading, mode):
    async with Client(reading, mode=mode) as client:
        tools = (await client.list_tools()).tools
    assert hints_of(tools) == {
        "get_invoice": READS,
        "search_invoices": READS,
        "refund": MOVES_MONEY,
        "payout": MOVES_MONEY,
        "update_payment_method": OVERWRITES,
    }


async def test_invoice_holds_what_must_be_masked(reading, mode):
    async with Client(reading, mode=mode) as client:
        invoice = (await client.call_tool("get_invoice", {"invoice_id": "i-4001"})).structured_content
        read = await client.read_resource("invoice://i-4001")
    assert invoice == json.loads(text_of(read))
    assert invoice == {
        "invoice_id": "i-4001",
        "account_id": "a-1001",
        "recipient": "Greta Hallmann",
        "email": "greta.hallmann@nordlicht.example",
        "billing_address": "Lindenallee 12, 10115 Berlin, DE",
        "amount": 4800.0,
        "refunded": 0.0,
        "currency": "EUR",
        "status": "paid",
        "due": "2026-09-30",
        "paid_with": GRETAS_IBAN,
    }


SEARCHES = {
    "all": ({}, ["i-4001", "i-4002", "i-4003", "i-4004", "i-4005"], 5),
    "name": ({"query": "greta"}, ["i-4001", "i-4005"], 2),
    "status": ({"status": "overdue"}, ["i-4003"], 1),
    "both": ({"query": "a-1001", "status": "open"}, ["i-4005"], 1),
    "some": ({"limit": 1}, ["i-4001"], 5),
}


@pytest.mark.parametrize(("arguments", "found", "total"), SEARCHES.values(), ids=SEARCHES)
async def test_invoices_are_found(reading, arguments, found, total):
    async with Client(reading) as client:
        page = (await client.call_tool("search_invoices", arguments)).structured_content
    assert ([invoice["invoice_id"] for invoice in page["invoices"]], page["total"]) == (found, total)


async def test_refunds_add_up_to_what_was_paid_and_no_further(url, mode):
    async with Client(url, mode=mode) as client:
        first = await client.call_tool("refund", {"invoice_id": "i-4001", "amount": 300, "reason": "late"})
        too_much = await client.call_tool("refund", {"invoice_id": "i-4001", "amount": 4500.01})
        rest = await client.call_tool("refund", {"invoice_id": "i-4001", "amount": 4500})
        again = await client.call_tool("refund", {"invoice_id": "i-4001", "amount": 1})
        invoice = (await client.call_tool("get_invoice", {"invoice_id": "i-4001"})).structured_content
    assert first.structured_content == {
        "refund_id": "r-5001",
        "invoice_id": "i-4001",
        "amount": 300.0,
        "currency": "EUR",
        "to": GRETAS_IBAN,
        "reason": "late",
    }
    assert [result.is_error for result in (too_much, rest, again)] == [True, False, True]
    assert "only 4500.00 EUR are left" in text_of(too_much)
    assert "is refunded: only paid invoices" in text_of(again)
    assert (invoice["status"], invoice["refunded"]) == ("refunded", 4800.0)


async def test_payouts_are_numbered(url, mode):
    asked = {"payee": "Jonas Weber", "iban": "GB82WEST12345698765432", "amount": 12.5, "currency": "GBP"}
    async with Client(url, mode=mode) as client:
        paid = [(await client.call_tool("payout", asked)).structured_content for _ in range(2)]
    assert paid == [{"payout_id": "p-6001", **asked}, {"payout_id": "p-6002", **asked}]


async def test_payment_method_is_replaced(url, mode):
    async with Client(url, mode=mode) as client:
        result = await client.call_tool("update_payment_method", {"account_id": "a-1001", "method": CARD})
    assert result.structured_content == {
        "account_id": "a-1001",
        "name": "Greta Hallmann",
        "email": "greta.hallmann@nordlicht.example",
        "method": CARD,
    }


MISTAKES = {
    "invoice": ("get_invoice", {"invoice_id": "i-9"}, "unknown invoice `i-9`"),
    "invoice to refund": ("refund", {"invoice_id": "i-9", "amount": 1}, "unknown invoice `i-9`"),
    "nothing to refund": ("refund", {"invoice_id": "i-4001", "amount": 0}, "amount"),
    "refund of an open invoice": ("refund", {"invoice_id": "i-4004", "amount": 1}, "is open: only paid"),
    "account": ("update_payment_method", {"account_id": "a-9", "method": CARD}, "unknown account `a-9`"),
    "iban": ("payout", {"payee": "x", "iban": "123", "amount": 1}, "iban"),
}


@pytest.mark.parametrize(("tool", "arguments", "text"), MISTAKES.values(), ids=MISTAKES)
async def test_what_billing_forbids_is_an_error_of_the_tool(reading, tool, arguments, text):
    async with Client(reading) as client:
        result = await client.call_tool(tool, arguments)
    assert (result.is_error, text in text_of(result)) == (True, True)


async def test_unknown_invoice_is_not_a_resource(reading, mode):
    async with Client(reading, mode=mode) as client:
        with pytest.raises(MCPError, match="i-9"):
            await client.read_resource("invoice://i-9")
