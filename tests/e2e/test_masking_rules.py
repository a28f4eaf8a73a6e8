"""What data-protection rules say, against the whole sidecar, through a real Envoy: styles, conditions, shadow, events.

What no rule covers passes byte for byte, sampled or not. Rules that change count for calls from then on.
"""

import base64
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.masked import MARKS, MODES, REAL, Masked, Values, call, find_leaks, in_events, masked_world, result
from tests.e2e.masked_hostile import PICTURE, UNRULED
from tests.e2e.masked_kinds import compact, notify
from tests.e2e.told import EVENTS, JSON, LIST, Got, dump, event, listing, rpc, tool, whole
from tests.stage.process import BOUND_S

pytestmark = pytest.mark.envoy


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Masked]:
    with masked_world(tmp_path_factory.mktemp("masked")) as running:
        yield running


def test_event_says_where_and_how_values_were_masked_and_metrics_count_them(masked: Masked):
    labels = {"detector": "credit_card", "style": "redact", "server": "crm"}
    before = [masked.count("agen_masked_total", **labels), masked.count("agen_responses_total", outcome="masked")]
    sent = result(REAL.all(), structuredContent={"card": REAL.number, "john@example.org": {"a/b~c": REAL.ssn}})
    masked.get(whole(dump(sent)), token=masked.mint(sub="receipts"), accept_encoding="gzip, br")
    assert "accept-encoding" not in masked.told.backend.asked[-1].headers
    # Of a JSON body, it is there before the client has it.
    (told,) = masked.events("receipts")
    rows = {(each["detector"], each["pointer"]): each["count"] for each in told["masking"]["receipts"]}
    text = "/result/content/0/text"
    assert rows == {
        ("credit_card", text): 2,
        ("email", text): 1,
        ("us_ssn", text): 1,
        ("aws_key", text): 1,
        ("credit_card", "/result/structuredContent/card"): 1,
        ("email", "/result/structuredContent/[EMAIL]"): 1,
        ("us_ssn", "/result/structuredContent/[EMAIL]/a~1b~0c"): 1,
    }
    assert {(each["rule"], each["style"]) for each in told["masking"]["receipts"]} == {("everything", "redact")}
    assert (told["masking"]["values"], told["server"], find_leaks(dump(told))) == (8, "crm", set())
    decided = [each for each in masked.told.world.events() if each["request_id"] == told["request_id"]]
    assert [each["decision"] for each in decided] == ["allow", "mask"]
    after = [masked.count("agen_masked_total", **labels), masked.count("agen_responses_total", outcome="masked")]
    assert (after[0] - before[0], after[1] - before[1]) == (3, 1)


@pytest.mark.parametrize("mode", MODES)
def test_stream_leaves_one_event_when_it_has_ended(masked: Masked, mode: str):
    sent = [notify("message", data=REAL.card)] * 20 + [result(REAL.card)]
    masked.get(in_events(*sent), mode=mode, token=masked.mint(sub=f"stream {mode}"))
    told = masked.wait_for_event(f"stream {mode}")
    rows = {each["pointer"]: each["count"] for each in told["masking"]["receipts"]}
    assert rows == {"/params/data": 20, "/result/content/0/text": 1}


