"""The demo's CRM through the official client, in both protocol eras."""

import json
from collections.abc import Iterator

import pytest
from mcp import Client, MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from agen_authz.demo.backend import build_app, build_crm
from tests.demo.speak import hints_of, text_of
from tests.stage.listen import serving_app

pytestmark = pytest.mark.loopback

ERAS = {"legacy": "2025-11-25", "auto": "2026-07-28", "2026-07-28": "2026-07-28"}
READS = {"readOnlyHint": True, "openWorldHint": False}
ADDS = {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": False}
OVERWRITES = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True, "openWorldHint": False}


@pytest.fixture(params=ERAS)
def mode(request: pytest.FixtureRequest) -> str:
    """Speak one era."""
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def reading() -> Iterator[str]:
    """Run a CRM that no test changes."""
    with serving_app(build_app(build_crm())) as root:
        yield f"{root}/mcp"


@pytest.fixture
def url() -> Iterator[str]:
    """Run a CRM with the records that every demo begins with."""
    with serving_app(build_app(build_crm())) as root:
        yield f"{root}/mcp"


async def test_server_speaks_the_era_of_its_client(reading, mode):
    async with Client(reading, mode=mode) as client:
        assert client.protocol_version == ERAS[mode]


async def test_description_in_a_file_is_listed_as_long_as_it_is_there(tmp_path):
    server = build_crm()
    server.descriptions = tmp_path
    seen = []
    for text in (None, "Get a deal.\n"):
        if text is not None:
            (tmp_path / "get_deal.txt").write_text(text)
        seen.append({tool.name: tool.description for tool in await server.list_tools()})
    (tmp_path / "get_deal.txt").unlink()
    assert seen[1] == seen[0] | {"get_deal": "Get a deal."}
    assert {tool.name: tool.description for tool in await server.list_tools()} == seen[0]


async def test_tools_say_what_they_change(reading, mode):
    async with Client(reading, mode=mode) as client:
        tools = (await client.list_tools()).tools
    assert hints_of(tools) == {
        "search_customers": READS,
        "get_customer": READS,
        "get_deal": READS,
        "list_open_deals": READS,
        "export_contacts": READS,
        "create_note": ADDS,
        "update_deal": OVERWRITES,
        "delete_customer": OVERWRITES,
    }


async def test_result_is_the_same_as_text_and_as_structure(reading, mode):
    async with Client(reading, mode=mode) as client:
        result = await client.call_tool("get_customer", {"customer_id": "c-1002"})
    assert json.loads(text_of(result)) == result.structured_content
    assert result.structured_content == {
        "customer": {
            "customer_id": "c-1002",
            "name": "Marcus Whitfield",
            "company": "Harbor & Pine LLC",
            "email": "marcus@harborpine.example",
            "phone": "+1 202-555-0143",
            "birth_date": "1976-11-02",
            "address": {
                "street": "88 Chestnut Street",
                "city": "Portland",
                "postal_code": "97205",
                "country": "US",
            },
        },
        "deals": [
            {
                "deal_id": "d-2002",
                "customer_id": "c-1002",
                "title": "Warehouse sensors",
                "stage": "negotiation",
                "amount": 125500.0,
                "currency": "USD",
                "owner_email": "samir.okafor@acme.example",
            }
        ],
        "notes": [
            {
                "note_id": "n-3002",
                "customer_id": "c-1002",
                "text": "Left his card number 4111 1111 1111 1111 on the voicemail; told him not to do that again.",
            }
        ],
    }


SEARCHES = {
    "everybody": ({}, ["c-1001", "c-1002", "c-1003", "c-1004", "c-1005"], 5),
    "part of a name": ({"query": "ROUSSEAU"}, ["c-1003"], 1),
    "part of a company": ({"query": "pine"}, ["c-1002"], 1),
    "part of an e-mail": ({"query": "@thames"}, ["c-1004"], 1),
    "country": ({"country": "IT"}, ["c-1005"], 1),
    "both": ({"query": "greta", "country": "FR"}, [], 0),
    "some": ({"limit": 2}, ["c-1001", "c-1002"], 5),
}


@pytest.mark.parametrize(("arguments", "found", "total"), SEARCHES.values(), ids=SEARCHES)
async def test_customers_are_found(reading, arguments, found, total):
    async with Client(reading) as client:
        page = (await client.call_tool("search_customers", arguments)).structured_content
    assert ([customer["customer_id"] for customer in page["customers"]], page["total"]) == (found, total)


