from base64 import b64encode

import pytest
from msgspec.structs import replace

from agen_authz.core.message.mcp import BodyLimits, parse
from agen_authz.core.model import Call, Envelope, Era, Mirrored, Misread, SessionId, Shape, Target, TargetKind
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
def test_nul_that_is_not_escaped_is_not_json(raw):
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


ENVELOPE = Envelope(Era.LEGACY, Shape.REQUEST, 7)
SUBSCRIBED = "/params/notifications/resourceSubscriptions"


def subscribe(uris):
    document = build.modern("subscriptions/listen", {"notifications": {"resourceSubscriptions": uris}})
    return read(document, **build.headers_for(None, document))


def test_subscriptions_name_a_hundred_resources_at_most():
    uris = [f"a:{number}" for number in range(101)]
    expected = Misread(Reason.PARAMS_MALFORMED, Envelope(Era.MODERN, Shape.REQUEST, 7), SUBSCRIBED)
    called = subscribe(uris[:100])
    assert isinstance(called, Call) and [target.name for target in called.targets] == uris[:100]
    assert subscribe(uris) == expected


def test_resource_that_is_subscribed_to_twice_is_refused():
    expected = Misread(Reason.PARAMS_MALFORMED, Envelope(Era.MODERN, Shape.REQUEST, 7), f"{SUBSCRIBED}/2")
    assert subscribe(["a:b", "a:c", "a:b"]) == expected


MISSHAPEN = {
    "params": ("tools/call", ["x"], "/params"),
    "params that are text": ("ping", "null", "/params"),
    "meta": ("ping", {"_meta": []}, "/params/_meta"),
    "meta that is null": ("ping", {"_meta": None}, "/params/_meta"),
    "no name": ("tools/call", {}, "/params/name"),
    "params that are null and must name a tool": ("tools/call", None, "/params/name"),
    "name of another type": ("prompts/get", {"name": 5}, "/params/name"),
    "arguments": ("tools/call", {"name": "t", "arguments": ["secret"]}, "/params/arguments"),
    "arguments that are false": ("tools/call", {"name": "t", "arguments": False}, "/params/arguments"),
    "answers": ("tools/call", {"name": "t", "inputResponses": []}, "/params/inputResponses"),
    "answers for a resource": ("resources/read", {"uri": "a:b", "inputResponses": "x"}, "/params/inputResponses"),
    "no URI": ("resources/read", {}, "/params/uri"),
    "no reference": ("completion/complete", {"argument": {}}, "/params/ref"),
    "no argument": ("completion/complete", {"ref": {"type": "ref/prompt", "name": "p"}}, "/params/argument"),
    "reference of no kind": ("completion/complete", {"ref": {"type": "x"}, "argument": {}}, "/params/ref"),
    "reference without a name": (
        "completion/complete", {"ref": {"type": "ref/prompt"}, "argument": {}}, "/params/ref/name",
    ),
    "reference without a URI": (
        "completion/complete", {"ref": {"type": "ref/resource"}, "argument": {}}, "/params/ref/uri",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISSHAPEN)
def test_parameter_that_is_malformed_is_named(name):
    method, params, pointer = MISSHAPEN[name]
    document = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    assert read(document) == Misread(Reason.PARAMS_MALFORMED, ENVELOPE, pointer)


def test_name_that_is_not_canonical_is_found_at_its_place():
    document = build.message("completion/complete", {"ref": {"type": "ref/prompt", "name": "a\tb"}, "argument": {}})
    assert read(document) == Misread(Reason.MALFORMED_TARGET, ENVELOPE, "/params/ref/name")


@pytest.mark.parametrize("method", ["tools/list", "ping", "notifications/initialized"])
def test_params_of_null_are_absent(method):
    document = {"jsonrpc": "2.0", "method": method} | ({} if method.startswith("notif") else {"id": 7})
    called = read(document | {"params": None})
    assert (isinstance(called, Call), called) == (True, read(document))


@pytest.mark.parametrize("method", ["tools/call", "prompts/get"])
def test_arguments_of_null_are_absent(method):
    called = read(build.message(method, {"name": "t", "arguments": None}))
    assert (isinstance(called, Call), called) == (True, read(build.message(method, {"name": "t"})))


def test_params_of_null_lack_what_the_modern_era_requires():
    document = build.modern("tools/list")
    headers = build.headers_for(None, document)
    assert isinstance(read(document, **headers), Call)
    refused = read(document | {"params": None}, **headers)
    assert isinstance(refused, Misread) and refused.reason is Reason.META_MISSING


def test_name_header_that_looks_encoded_is_decoded_whatever_the_prompt_is_called():
    document = build.message("prompts/get", {"name": "=?base64?YQ==?="})
    encoded = "=?base64?" + b64encode(b"=?base64?YQ==?=").decode() + "?="
    assert read(document, **{"mcp-name": "=?base64?YQ==?="}) == Misread(Reason.HEADER_MISMATCH, ENVELOPE)
    assert isinstance(read(document, **{"mcp-name": encoded}), Call)


def test_posted_response_with_params_is_not_a_message():
    answer = {"jsonrpc": "2.0", "id": 7, "result": {}}
    assert isinstance(read(answer), Call)
    assert read(answer | {"params": {}}) == Misread(Reason.NOT_A_MESSAGE)


@pytest.mark.parametrize("key", ["task", "taskId", "taskIds"])
def test_unknown_method_uses_no_task(key):
    called = read(build.message("vendor/do", {key: "t"}))
    assert isinstance(called, Call) and not called.uses_task
    known = read(build.message("tools/list", {key: "t"}))
    assert isinstance(known, Call) and known.uses_task


@pytest.mark.parametrize("name", ["\ufb01le", "\uff46ile", "file\u00b2", "e\u0301"], ids=ascii)
def test_prompt_whose_name_has_a_twin_in_compatible_letters_is_refused(name):
    assert read(build.message("prompts/get", {"name": name})) == Misread(
        Reason.MALFORMED_TARGET, ENVELOPE, "/params/name"
    )


def test_headers_that_repeat_arguments_are_kept_for_the_decision():
    document = build.message("tools/call", {"name": "t", "arguments": {"x": 1}})
    called = read(document, **{"mcp-param-x": "2"})
    assert isinstance(called, Call) and called.mirrored == Mirrored({"mcp-param-x": "2"}, {"x": 1})
    assert read(document) == replace(called, mirrored=None)


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
