"""Whatever breaks, Check denies: no fault and no input makes an answer that Envoy would take for a yes."""

import json
from typing import Any

import pytest
from envoy_data_plane.envoy.service.auth.v3 import CheckResponse
from hypothesis import given
from hypothesis import strategies as st

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.builders import sign
from tests.check.rig import Rig, default_keys, drive
from tests.fakes import CountingMetrics, FakeClock, ListSink, MemoryKeys, SeqEntropy


class Breaking:
    """Stands in front of a fake, and raises when one of its methods is used for the nth time."""

    def __init__(self, inner: Any, method: str, fault: BaseException, after: int) -> None:
        self._inner, self._method, self._fault, self._after = inner, method, fault, after

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            self._after -= 1
            if self._after < 0:
                raise self._fault
        return getattr(self._inner, name)


FAULTS = (
    OSError("disk"),
    RuntimeError("bug"),
    MemoryError(),
    RecursionError(),
    TimeoutError(),
    AssertionError(),
    KeyError("x"),
    StopAsyncIteration(),
    Unavailable(Reason.STORE_UNAVAILABLE, "x"),
)
POINTS: tuple[tuple[str, Any, str], ...] = (
    ("clock", lambda: FakeClock(build.NOW), "now"),
    ("clock", lambda: FakeClock(build.NOW), "elapsed"),
    ("keys", default_keys, "find_key"),
    ("keys", lambda: MemoryKeys("idp", "other"), "fetch_key"),
    ("audit", ListSink, "emit"),
)
RAW = build.check_request(
    {**build.headers_for(sign(build.claims())), "mcp-session-id": build.session()}, build.encode(build.message())
)


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize(("port", "make", "method"), POINTS, ids=[f"{point[0]}.{point[2]}" for point in POINTS])
def test_fault_in_a_port_denies(port, make, method, fault, after):
    breaking: Any = {port: Breaking(make(), method, fault, after)}
    working: Any = {port: Breaking(make(), method, fault, 1_000_000)}
    spoilt, whole = Rig(**breaking), Rig(**working)
    wanted = whole.check(RAW)
    used = 1_000_000 - getattr(whole, port)._after
    seen = spoilt.check(RAW)
    if after < used:
        assert not seen.is_allowed and seen.status >= 400
    else:
        assert (seen.is_allowed, seen.status) == (wanted.is_allowed, wanted.status)


def test_fault_in_entropy_denies():
    assert not Rig(entropy=Breaking(SeqEntropy(), "draw", OSError(), 0)).check(RAW).is_allowed


class DeafMetrics(CountingMetrics):
    def count_decision(self, decision, reason, server, seconds):
        raise RuntimeError("metrics")


def test_broken_metrics_deny():
    assert not Rig(metrics=DeafMetrics()).check(RAW).is_allowed


def status_of(answered: bytes) -> int:
    response = pb.CheckResponse.FromString(answered)
    assert (response.status.code == 0) == (response.WhichOneof("http_response") == "ok_response")
    assert response.HasField("status") and response.WhichOneof("http_response") is not None
    return int(response.status.code)


@pytest.mark.filterwarnings("ignore:HeaderValueOption.append is deprecated:DeprecationWarning")
@given(st.sampled_from([RAW, b"", RAW[:-1], RAW[: len(RAW) // 2]]), st.text(max_size=9), st.text(max_size=9))
def test_answer_is_envoys_own_message_with_exactly_one_response(raw, subject, tenant):
    rig = Rig()
    token = sign(build.claims(sub=subject, tenantId=tenant))
    for each in (raw, build.check_request(build.headers_for(token), build.encode(build.message()))):
        answered = drive(rig.servicer.check(each, 0.2))
        response = CheckResponse().parse(answered)
        kinds = [response.denied_response, response.ok_response, response.error_response]
        assert sum(kind is not None for kind in kinds) == 1 and response.status is not None
        assert (response.status.code == 0) == (response.ok_response is not None)


def decide(rig: Rig, raw: bytes) -> int:
    coroutine = rig.servicer.check(raw, 0.2)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return status_of(stop.value)
    raise AssertionError("waited")


@given(st.binary(max_size=400))
def test_no_bytes_are_allowed(raw):
    assert decide(Rig(), raw) != 0


def mutate(raw: bytes, edits: list[tuple[int, int]]) -> bytes:
    spoilt = bytearray(raw)
    for position, value in edits:
        spoilt[position % len(spoilt)] = value
    return bytes(spoilt)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=4))
def test_spoilt_request_is_allowed_only_if_its_event_says_so(edits):
    rig = Rig()
    code = decide(rig, mutate(RAW, edits))
    assert (code == 0) == (rig.audit.events[-1]["decision"] == "allow")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error", "Method"])
PARAMS = st.dictionaries(
    st.sampled_from(["name", "uri", "ref", "argument", "arguments", "task", "notifications", "taskId", "_meta"]),
    JSON | st.sampled_from(["get_customer", "delete_customer", "vault://1", {"resourceSubscriptions": ["vault://1"]}]),
)
METHOD = st.sampled_from([
    "tools/call", "prompts/get", "resources/read", "resources/subscribe", "completion/complete",
    "subscriptions/listen", "tasks/get", "ping", "tools/list", "notifications/x", "initialize", "response",
])  # fmt: skip
MESSAGES = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "method": METHOD},
    optional={"id": st.integers(0, 9) | st.text(max_size=3), "params": PARAMS},
)
NAMING = {
    "tools/call", "prompts/get", "resources/read", "resources/subscribe", "completion/complete", "tasks/get",
}  # fmt: skip
FREE = {"ping", "tools/list", "notifications/x", "initialize", "subscriptions/listen"}


@given(MESSAGES | st.dictionaries(KEYS, JSON) | JSON, st.booleans())
def test_call_that_names_a_target_is_allowed_by_a_rule_only(document, is_modern):
    rig = Rig()
    headers = {**build.headers_for(sign(build.claims(roles=[]))), "mcp-protocol-version": build.LEGACY}
    if is_modern and isinstance(document, dict) and isinstance(document.get("params", {}), dict):
        meta = {build.VERSION_KEY: build.MODERN, build.CAPABILITIES_KEY: {}}
        document = {**document, "params": {**document.get("params", {}), "_meta": meta}}
        params = document["params"]
        headers["mcp-protocol-version"] = build.MODERN
        headers["mcp-method"] = str(document.get("method"))
        name = params.get("uri", params.get("name"))
        if isinstance(name, str) and name.isascii() and name.isprintable() and "," not in name:
            headers["mcp-name"] = name
    code = decide(rig, build.check_request(headers, json.dumps(document).encode()))
    event = rig.audit.events[-1]
    assert (code == 0) == (event["decision"] == "allow")
    if code == 0:
        # The caller has no role at all, so nothing that names anything may have passed.
        assert event["call"]["method"] in FREE - NAMING and event["call"]["targets"] == []