async def test_update_is_seen_by_the_next_reader(url, mode):
    async with Client(url, mode=mode) as client:
        await client.call_tool("update_deal", {"deal_id": "d-2001", "stage": "won", "amount": 50_000})
        await client.call_tool("update_deal", {"deal_id": "d-2001"})
    async with Client(url) as client:
        deal = (await client.call_tool("get_deal", {"deal_id": "d-2001"})).structured_content
        still_open = (await client.call_tool("list_open_deals", {"min_amount": 10_000})).structured_content
    assert (deal["stage"], deal["amount"]) == ("won", 50_000.0)
    assert [deal["deal_id"] for deal in still_open["deals"]] == ["d-2002", "d-2005"]


async def test_note_is_kept(url, mode):
    async with Client(url, mode=mode) as client:
        note = (
            await client.call_tool("create_note", {"customer_id": "c-1004", "text": "Call back"})
        ).structured_content
        known = (await client.call_tool("get_customer", {"customer_id": "c-1004"})).structured_content
    assert note == {"note_id": "n-3101", "customer_id": "c-1004", "text": "Call back"}
    assert known["notes"] == [note]


async def test_deleted_customer_is_gone_with_deals_and_notes(url, mode):
    async with Client(url, mode=mode) as client:
        gone = await client.call_tool("delete_customer", {"customer_id": "c-1001"})
        after = [
            await client.call_tool("get_customer", {"customer_id": "c-1001"}),
            await client.call_tool("get_deal", {"deal_id": "d-2001"}),
        ]
    assert gone.structured_content == {"customer_id": "c-1001", "deals_deleted": 1, "notes_deleted": 1}
    assert [result.is_error for result in after] == [True, True]


async def test_contacts_are_exported(reading):
    async with Client(reading) as client:
        book = (await client.call_tool("export_contacts", {"limit": 1})).structured_content
    greta = {"name": "Greta Hallmann", "email": "greta.hallmann@nordlicht.example", "phone": "+49 30 23125 014"}
    assert book == {"contacts": [greta], "total": 5}


MISTAKES = {
    "customer": ("get_customer", {"customer_id": "c-9"}, "unknown customer `c-9`"),
    "deal": ("get_deal", {"deal_id": "d-9"}, "unknown deal `d-9`"),
    "deal to change": ("update_deal", {"deal_id": "d-9", "stage": "won"}, "unknown deal `d-9`"),
    "customer of a note": ("create_note", {"customer_id": "c-9", "text": "x"}, "unknown customer `c-9`"),
    "customer to delete": ("delete_customer", {"customer_id": "c-9"}, "unknown customer `c-9`"),
    "stage": ("update_deal", {"deal_id": "d-2001", "stage": "sold"}, "stage"),
}


@pytest.mark.parametrize(("tool", "arguments", "text"), MISTAKES.values(), ids=MISTAKES)
async def test_unknown_thing_is_an_error_of_the_tool(reading, tool, arguments, text):
    async with Client(reading) as client:
        result = await client.call_tool(tool, arguments)
    assert (result.is_error, text in text_of(result)) == (True, True)


async def test_customer_can_be_read_as_a_resource(reading, mode):
    async with Client(reading, mode=mode) as client:
        templates = (await client.list_resource_templates()).resource_templates
        read = await client.read_resource("customer://c-1003")
        with pytest.raises(MCPError, match="c-9"):
            await client.read_resource("customer://c-9")
    assert [template.uri_template for template in templates] == ["customer://{customer_id}"]
    assert json.loads(text_of(read))["customer"]["name"] == "Camille Rousseau-Petit"


async def test_prompt_speaks_of_the_customer(reading, mode):
    async with Client(reading, mode=mode) as client:
        prompt = await client.get_prompt("summarize", {"customer_id": "c-1005"})
        with pytest.raises(MCPError):
            await client.get_prompt("summarize", {"customer_id": "c-9"})
    assert "Giulia Bertolini" in text_of(prompt)


COMPLETIONS = {
    "prompt": (PromptReference(type="ref/prompt", name="summarize"), "customer_id", "c-100", 5),
    "template": (
        ResourceTemplateReference(type="ref/resource", uri="customer://{customer_id}"),
        "customer_id",
        "c-1003",
        1,
    ),
    "nothing begins like this": (PromptReference(type="ref/prompt", name="summarize"), "customer_id", "x", 0),
    "another argument": (PromptReference(type="ref/prompt", name="summarize"), "tone", "", 0),
}


@pytest.mark.parametrize(("ref", "name", "value", "count"), COMPLETIONS.values(), ids=COMPLETIONS)
async def test_ids_are_completed(reading, mode, ref, name, value, count):
    async with Client(reading, mode=mode) as client:
        completion = (await client.complete(ref, {"name": name, "value": value})).completion
    assert len(completion.values) == count
