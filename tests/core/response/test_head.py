"""Headers of an inspected response: what passes, in which form, and what is removed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.reason import Reason
from agen_authz.core.response.head import HeaderChanges, Media, choose_changes, read_head, refuse_head

PASSES = {
    "access-control-allow-origin": ("https://app.example.com", "a b"),
    "allow": ("GET, POST", "get"),
    "cache-control": ("no-cache, max-age=60", 'private="x"'),
    "date": ("Mon, 30 Nov 2026 06:06:20 GMT", "today"),
    "mcp-protocol-version": ("2025-11-25", "2025-11-25 x"),
    "retry-after": ("120", "soon"),
    "traceparent": ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf9"),
    "vary": ("origin, accept", "a;b"),
    "x-accel-buffering": ("no", "maybe"),
}


def keep(session: str) -> str | None:
    return session


@pytest.mark.parametrize("name", PASSES)
def test_header_passes_once_and_in_its_form(name: str):
    good, bad = PASSES[name]
    seen = [choose_changes(fields, None, keep).remove for fields in (((name, good),), ((name, bad),))]
    assert seen == [(), (name,)]
    assert choose_changes(((name, good), (name, good)), None, keep).remove == (name,)


@pytest.mark.parametrize(
    "name",
    [
        *("server", "location", "set-cookie", "www-authenticate", "content-length", "transfer-encoding", "connection"),
        *("trailer", "content-encoding", "content-disposition", "x-a", "x-envoy-upstream-service-time", "tracestate"),
        *("access-control-allow-credentials", "etag", "link", "via", ""),
    ],
)
def test_any_other_header_is_removed(name: str):
    assert choose_changes(((":status", "200"), (name, "1")), Media.JSON, keep).remove == (name,)


def test_type_is_what_is_sent():
    fields = (("content-type", "Application/JSON; charset=utf-16"),)
    seen = [choose_changes(fields, media, keep) for media in (Media.JSON, Media.UNSAID, Media.EVENTS, None)]
    assert seen == [
        HeaderChanges((("content-type", "application/json"),)),
        HeaderChanges((("content-type", "application/json"),)),
        HeaderChanges((("content-type", "text/event-stream"),)),
        HeaderChanges((), ("content-type",)),
    ]


SESSIONS = {
    "marked": ((("mcp-session-id", "s1"),), HeaderChanges((("mcp-session-id", "s1!"),))),
    "none": ((), HeaderChanges()),
    "refused": ((("mcp-session-id", "gone"),), HeaderChanges((), ("mcp-session-id",))),
    "twice": ((("mcp-session-id", "s1"), ("mcp-session-id", "s2")), HeaderChanges((), ("mcp-session-id",))),
    "not visible": ((("mcp-session-id", "s 1"),), HeaderChanges((), ("mcp-session-id",))),
    "too long": ((("mcp-session-id", "s" * 1025),), HeaderChanges((), ("mcp-session-id",))),
}


@pytest.mark.parametrize(("fields", "changes"), SESSIONS.values(), ids=SESSIONS)
def test_session_id_is_the_one_that_was_made_of_the_backends(fields, changes: HeaderChanges):
    assert choose_changes(fields, None, lambda session: None if session == "gone" else f"{session}!") == changes


@given(st.lists(st.tuples(st.sampled_from([":status", "content-type", "content-encoding", "vary"]), st.text())))
def test_any_headers_are_read(fields: list[tuple[str, str]]):
    head = read_head(tuple(fields))
    assert (head is None) or (100 <= head.status < 600)
    changes = choose_changes(tuple(fields), Media.JSON, keep)
    assert {name for name, _ in fields} - set(changes.remove) <= {":status", "content-type", "vary"}


def test_number_of_another_script_is_no_status():
    assert read_head(((":status", "２００"),)) is None


def test_response_with_a_host_header_is_no_answer_of_an_mcp_server():
    head = read_head(((":status", "200"), ("content-type", "application/json"), ("host", "evil.example.com")))
    assert head is not None
    assert refuse_head(head, has_body=True) is Reason.RESPONSE_NOT_MCP