# name: (tool, roles, arguments, is it masked)
CONDITIONS: dict[str, tuple[str, list[str], Any, bool]] = {
    "true": ("get_some", ["analyst"], {}, True),
    "false": ("get_some", ["analyst", "admin"], {}, False),
    "true of arguments": ("get_unsure", ["analyst"], {"limit": 11}, True),
    "false of arguments": ("get_unsure", ["analyst"], {"limit": 10}, False),
    "missing argument": ("get_unsure", ["analyst"], {}, True),
    "argument of another type": ("get_unsure", ["analyst"], {"limit": "1"}, True),
    "no rule": ("get_plain", ["analyst"], {}, False),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_condition_decides_unless_it_cannot_be_evaluated(masked: Masked, name: str):
    tool_name, roles, arguments, is_masked = CONDITIONS[name]
    sent = dump(result(f"{REAL.card} and more"))
    for mode in MODES:
        got = masked.get(whole(sent), body=call(tool_name, arguments), mode=mode, token=masked.mint(roles=roles))
        assert got.messages == [result(f"{MARKS.card if is_masked else REAL.card} and more")]
        assert is_masked or got.body == sent


def test_rule_in_shadow_changes_no_byte_and_leaves_an_event(masked: Masked):
    for mode, (body, media) in product(MODES, ((dump(result(REAL.all())), JSON), (event(result(REAL.all())), EVENTS))):
        subject = f"shadow {mode} {media}"
        sent = whole(body, "x-new: 1", media=media)
        got = masked.get(sent, body=call("get_shadow"), mode=mode, token=masked.mint(sub=subject))
        assert (got.status, got.body, got.headers["x-new"]) == (200, body, "1")
        rows = masked.wait_for_event(subject)["masking"]["receipts"]
        found = {(each["rule"], each["detector"], each["shadow"]) for each in rows}
        assert found == {("watched", name, True) for name in ("credit_card", "email", "us_ssn")}
    assert masked.count("agen_masked_shadow_total", detector="credit_card") >= 8


def test_rule_in_shadow_next_to_an_enforced_one_is_reported_only(masked: Masked):
    sent = result(f"{REAL.card} at 203.0.113.77")
    got = masked.get(whole(dump(sent)), token=masked.mint(sub="both"))
    # The enforced one has a preset with addresses of the network, too.
    rows = {
        (each["rule"], each["detector"], each.get("shadow", False))
        for each in masked.wait_for_event("both")["masking"]["receipts"]
    }
    assert ("watched too", "ip_address", True) in rows
    assert find_leaks(got.raw) == set()


def test_strictest_style_of_several_rules_counts(masked: Masked):
    got = masked.get(whole(dump(result(REAL.all()))), body=call("get_both"), token=masked.mint(sub="strict"))
    rows = {
        (each["detector"], each["rule"], each["style"])
        for each in masked.wait_for_event("strict")["masking"]["receipts"]
    }
    assert ("email", "by hash", "hash") in rows and ("credit_card", "by part", "partial") in rows
    (message,) = got.messages
    text = message["result"]["content"][0]["text"]
    assert "mail EMAIL_" in text and "@" not in text and text.startswith("Card 411111******1111, ")


@pytest.mark.parametrize("tool_name", ["get_hash", "get_token"])
def test_equal_values_of_a_tenant_stay_equal_and_differ_from_those_of_another(masked: Masked, tool_name: str):
    sent = result(
        f"{REAL.mail} {REAL.card}", structuredContent={"email": REAL.mail, "card": REAL.number, "b": [REAL.mail]}
    )
    seen: dict[str, list[Any]] = {}
    for tenant, mode in product(("acme", "globex"), MODES):
        got = masked.get(whole(dump(sent)), body=call(tool_name), mode=mode, token=masked.mint(tenant=tenant))
        (message,) = got.messages
        held = message["result"]["structuredContent"]
        assert message["result"]["content"][0]["text"] == f"{held['email']} {held['card']}"
        assert (held["b"], find_leaks(got.raw)) == ([held["email"]], set())
        seen.setdefault(tenant, []).append(held)
    acme, globex = seen["acme"], seen["globex"]
    assert (acme[0] == acme[1], globex[0] == globex[1]) == (True, True)
    assert (acme[0]["email"] == globex[0]["email"], acme[0]["card"] == globex[0]["card"]) == (False, False)


def test_exempt_paths_stay_as_they_are_and_nothing_else(masked: Masked):
    def write(held: Values) -> dict[str, Any]:
        rows = [{"email": REAL.mail, "card": held.card}, {"email": REAL.mail, "mail": {"email": held.mail}}]
        return result(held.mail, structuredContent={"rows": rows, "email": held.mail})

    for mode in MODES:
        assert masked.get(whole(dump(write(REAL))), body=call("get_but"), mode=mode).messages == [write(MARKS)]


def test_binary_passes_if_the_rule_says_so_and_texts_are_masked_all_the_same(masked: Masked):
    def write(card: str) -> dict[str, Any]:
        blob = base64.b64encode(f"card {card}".encode()).decode()
        items = [{"type": "image", "data": PICTURE}, {"type": "audio", "data": PICTURE}, {"type": "text", "text": card}]
        return rpc(id=7, result={"content": items, "contents": [{"uri": "a:b", "blob": blob}, {"blob": PICTURE}]})

    for step in (whole(dump(write(REAL.card))), in_events(write(REAL.card))):
        assert masked.get(step, body=call("get_picture")).messages == [write(MARKS.card)]


def test_pattern_of_the_configuration_is_masked(masked: Masked):
    assert masked.get(whole(dump(result("BDG-123456"))), body=call("get_ours")).messages == [result("[BADGE]")]


TEXT = {"type": "string"}
TYPED = {"id": TEXT, "email": TEXT | {"pattern": "@"}, "card": {"type": "integer"}, "note": TEXT}


def test_result_fits_its_output_schema_or_says_what_was_withheld(masked: Masked):
    schema = {"type": "object", "properties": TYPED, "required": ["id"], "additionalProperties": False}
    listed = [
        tool("get_typed", outputSchema=schema),
        tool("get_must", outputSchema=schema | {"required": ["id", "email"]}),
    ]
    masked.get(whole(dump(rpc(id=7, result={"tools": listed}))), body=LIST)
    masked.run("pin", "crm", "--by", "ann")
    sent = result(REAL.mail, structuredContent={"id": "a", "email": REAL.mail, "card": REAL.number, "note": REAL.card})
    shown = result(MARKS.mail, structuredContent={"id": "a", "note": MARKS.card})
    masked.wait_for(lambda: masked.get(whole(dump(sent)), body=call("get_typed")).messages == [shown])
    for step, mode in product((whole(dump(sent)), in_events(sent)), MODES):
        assert masked.get(step, body=call("get_typed"), mode=mode).messages == [shown]
        got = masked.get(step, body=call("get_must"), mode=mode)
        (message,) = got.messages
        held = message["result"]
        assert (held["isError"], "structuredContent" in held, find_leaks(got.raw)) == (True, False, set())
        assert "/result/structuredContent/email" in compact(held) and "email" in compact(held)


@pytest.mark.parametrize("era", ["2026-07-28", "legacy"])
async def test_official_client_takes_what_a_real_server_sends_masked(masked: Masked, era: str):
    world = masked.told.world
    token = world.one.mint(world.billing, sub=f"official {era}")
    method = {"kind": "card", "holder": "Jane Roe", "number": REAL.spaced, "expires": "2029-08"}
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=BOUND_S) as http,
        Client(streamable_http_client(world.billing, http_client=http), mode=era) as client,
    ):
        # It refuses a result that does not fit the schema of its tool.
        await client.list_tools()
        found = await client.call_tool("search_invoices", {})
        changed = await client.call_tool("update_payment_method", {"account_id": "a-1001", "method": method})
        failed = await client.call_tool("get_invoice", {"invoice_id": REAL.mail})
        read = await client.read_resource("invoice://i-4001")
    held = changed.structured_content or {}
    assert (held["account_id"], held["method"]["number"], held["email"]) == ("a-1001", MARKS.card, MARKS.mail)
    assert (failed.is_error, REAL.mail in failed.model_dump_json()) == (True, False)
    shown = found.model_dump_json() + changed.model_dump_json() + read.model_dump_json()
    assert (shown.count(MARKS.mail) > 4, ".example" in shown, find_leaks(shown.encode())) == (True, False, set())
    assert len(masked.events(f"official {era}")) >= 3


