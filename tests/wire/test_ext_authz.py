"""Envoy's messages: what is read from them, and that nothing but an Allow of a known caller is rendered as one."""

import pytest

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.errors import Malformed
from agen_authz.core.header import look_at
from agen_authz.core.model import Deny, Envelope, Request, Shape
from agen_authz.core.reason import HIDDEN, REFUSALS, Reason
from agen_authz.core.stage import Refused
from agen_authz.wire.ext_authz import read_check, render_check
from agen_authz.wire.refusal import HttpAnswer, render_refusal
from agen_authz.wire.template import Templates
from tests import builders as build
from tests.check.rig import Rig, drive
from tests.reached import reach

HEADERS = [("Content-Type", "application/json"), ("x", "1"), ("x", "2")]


def headers_of(form, pairs=HEADERS):
    request = read_check(build.check_request(pairs, b"{}", form=form))
    assert isinstance(request, Request)
    return {name: value for name, value in request.headers.items() if name[0] != ":"}, set(request.repeated)


def test_joined_headers_are_read():
    assert headers_of("headers") == ({"content-type": "application/json", "x": "1,2"}, set())


def test_header_map_is_read_and_knows_repeats():
    assert headers_of("header_map") == ({"content-type": "application/json", "x": "2"}, {"x"})


@pytest.mark.parametrize("form", ["headers", "header_map"])
def test_names_that_differ_in_case_are_a_repeat(form):
    repeated = headers_of(form, [("mcp-name", "a"), ("MCP-Name", "b")])[1]
    assert repeated & {"host", "mcp-name"}


@pytest.mark.parametrize(("form", "is_repeat"), [("headers", True), ("header_map", False)])
def test_name_with_a_comma_is_one_where_envoy_keeps_headers_apart(form, is_repeat):
    assert ("mcp-name" in headers_of(form, [("mcp-name", "db://a,b")])[1]) == is_repeat


def test_request_is_read_whole():
    raw = build.check_request({"content-type": "application/json"}, b"{}")
    request = read_check(raw)
    assert isinstance(request, Request)
    assert request == Request(
        method="POST",
        authority="mcp.example.com",
        path="/crm/mcp",
        headers={
            ":method": "POST", ":path": "/crm/mcp", ":authority": "mcp.example.com", ":scheme": "https",
            "content-type": "application/json",
        },
        names=look_at(tuple(request.headers)),
        repeated=frozenset(),
        raw_body=b"{}",
        has_text_body=False,
        is_partial=False,
        peer="192.0.2.1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xff\xff", Malformed(Reason.REQUEST_UNREADABLE)),
        (b"", Malformed(Reason.REQUEST_UNREADABLE, "no method, path or host")),
        (build.check_request({}, method=""), Malformed(Reason.REQUEST_UNREADABLE, "no method, path or host")),
        (build.check_request({}, path=""), Malformed(Reason.REQUEST_UNREADABLE, "no method, path or host")),
        (build.check_request({}, host=""), Malformed(Reason.REQUEST_UNREADABLE, "no method, path or host")),
    ],
    ids=["no protobuf", "nothing", "no method", "no path", "no host"],
)
def test_request_that_cannot_be_read_is_malformed(raw, expected):
    assert read_check(raw) == expected


def test_bytes_win_over_text_where_both_are_there_and_text_is_still_noticed():
    written = pb.CheckRequest.FromString(build.check_request({}, b'{"a":1}'))
    written.attributes.request.http.body = '{"b":1}'
    request = read_check(written.SerializeToString())
    assert isinstance(request, Request) and (request.raw_body, request.has_text_body) == (b'{"a":1}', True)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("shape", Shape)
def test_denial_is_never_rendered_as_a_yes(reason, shape):
    response = pb.CheckResponse.FromString(
        render_check(Refused(reach(), Deny(reason, (), Envelope(shape=shape))), Templates("off"))
    )
    assert response.status.code == 7 and response.denied_response.status.code >= 200
    assert response.WhichOneof("http_response") == "denied_response"


@pytest.mark.parametrize("reason", [each for each in Reason if REFUSALS[each].status == 200])
def test_denied_notification_is_taken_and_not_answered(reason):
    assert render_refusal(Deny(reason, (), Envelope(shape=Shape.NOTIFICATION)), reach()) == HttpAnswer(202, (), "")


@pytest.mark.parametrize("reason", sorted(HIDDEN))
def test_hidden_reason_stays_hidden_without_a_target(reason):
    assert reason.value not in render_refusal(Deny(reason), reach()).body


def test_what_cors_says_replaces_what_the_backend_says_and_only_vary_is_added_to():
    rig = Rig()
    headers = build.headers_for(build.sign(build.claims())) | {"origin": build.ORIGIN}
    answered = drive(rig.servicer.check(build.check_request(headers, build.encode(build.message())), 0.2))
    added = pb.CheckResponse.FromString(answered).ok_response.response_headers_to_add
    assert {each.header.key: (each.HasField("append"), each.append.value) for each in added} == {
        "access-control-allow-origin": (True, False),
        "access-control-expose-headers": (True, False),
        "vary": (True, True),
    }


def test_header_without_name_is_refused():
    pairs = [*build.headers_for(build.sign(build.claims())).items(), ("", "x")]
    seen = Rig().check(build.check_request(pairs, build.encode(build.message()), form="header_map"))
    assert (seen.reason, seen.status) == ("request_unreadable", 400)


@pytest.mark.parametrize(("form", "reason"), [("headers", "header_mismatch"), ("header_map", "header_repeated")])
def test_parameter_header_that_is_repeated_is_refused(form, reason):
    pairs = [*build.headers_for(build.sign(build.claims())).items(), ("mcp-param-a", "1"), ("mcp-param-a", "2")]
    assert Rig().check(build.check_request(pairs, build.encode(build.message()), form=form)).reason == reason


def test_repeat_of_an_unknown_header_passes():
    pairs = [*build.headers_for(build.sign(build.claims())).items(), ("x", "1"), ("x", "2")]
    assert Rig().check(build.check_request(pairs, build.encode(build.message()), form="header_map")).is_allowed
