"""Parts that are rendered once: the same bytes as rendering again, and never more of them than bounded."""

import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.header import look_at
from agen_authz.core.model import Envelope, Era, Shape
from agen_authz.wire.field import write_field
from agen_authz.wire.template import Templates
from tests import builders as build


@given(st.binary(max_size=70_000) | st.integers(0, 20_000).map(bytes))
def test_field_is_written_as_the_library_writes_it(payload):
    assert write_field(3, payload) == pb.HeaderValue(raw_value=payload).SerializeToString() or not payload


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384])
def test_field_of_any_size_is_read_back(size):
    assert pb.HeaderValue.FromString(write_field(3, b"x" * size)).raw_value == b"x" * size


def removed(
    templates: Templates,
    names: tuple[str, ...],
    era: Era = Era.MODERN,
    shape: Shape = Shape.REQUEST,
    *,
    is_inspected: bool = False,
    **changes,
) -> set[str]:
    resource, envelope = replace(build.resource(), **changes), Envelope(era, shape)
    part = templates.render_resource(resource, envelope, look_at(names), is_inspected=is_inspected)
    return set(pb.OkHttpResponse.FromString(part).headers_to_remove)


def test_what_is_inspected_is_not_to_be_compressed():
    templates, names = Templates("off"), ("accept-encoding", "accept")
    plain, inspected = (removed(templates, names, is_inspected=is_inspected) for is_inspected in (False, True))
    assert (plain, inspected) == (set(), {"accept-encoding"})


def test_what_one_client_sent_says_nothing_of_another():
    templates = Templates("off")
    first, second = removed(templates, ("cookie", "accept")), removed(templates, ("x-a", "accept"))
    assert (first, second, removed(templates, ("cookie", "accept"))) == ({"cookie"}, {"x-a"}, {"cookie"})


def test_era_decides_on_the_session_id_each_time():
    templates = Templates("off")
    names = ("mcp-session-id",)
    seen = [removed(templates, names, era) for era in (Era.MODERN, Era.LEGACY, Era.MODERN)]
    assert seen == [{"mcp-session-id"}, set(), {"mcp-session-id"}]


SENT_OF_MCP = ("mcp-method", "mcp-name", "mcp-protocol-version", "mcp-param-a", "mcp-other", "mcp-params-b", "mcp-")


def test_only_headers_of_mcp_that_are_known_are_passed_on():
    assert removed(Templates("off"), SENT_OF_MCP) == {"mcp-other", "mcp-params-b", "mcp-"}


@pytest.mark.parametrize("shape", [Shape.STREAM, Shape.END])
@pytest.mark.parametrize("forwarded", [frozenset(), frozenset({"mcp-name"})])
def test_headers_that_repeat_a_message_are_removed_where_there_is_none(shape, forwarded):
    templates = Templates("off")
    names = (*SENT_OF_MCP, "mcp-session-id", "accept")
    kept = {"mcp-protocol-version", "mcp-session-id", "accept"}
    seen = [
        set(names) - removed(templates, names, Era.LEGACY, each, forward_headers=forwarded)
        for each in (shape, Shape.REQUEST, shape)
    ]
    assert seen == [kept, kept | {"mcp-method", "mcp-name", "mcp-param-a"}, kept]


def test_resources_do_not_share_what_is_forwarded():
    templates = Templates("off")
    assert removed(templates, ("x-a",), name="one", forward_headers=frozenset({"x-a"})) == set()
    assert removed(templates, ("x-a",), name="two") == {"x-a"}


def test_flood_of_names_is_rendered_and_not_kept():
    templates = Templates("off")
    for number in range(3000):
        assert removed(templates, (f"x-{number}",)) == {f"x-{number}"}
    assert removed(templates, ("x" * 5000,)) == {"x" * 5000}


def test_flood_of_long_names_that_reach_the_backend_is_not_kept():
    templates = Templates("off")
    tracemalloc.start()
    try:
        for number in range(100):
            assert removed(templates, (f"mcp-param-{number}" + "x" * 50_000,)) == set()
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
