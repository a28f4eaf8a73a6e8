"""Values that are written in another way: a client reads none of them in what is masked."""

import json
from base64 import b64encode
from typing import Any

import pytest

from agen_authz.core.masking import Detectors, Profile, Rule, Unmaskable, mask_body
from agen_authz.core.masking.row import Style
from agen_authz.core.memory import remember
from tests.core.masking import evasion_case as case
from tests.core.masking.as_client import find_rest
from tests.core.masking.every import every

VALUES = {
    "card": "4111111111111111",
    "card with spaces": "5555 5555 5555 4444",
    "card of fifteen": "3782-822463-10005",
    "e-mail": "jane.doe@example.com",
    "iban": "DE89370400440532013000",
    "ssn": "536-22-1234",
    "tax id": "86095742719",
    "aws key": "AKIAQWERTYUIOPASDFGH",
}
CARD = VALUES["card"]
PROFILE = Profile.of(Rule("all", Detectors.every(), default=Style.REDACT))
WITH_BINARY = Profile.of(Rule("all", Detectors.every(), default=Style.REDACT, passes_binary=True))


def read_masked(body: Any, profile: Profile = PROFILE, media: str = "application/json") -> Any:
    """Mask a body, and read it; a body that does not leave is nothing."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        masked = mask_body(raw, media, profile).body.decode("utf-8")
    except Unmaskable:
        return None
    try:
        return json.loads(masked)
    except ValueError:
        return masked


def answer(**result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": result}


def text(written: str) -> dict[str, Any]:
    return answer(content=[{"type": "text", "text": written}])


def list_ways() -> list[tuple[str, str]]:
    ways = {**case.ESCAPED, **case.SCRIPTS, **case.UNSEEN, **case.GLUED, **case.ENCODED, **case.NESTED}
    return [(write(value), value) for value in VALUES.values() for write in ways.values() if write(value) != value]


@remember(4096)
def _find_rest(masked: str, value: str) -> str | None:
    """As `find_rest`, which takes a while: most ways of writing a value leave the same when it is masked."""
    return find_rest(json.loads(masked), value)


@every(("written", "value"), list_ways())
def test_value_that_is_written_otherwise_does_not_leave(written: str, value: str) -> None:
    assert _find_rest(json.dumps(read_masked(text(written))), value) is None
    assert _find_rest(json.dumps(read_masked(answer(structuredContent={"note": written}))), value) is None


@every("name", case.SEPARATED)
@every("value", ["4111-1111-1111-1111", "5555 5555 5555 4444", "DE89 3704 0044 0532 0130 00"])
def test_value_with_other_separators_does_not_leave(name: str, value: str) -> None:
    assert find_rest(read_masked(text(case.SEPARATED[name](value))), value) is None


NUMBERS = [
    *("4111111111111111", "-4111111111111111", "4111111111111111.0", "4.111111111111111e15", "-4.111111111111111E+15"),
    *("41111111111111110000e-4", "0.4111111111111111e16", "[4111111111111111, 4.111111111111111e15]"),
]


@every("number", NUMBERS)
def test_card_as_a_number_does_not_leave(number: str) -> None:
    body = f'{{"jsonrpc":"2.0","id":1,"result":{{"structuredContent":{{"a":{number}}},"content":[{number}]}}}}'
    assert find_rest(read_masked(body.encode()), CARD) is None


@every("number", NUMBERS)
def test_card_as_a_number_in_a_text_does_not_leave(number: str) -> None:
    assert find_rest(read_masked(text(f'{{"a":{number}}}')), CARD) is None
    assert find_rest(read_masked(text(f'[1] {{"a": [{number}]}} and so on')), CARD) is None


# ---- every place of a message ----------------------------------------------------------------------------------

NOTE: dict[str, Any] = {"jsonrpc": "2.0"}
IN_MEMBERS = dict.fromkeys(("taskId", "sessionId", "cursor", "nextCursor", "id", "method", "jsonrpc"), CARD)
PLACES: dict[str, Any] = {
    "error's message": {**NOTE, "id": 1, "error": {"code": -32000, "message": f"no {CARD}"}},
    "error's data": {**NOTE, "id": 1, "error": {"code": -32000, "message": "no", "data": {"a": [CARD]}}},
    "error's code": {**NOTE, "id": 1, "error": {"code": int(CARD), "message": "no"}},
    "error that is a text": {**NOTE, "id": 1, "error": CARD},
    "_meta of a result": answer(_meta={"a": CARD}),
    "_meta that is a text": answer(_meta=CARD),
    "_meta of a message": {**NOTE, "id": 1, "_meta": {"a": CARD}, "result": {}},
    "_meta of content": answer(content=[{"type": "text", "_meta": {"taskId": CARD, "progressToken": CARD}}]),
    "member's name in a message": {**NOTE, "id": 1, "result": {}, CARD: 1},
    "member's name in a result": answer(**{CARD: 1}),
    "member's name of digits": answer(structuredContent={CARD: {"a": 1}}),
    "member's name in a list": answer(structuredContent=[{CARD: 1}, {CARD: 2}]),
    "member's name in base64": answer(structuredContent={case.encode(CARD).rstrip("="): 1}),
    "member's name of letters": answer(structuredContent={"AKIAQWERTYUIOPASDFGH": CARD}),
    "names of the protocol in structured content": answer(structuredContent=IN_MEMBERS),
    "names of the protocol in content": answer(content=[{"type": "text", "text": "a", **IN_MEMBERS}]),
    "names of the protocol that hold more": answer(nextCursor={"a": CARD}, requestState=[CARD]),
    "id that is an object": {**NOTE, "id": {"a": CARD}, "result": {}},
    "result that is a text": {**NOTE, "id": 1, "result": CARD},
    "result that is a list": {**NOTE, "id": 1, "result": [CARD, {"a": CARD}]},
    "member that no protocol has": {**NOTE, "id": 1, "result": {}, "other": CARD},
    "message of progress": {**NOTE, "method": "notifications/progress", "params": {"message": CARD}},
    "logged text": {**NOTE, "method": "notifications/message", "params": {"level": "info", "data": CARD}},
    "logged object": {**NOTE, "method": "notifications/message", "params": {"logger": CARD, "data": {"a": [CARD]}}},
    "task's state": {**NOTE, "method": "notifications/tasks", "params": {"taskId": "t", "statusMessage": CARD}},
    "task's result": answer(taskId="t", result={"content": [{"type": "text", "text": CARD}], "taskId": CARD}),
    "task that was made": answer(task={"taskId": "t", "statusMessage": CARD}),
    "input that is asked for": answer(
        resultType="input_required",
        inputRequests={"a": {"method": "elicitation/create", "params": {"message": CARD, "taskId": CARD}}},
    ),
    "question's schema": {
        **NOTE, "id": 1, "method": "elicitation/create",
        "params": {"message": "a", "requestedSchema": {"properties": {CARD: {"default": CARD, "enum": [int(CARD)]}}}},
    },
    "sampled messages": {
        **NOTE, "id": 1, "method": "sampling/createMessage",
        "params": {"messages": [{"role": "user", "content": {"type": "text", "text": CARD}}], "systemPrompt": CARD},
    },
    "resource that changed": {**NOTE, "method": "notifications/resources/updated", "params": {"uri": f"crm://{CARD}"}},
    "text of a resource": answer(contents=[{"uri": "crm://a", "text": CARD}]),
    "blob of text": answer(contents=[{"uri": "crm://a", "blob": case.encode(f"no {CARD}")}]),
    "blob of JSON": answer(contents=[{"uri": "crm://a", "blob": case.encode(json.dumps({"a": CARD}))}]),
    "blob of base64": answer(contents=[{"uri": "crm://a", "blob": case.encode(case.encode(CARD))}]),
    "blob that is embedded": answer(content=[{"type": "resource", "resource": {"blob": case.encode(CARD)}}]),
    "blob without padding": answer(contents=[{"uri": "crm://a", "blob": case.encode(CARD).rstrip("=")}]),
    "blob that is none": answer(contents=[{"uri": "crm://a", "blob": CARD}]),
    "blob that is an object": answer(contents=[{"uri": "crm://a", "blob": {"a": CARD}}]),
    "image that is text": answer(content=[{"type": "image", "data": CARD, "mimeType": CARD}]),
    "words next to an image": answer(content=[{"type": "image", "data": "iVBORw0KGgo=", "annotations": {"a": CARD}}]),
    "image in structured content": answer(structuredContent={"type": "image", "data": "AAAA", "note": CARD}),
    "prompt": answer(description=CARD, messages=[{"role": "user", "content": {"type": "text", "text": CARD}}]),
    "completion": answer(completion={"values": [CARD], "total": int(CARD)}),
    "link": answer(content=[{"type": "resource_link", "uri": f"crm://c/{CARD}", "name": CARD, "title": CARD}]),
    "link that is percent-coded": answer(content=[{"uri": "crm://c/%34111%31111%31111%31111"}]),
    "template": answer(resourceTemplates=[{"uriTemplate": f"crm://{CARD}/{{x}}"}]),
    "tool that is listed": answer(tools=[{"name": "a", "description": CARD, "inputSchema": {"default": int(CARD)}}]),
    "deep in objects": answer(structuredContent=json.loads('{"a":' * 150 + f'"{CARD}"' + "}" * 150)),
    "deep in lists": answer(structuredContent=[json.loads("[" * 150 + CARD + "]" * 150)]),
    "copy in a text": answer(content=[{"text": json.dumps({"a": CARD})}], structuredContent={"a": CARD}),
}  # fmt: skip


@every("name", PLACES)
def test_no_place_of_a_message_holds_a_value(name: str) -> None:
    assert find_rest(read_masked(PLACES[name]), CARD) is None


@every("name", PLACES)
def test_no_place_of_a_message_holds_a_value_where_binary_may_pass(name: str) -> None:
    if name not in ("image that is text", "blob that is none"):
        assert find_rest(read_masked(PLACES[name], WITH_BINARY), CARD) is None


def test_binary_that_may_pass_is_not_changed() -> None:
    image = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4).decode()
    body = answer(content=[{"type": "image", "data": image, "mimeType": "image/png"}, {"type": "text", "text": "a"}])
    assert read_masked(body, WITH_BINARY) == body


def test_what_the_protocol_needs_is_not_changed() -> None:
    needed = dict.fromkeys(("nextCursor", "requestState", "taskId", "progressToken", "requestId"), CARD)
    for body in (
        {**NOTE, "id": CARD, "result": {**needed, "_meta": {"progressToken": CARD, "taskId": CARD}}},
        {**NOTE, "id": int(CARD), "result": {"task": {"taskId": CARD}}},
        {**NOTE, "method": "notifications/progress", "params": {"progressToken": int(CARD), "progress": 0.5}},
    ):
        assert read_masked(body) == body


# ---- names of members that are known by their name only -----------------------------------------------------------

RECORD = {"first_name": "Annabelle", "last_name": "Featherstone", "date_of_birth": "1987-04-23", "ssn": "536221234"}
RECORD_TEXTS = {
    "whole": json.dumps(RECORD),
    "on lines": json.dumps(RECORD, indent=2),
    "behind a log line's beginning": f"2026-01-01 [main] INFO {{a}} {json.dumps(RECORD)}",
    "before a bracket": f"{json.dumps(RECORD)} (see [2])",
    "twice": f"{json.dumps(RECORD)} {json.dumps(RECORD)}",
    "in two fences": f"```\n{json.dumps(RECORD, indent=1)}\n```\nand\n```\n{json.dumps(RECORD, indent=1)}\n```",
    "on the last of many lines": '{"a": 1}\n' * 21_000 + json.dumps(RECORD),
    "next to what is no number": '{"a": NaN, ' + json.dumps(RECORD)[1:],
    "next to a member twice": '{"a": 1, "a": 2, ' + json.dumps(RECORD)[1:],
    "next to a long integer": f'{{"a": {"9" * 40}, ' + json.dumps(RECORD)[1:],
    "rows that are cut off": f'{{"rows": [{json.dumps(RECORD)}, {{"first_name": ',
    "in base64": case.encode(json.dumps(RECORD)),
    "in base64, on lines": case.encode(json.dumps(RECORD, indent=2)),
}


@every("name", RECORD_TEXTS)
def test_value_that_only_its_name_tells_of_does_not_leave_in_a_text(name: str) -> None:
    written = json.dumps(read_masked(text(RECORD_TEXTS[name])))
    assert [value for value in RECORD.values() if value in written or case.encode(value)[:-3] in written] == []


# ---- bodies of other kinds -------------------------------------------------------------------------------------

LINE = json.dumps(text(CARD)).encode()
STREAMS = {
    "line feeds": b"data: %b\n\n" % LINE,
    "both": b"data: %b\r\n\r\n" % LINE,
    "carriage returns": b"data:%b\r\r" % LINE,
    "a byte order mark": b"\xef\xbb\xbfdata: %b\n\n" % LINE,
    "a comment": b": %b\ndata: %b\n\n" % (CARD.encode(), LINE),
    "an event of comments": b": %b\n\n" % CARD.encode(),
    "a field that is none": b"card: %b\ndata: %b\n\n" % (CARD.encode(), LINE),
    "a time that is none": b"retry: x%b\ndata: %b\n\n" % (CARD.encode(), LINE),
    "several lines": b"data: " + json.dumps(text(CARD), indent=1).replace("\n", "\ndata: ").encode() + b"\n\n",
    "an event without an end": b"data: %b\n\ndata: %b" % (LINE, LINE),
    "data that is a number": b"data: %b\n\n" % CARD.encode(),
    "data that is a text": b'data: "%b"\n\n' % CARD.encode(),
    "data that is no JSON": b"data: card %b\n\n" % CARD.encode(),
}  # fmt: skip


@every("name", STREAMS)
def test_no_event_holds_a_value(name: str) -> None:
    assert find_rest(read_masked(STREAMS[name], media="text/event-stream; charset=utf-8"), CARD) is None


@every("media", ["text/plain", "text/html", "text/csv", "application/x-ndjson", "", "APPLICATION/XML"])
def test_text_of_any_type_is_masked(media: str) -> None:
    assert find_rest(read_masked(f"card {CARD}".encode(), media=media), CARD) is None


@every("body", [b"hello", b"[1]", b'{"a": "b"}', "gr\u00fc\u00dfe".encode()])
def test_text_without_values_is_not_changed(body: bytes) -> None:
    assert mask_body(body, "text/plain", PROFILE).body == body


@every("body", [b'"hello"', b"5", b"null", b"[]", b"{}", b'{"jsonrpc":"2.0","id":1,"result":{}}'])
def test_json_without_values_is_not_changed(body: bytes) -> None:
    assert mask_body(body, "application/json", PROFILE).body == body


@every("body", [b"\xff\xfe4\x001\x00", b'{"a":1', b'\xef\xbb\xbf{"a":1}', b'{"a":1,"a":2}', b'["\\ud800"]'])
def test_body_that_is_not_what_it_says_does_not_leave(body: bytes) -> None:
    with pytest.raises(Unmaskable):
        mask_body(body, "application/json", PROFILE)