# ---- what no rule covers, and rules that change ----------------------------------------------------------

# Of each request by itself.
OF_REQUEST = {"agen-request-id", "agen-subject", "authorization", "traceparent", "x-request-id"}


def compare(got: Got) -> tuple[Any, ...]:
    """Take what must not differ of two responses: all but the time."""
    headers = {name: text for name, text in got.headers.items() if name not in {"date"}}
    return got.status, headers, got.body, got.is_whole


def pass_all(masked: Masked, share: str) -> dict[tuple[str, str], Any]:
    """Let every response of which no rule is about pass, and take what both sides got."""
    seen = {}
    for name, mode in product(UNRULED, MODES):
        sent = {"token": masked.mint(sub=f"{share} {name} {mode}"), "accept_encoding": "gzip, br"}
        got = masked.get(*UNRULED[name].steps, body=call("get_plain"), mode=mode, **sent)
        asked = masked.told.backend.asked[-1].headers
        seen[name, mode] = (compare(got), {each: text for each, text in asked.items() if each not in OF_REQUEST})
    return seen


def test_sampled_response_differs_in_nothing_from_one_that_is_not(masked: Masked):
    sampled = pass_all(masked, "all")
    for name, mode in product(UNRULED, MODES):
        found = set(UNRULED[name].found)
        if not found:
            continue
        rows = masked.wait_for_event(f"all {name} {mode}", "sample")["masking"]["receipts"]
        assert {(each["detector"], each["shadow"]) for each in rows} == {(each, True) for each in found}
    counted = masked.count("agen_unruled_total", detector="email", server="crm")
    masked.change("unruled_sample: 100%", "unruled_sample: 0%")
    passed = pass_all(masked, "none")
    assert sampled == passed
    assert {asked["accept-encoding"] for _, asked in passed.values()} == {"gzip, br"}
    for name, mode in product(UNRULED, MODES):
        assert passed[name, mode][0][2] == UNRULED[name].body, name
        assert masked.events(f"none {name} {mode}", "sample") == []
    assert (counted > 0, masked.count("agen_unruled_total", detector="email", server="crm")) == (True, counted)


