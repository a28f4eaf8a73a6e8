"""The credential that is seen at a glance is the one that is read later, and no bytes break it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.model import Issuer, Owner, Request, Subject
from agen_authz.core.reason import Reason
from agen_authz.wire.ext_authz import read_check
from agen_authz.wire.glance import find_credential
from tests import builders as build
from tests.builders import claims, sign
from tests.check.rig import Rig, drive, read_answer

VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=200) | st.sampled_from(
    ["x" * 127, "x" * 128, "x" * 16_383, "x" * 16_384, "x" * 70_000]
)
ANN = Owner(Issuer(build.ISSUER), Subject("ann"))


def written(value: str, *, is_joined: bool, body: bytes = b"") -> bytes:
    http = pb.AttributeContext.HttpRequest(method="POST", path="/crm/mcp", host="mcp.example.com", raw_body=body)
    for name, each in (("accept", "*/*"), ("authorization", value), ("x-last", "z")):
        if is_joined:
            http.headers[name] = each
        else:
            http.header_map.headers.add(key=name, raw_value=each.encode("latin-1"))
    request = pb.CheckRequest()
    request.attributes.request.http.CopyFrom(http)
    return request.SerializeToString()


@given(VALUES, st.booleans())
def test_what_is_seen_is_what_is_read(value, is_joined):
    raw = written(value, is_joined=is_joined)
    read = read_check(raw)
    assert isinstance(read, Request)
    # An empty value is written by leaving it out.
    assert (find_credential(raw) or b"").decode("latin-1") == read.headers["authorization"]


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_bytes_show_a_credential_or_none(before, after):
    for raw in (before, before + b"\n\rauthorization" + after, before + b"\n\rauthorization"):
        assert isinstance(find_credential(raw), bytes | None)


def test_request_without_one_shows_none():
    assert find_credential(build.check_request(build.headers_for(None), b"{}")) is None


def test_caller_is_known_once_the_token_was_verified_and_not_before():
    rig, raw = (
        Rig(),
        build.check_request(build.headers_for(sign(claims(sub="ann"))), build.encode(build.message("ping"))),
    )
    before = rig.servicer.find_caller(raw)
    rig.check(raw)
    assert (before, rig.servicer.find_caller(raw)) == (None, ANN)


def test_token_that_was_refused_makes_no_caller_known():
    rig = Rig()
    raw = build.check_request(build.headers_for(sign(claims(), key=build.ec_key("forger"))), b"{}")
    rig.check(raw)
    assert rig.servicer.find_caller(raw) is None


def test_body_that_looks_like_a_header_names_no_other_caller():
    rig = Rig()
    good = build.check_request(build.headers_for(sign(claims(sub="ann"))), build.encode(build.message("ping")))
    rig.check(good)
    guess = b"\n\rauthorization\x1a\x08Bearer x"
    assert rig.servicer.find_caller(written("Bearer y", is_joined=False, body=guess)) is None


def test_refusal_of_what_was_not_read_is_an_answer_an_event_and_a_count():
    rig = Rig()
    seen = read_answer(drive(rig.servicer.refuse(Reason.OVERLOADED)))
    (event,) = rig.audit.events
    assert (seen.is_allowed, seen.status, seen.code, seen.told) == (False, 503, 50300, "overloaded")
    assert (seen.header("retry-after"), event["reason"]) == ("1", "overloaded")
    assert rig.metrics.decisions == [("deny", "overloaded", "")]


def test_call_that_is_late_is_refused_before_anything_is_read():
    assert Rig().check(b"\xff", 0.0).told == "deadline"


@pytest.mark.parametrize(
    "rest", [b"", b"\x12", b"\x12\x80\x80\x80", b"\x1a\xff\xff\xff\x01x", b"\x12\x03ab", b"\x22\x01x"], ids=bytes.hex
)
def test_value_that_is_cut_off_or_longer_than_envoy_takes_is_not_seen(rest):
    assert find_credential(b"\n\rauthorization" + rest) is None


def test_value_whose_length_takes_three_bytes_is_seen():
    assert find_credential(b"\n\rauthorization\x12\x81\x80\x00x") == b"x"
