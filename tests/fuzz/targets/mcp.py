"""`core.message.mcp.parse` of a request as text: what it accepts, the standard library reads as the same."""

from collections.abc import Callable, Mapping
from typing import Any

from agen_authz.core.message.mcp import BodyLimits, parse
from agen_authz.core.message.method import Names, find_method
from agen_authz.core.message.version import LEGACY_VERSIONS, MODERN_VERSIONS
from agen_authz.core.model import Call, Era, Misread, Request, Shape
from agen_authz.core.reason import REFUSALS
from agen_authz.wire.ext_authz import read_check
from tests.fuzz.reference import Refused, bracket_count, depth_of, read_json
from tests.fuzz.targets.target import Finding, Target, expect
from tests.fuzz.written import read_written, write_check

SERVER = "crm"
LIMITS = BodyLimits(request_bytes=4096, json_depth=16)
TASK_KEYS = frozenset({"task", "taskId", "taskIds"})
# What some backend takes for one of these in another case decides what a message means.
KEYS = frozenset({"jsonrpc", "id", "method", "params", "name", "uri", "arguments", "_meta"})
Parse = Callable[[Request, str, BodyLimits], Call | Misread]


def check(raw: bytes, read: Parse = parse) -> None:
    """Parse what Envoy would hand over, and compare a Call with the bytes it came from."""
    request = read_check(write_check(read_written(raw)))
    if not isinstance(request, Request):
        return
    call = read(request, SERVER, LIMITS)
    if isinstance(call, Misread):
        expect(REFUSALS[call.reason].code != 0, "what cannot be read is refused")
        return
    expect(call.server == SERVER, "a call of the server that was asked")
    expect(call.version in MODERN_VERSIONS | LEGACY_VERSIONS, "a version that we speak")
    is_modern = call.version in MODERN_VERSIONS
    expect(call.envelope.era is (Era.MODERN if is_modern else Era.LEGACY), "the era of the version")
    session = None if is_modern else request.headers.get("mcp-session-id")
    expect(call.session_id == session, "sessions are of the legacy era")
    if request.method != "POST":
        expect((call.method, call.targets, call.arguments) == (request.method, (), None), "no body, nothing named")
        return
    _expect_sound(request)
    _compare(call, request)


def _expect_sound(request: Request) -> None:
    headers = request.headers
    expect(headers.get("content-type", "").lower().startswith("application/json"), "JSON only")
    expect(headers.get("content-encoding", "identity").lower() == "identity", "nothing that is encoded")
    expect(not request.is_partial and not request.has_text_body, "bytes that are all there")
    expect(0 < len(request.raw_body) <= LIMITS.request_bytes, "a body within the limit")


def _compare(call: Call, request: Request) -> None:
    expect(bracket_count(request.raw_body) < 4096, "a body within the limit")
    try:
        document = read_json(request.raw_body)
    except Refused as exc:
        raise Finding(f"the reference refuses what is read: {exc}") from exc
    expect(isinstance(document, dict), "one message, never a batch")
    expect(depth_of(document) <= LIMITS.json_depth, "nothing deeper than the limit")
    params = document.get("params", {})
    expect(not _twins(document) and (not isinstance(params, dict) or not _twins(params)), "no key has a look-alike")
    expect(document.get("jsonrpc") == "2.0", "JSON-RPC 2.0")
    expect(repr(call.envelope.id) == repr(document.get("id")), "the id is kept, type and all")
    if call.envelope.shape is Shape.RESPONSE:
        expect("method" not in document and not call.targets, "a response has no method and names nothing")
        return
    expect(call.method == document.get("method"), "the method is the body's")
    is_request = call.envelope.shape is Shape.REQUEST
    expect(is_request == ("id" in document), "a request has an id, a notification has none")
    expect(request.headers.get("mcp-method", call.method) == call.method, "the header names the body's method")
    _compare_parameters(call, params)


def _twins(members: Mapping[str, Any]) -> list[str]:
    return [key for key in members if key not in KEYS and key.strip("\0 \t\n").casefold() in KEYS]


def _compare_parameters(call: Call, params: dict[str, Any]) -> None:
    method = find_method(call.method, call.envelope.era)
    names = Names.NOTHING if method is None else method.names
    asks = call.makes_task and not call.uses_task and TASK_KEYS & params.keys() == {"task"}
    if method is not None and (names is Names.TASK or TASK_KEYS & params.keys()) and not asks:
        expect(call.uses_task and not call.targets, "tasks are known to be tasks")
        return
    expect([target.name for target in call.targets] == _named(names, params), "what is named is the body's")
    if names in (Names.TOOL, Names.PROMPT):
        expect(repr(call.arguments) == repr(params.get("arguments", {})), "the arguments are the body's")
        expect(repr(call.inputs) == repr(params.get("inputResponses")), "the answers are the body's")
    else:
        expect(call.arguments is None, "nothing else has arguments")


def _named(names: Names, params: dict[str, Any]) -> list[Any]:
    match names:
        case Names.TOOL | Names.PROMPT:
            return [params.get("name")]
        case Names.RESOURCE:
            return [params.get("uri")]
        case Names.REFERENCE:
            reference = params["ref"]
            return [value for key, value in reference.items() if key in ("name", "uri")]
        case Names.SUBSCRIPTION:
            return list(params.get("notifications", {}).get("resourceSubscriptions", []))
        case _:
            return []


TARGET = Target("mcp", check, "request")