def test_rules_that_change_count_for_later_calls_and_unknown_ones_mask_everything(masked: Masked):
    gates = {name: Future[None]() for name in ("once", "twice", "list")}
    sent = result(f"BDG-123456 BDX-123456 {REAL.card}")

    def hold(name: str, body: Any, answer: Any) -> Got:
        return masked.get(gates[name], whole(dump(answer)), body=body)

    held = {}
    with ThreadPoolExecutor(3) as pool:
        lists = listing("get_a", "get_b")
        for name, body, answer in (("once", OURS, sent), ("twice", OURS, sent), ("list", LIST, lists)):
            before = len(masked.told.backend.asked)
            held[name] = pool.submit(hold, name, body, answer)
            masked.wait_for(lambda before=before: len(masked.told.backend.asked) > before)  # type: ignore[misc]
        masked.change("BDG-[0-9]{6}", "BDX-[0-9]{6}")
        gates["once"].set_result(None)
        once = held["once"].result()
        now = masked.get(whole(dump(sent)), body=OURS)
        masked.change("BDX-[0-9]{6}", "BDY-[0-9]{6}")
        gates["twice"].set_result(None)
        gates["list"].set_result(None)
        twice, listed = held["twice"].result(), held["list"].result()
    assert once.messages == [result(f"[BADGE] BDX-123456 {REAL.card}")]
    assert now.messages == [result(f"BDG-123456 [BADGE] {REAL.card}")]
    assert twice.messages == [result(f"BDG-123456 BDX-123456 {MARKS.card}")]
    assert listed.messages == [listing()]


OURS = call("get_ours")


def test_no_value_is_in_a_log_an_event_or_a_metric(masked: Masked):
    world = masked.told.world
    written = [file.read_bytes() for file in sorted(masked.told.folder.glob("*.jsonl"))]
    written += [(masked.told.folder / "sidecar.log").read_bytes(), world.web.get(f"{world.ops}/metrics").content]
    assert [find_leaks(each, depth=0) for each in written] == [set()] * len(written)
