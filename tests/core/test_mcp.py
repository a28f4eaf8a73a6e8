import pytest

from agen_authz.core.mcp import BodyLimits, parse
from agen_authz.core.model import Call, Envelope, Era, Misread, SessionId, Shape, Target, TargetKind
from agen_authz.core.reason import Reason
from tests import builders as build

LIMITS = BodyLimits(request_bytes=10_000, json_depth=16, admits_text=True)
JSON = {"content-type": "application/json"}


def read(document, *, is_text=False, **headers):
    request = build.request(build.encode(document), headers=JSON | headers, has_text_body=is_text)
    return parse(request, "crm", LIMITS)


def test_legacy_call_is_read_whole():
    assert read(build.message(), **{"mcp-session-id": "s1"}) == Call(
        server="crm",
        envelope=Envelope(Era.LEGACY, Shape.REQUEST, 7),
        version="2025-03-26",
        method="tools/call",
        targets=(Target(TargetKind.TOOL, "crm", "get_customer"),),
        arguments={"id": 1},
        session_id=SessionId("s1"),
        may_hold_nul=False,
    )


def test_modern_call_has_no_session():
    headers = build.headers_for(None, build.modern()) | {"mcp-session-id": "s1"}
    assert read(build.modern(), **headers) == Call(
        server="crm",
        envelope=Envelope(Era.MODERN, Shape.REQUEST, 7),
        version="2026-07-28",
        method="tools/call",
        targets=(Target(TargetKind.TOOL, "crm", "get_customer"),),
        arguments={"id": 1},
        may_hold_nul=False,
    )


@pytest.mark.parametrize(("method", "shape"), [("GET", Shape.STREAM), ("DELETE", Shape.END)])
def test_stream_and_end_have_no_message(method, shape):
    request = build.request(b"", method=method, headers={"mcp-session-id": "s1", "mcp-protocol-version": build.LEGACY})
    expected = Call("crm", Envelope(Era.LEGACY, shape), build.LEGACY, method, session_id=SessionId("s1"))
    assert parse(request, "crm", LIMITS) == expected


def test_modern_notification_needs_no_meta():
    document = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    assert read(document, **{"mcp-protocol-version": build.MODERN}) == Call(
        "crm", Envelope(Era.MODERN, Shape.NOTIFICATION), build.MODERN, "notifications/cancelled", may_hold_nul=False
    )


@pytest.mark.parametrize("spelt", ['"a\\u0000b"', '{"a\\u0000": 1}', '"\\\\u0000"'], ids=["value", "key", "no escape"])
def test_body_in_which_a_nul_may_stand_is_said_to_hold_one(spelt):
    body = f'{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"t","arguments":{{"x":{spelt}}}}}}}'
    call = parse(build.request(body.encode()), "crm", LIMITS)
    assert isinstance(call, Call)
    assert call.may_hold_nul


@pytest.mark.parametrize("raw", [b'"a\x00b"', b'{"a\x00": 1}'])
def test_nul_that_is_not_escaped_is_no_json(raw):
    body = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","arguments":{"x":' + raw + b"}}}"
    assert isinstance(parse(build.request(body), "crm", LIMITS), Misread)


@pytest.mark.parametrize(
    "document",
    [
        build.message("pin!"),
        build.message("prompts/get", {"name": "a!"}),
        build.message("resources/read", {"uri": "customer://a!"}),
    ],
    ids=["method", "prompt", "resource"],
)
def test_text_body_that_may_hide_a_byte_is_refused(document):
    expected = Misread(Reason.BODY_AS_TEXT, Envelope(Era.LEGACY, Shape.REQUEST, 7))
    assert (read(document, is_text=True), isinstance(read(document), Call)) == (expected, True)


def test_text_body_passes_where_it_is_admitted_and_hides_nothing():
    assert isinstance(read(build.message(), is_text=True), Call)


@pytest.mark.parametrize("count", [1000, 1001])
def test_subscriptions_are_bounded(count):
    document = build.modern("subscriptions/listen", {"notifications": {"resourceSubscriptions": ["a:b"] * count}})
    limits = BodyLimits(request_bytes=100_000, json_depth=16)
    headers = JSON | build.headers_for(None, document)
    called = parse(build.request(build.encode(document), headers=headers), "crm", limits)
    assert isinstance(called, Call) == (count == 1000)


def test_arguments_of_a_prompt_are_read():
    called = read(build.message("prompts/get", {"name": "p", "arguments": {"a": "b"}}))
    assert isinstance(called, Call) and called.arguments == {"a": "b"}


@pytest.mark.parametrize("spelling", ["name", "uri"])
def test_name_header_must_repeat_what_is_named(spelling):
    method = {"name": "prompts/get", "uri": "resources/read"}[spelling]
    document = build.message(method, {spelling: "a:b"})
    assert isinstance(read(document, **{"mcp-name": "a:b"}), Call)
    envelope = Envelope(Era.LEGACY, Shape.REQUEST, 7)
    assert read(document, **{"mcp-name": "a:B"}) == Misread(Reason.HEADER_MISMATCH, envelope)


def test_text_body_that_may_hide_a_byte_in_a_key_is_refused():
    document = build.message("tools/call", {"name": "get_x", "na!me": "delete_customer"})
    expected = Misread(Reason.BODY_AS_TEXT, Envelope(Era.LEGACY, Shape.REQUEST, 7))
    assert read(document, is_text=True) == expected
