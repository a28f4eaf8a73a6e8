"""HTTP/2 through a real Envoy: what no line of HTTP/1.1 can say, and what each stream comes to."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.e2e.http2 import PSEUDO, Streamed, ask_stream, send_stream
from tests.e2e.wire import AS_SENT, GOOD, Passed, expected, received_by_all, summary_of
from tests.stage.world import World

pytestmark = pytest.mark.envoy

LENGTH, TYPE, SESSION, AUTH, VERSION = (
    "content-length", "content-type", "mcp-session-id", "authorization", "mcp-protocol-version",
)  # fmt: skip
ADMIN = '"admin"'
IDENTITY = ("issuer", "subject", "tenant", "client", "roles", "permissions", "resource", "request-id")
CLIENTS = 24


def _but(**changed: str | None) -> Streamed:
    """The good request with other pseudo-headers; None for one that is left out."""
    pseudo = {**dict(PSEUDO), **{f":{name}": value for name, value in changed.items()}}
    return Streamed(pseudo=[(name, value) for name, value in pseudo.items() if value is not None])


def _also(name: str, value: str) -> Streamed:
    return Streamed(added=[(name, value)])


def _pseudo_also(name: str, value: str) -> Streamed:
    return Streamed(pseudo=[*PSEUDO, (name, value)])


def _legacy(session: str) -> Streamed:
    return Streamed(replaced=[(VERSION, "2025-11-25")], without=["mcp-method", "mcp-name"], added=[(SESSION, session)])


UNCOUNTED = Passed({LENGTH: None, "transfer-encoding": "chunked"})
# name: (request, status, reason, what arrives)
ANSWERED: dict[str, tuple[Streamed, int, str | None, Passed | None]] = {
    **{
        name: (streamed, 200, None, AS_SENT)
        for name, streamed in {
            "good": Streamed(),
            "forged_identity": Streamed(added=[(f"agen-{name}", ADMIN) for name in IDENTITY]),
            "forged_twice": Streamed(added=[("agen-subject", ADMIN), ("agen-subject", '"root"')]),
            "underscores": Streamed(added=[("agen_subject", ADMIN), ("mcp_session_id", "s"), ("content_type", "a/b")]),
            "controls": Streamed(added=[("x-envoy-retry-on", "5xx"), ("x-envoy-auth-partial-body", "true")]),
            "grpc_controls": Streamed(added=[("grpc-timeout", "1n"), ("grpc-encoding", "gzip")]),
            "settings_as_header": _also("http2-settings", "AAMAAABkAAQAAP__"),
            "te_trailers": _also("te", "trailers"),
            "cookie_crumbs": Streamed(added=[("cookie", "a=1"), ("cookie", "agen-subject=admin")]),
            "expects": _also("expect", "100-continue"),
            "trailers": Streamed(trailers=[("agen-subject", ADMIN), ("mcp-name", "update_deal"), ("x-kept", "a")]),
            "no_trailer": Streamed(trailers=[]),
            "host_beside_authority": _also("host", "{host}"),
            "other_host_beside_authority": _also("host", "evil.example.com"),
            "host_for_authority": replace(_but(authority=None), added=[("host", "{host}")]),
            "scheme_https": _but(scheme="https"),
            "scheme_ftp": _but(scheme="ftp"),
            "scheme_in_upper_case": _but(scheme="HTTP"),
            "slashes": _but(path="//crm//mcp"),
            "dots": _but(path="/billing/../crm/./mcp"),
            "backslash": _but(path="/crm\\mcp"),
        }.items()
    },
    "no_length": (Streamed(without=[LENGTH]), 200, None, UNCOUNTED),
    "no_length_but_trailers": (
        Streamed(without=[LENGTH], trailers=[("agen-subject", ADMIN)]), 200, None, UNCOUNTED,
    ),
    "many_frames": (Streamed(body=GOOD.ljust(60_000)), 200, None, Passed({}, GOOD.ljust(60_000))),
    "blanks_around_value": (_also("x-kept", " a\t"), 200, None, Passed({"x-kept": "a"})),
    "latin_1": (_also("x-kept", "\xe9"), 200, None, Passed({"x-kept": "\xe9"})),
    "authority_foreign": (_but(authority="evil.example.com"), 404, None, None),
    "authority_foreign_beside_host": (
        replace(_but(authority="evil.example.com"), added=[("host", "{host}")]), 404, None, None,
    ),
    "authority_list": (_but(authority="{host},evil.example.com"), 404, None, None),
    "authority_with_dot": (_but(authority="{host}."), 404, None, None),
    "path_of_another_resource": (_but(path="/billing/mcp"), 401, "token_audience", None),
    "path_with_query": (_but(path="/crm/mcp?x"), 400, "foreign_query", None),
    "path_with_fragment": (_but(path="/crm/mcp#a"), 400, None, None),
    "path_with_escaped_slash": (_but(path="/crm%2fmcp"), 400, None, None),
    "path_beyond_ascii": (_but(path="/crm/mcp\xe9"), 404, None, None),
    "path_with_host": (_but(path="//evil.example.com/crm/mcp"), 404, None, None),
    **{
        f"method_{method}": (_but(method=method), 405, "method_not_allowed", None)
        for method in ("post", "GET", "DELETE", "FOO", "TRACE", "OPTIONS", "PUT")
    },
    "method_head": (_but(method="HEAD"), 405, None, None),
    "tunnel": (Streamed(pseudo=[(":method", "CONNECT"), (":authority", "{host}")]), 404, None, None),
    "length_with_zeros": (Streamed(replaced=[(LENGTH, "00{length}")]), 413, "body_partial", None),
    "no_body": (Streamed(body=b""), 400, "body_empty", None),
    "no_token": (Streamed(without=[AUTH]), 401, "token_missing", None),
    "compressed": (_also("content-encoding", "gzip"), 415, "content_encoding", None),
    # HTTP/1.1 has no way to send blanks around a value: here they are part of it.
    "blank_before_token": (Streamed(replaced=[(AUTH, " Bearer {token}")]), 401, "token_missing", None),
    "blank_behind_token": (Streamed(replaced=[(AUTH, "Bearer {token} ")]), 400, "authorization_malformed", None),
    "blank_behind_name": (Streamed(replaced=[("mcp-name", "get_customer ")]), 400, "header_mismatch", None),
    "blank_before_name": (Streamed(replaced=[("mcp-name", " get_customer")]), 400, "header_mismatch", None),
    "blank_behind_version": (Streamed(replaced=[(VERSION, "2026-07-28 ")]), 400, "era_confusion", None),
    "blank_before_type": (Streamed(replaced=[(TYPE, " application/json")]), 415, "media_type", None),
    "blank_before_encoding": (_also("content-encoding", " identity"), 415, "content_encoding", None),
    "blank_before_origin": (_also("origin", " https://app.example.com"), 403, "origin_refused", None),
    "blank_before_session": (_legacy(" s"), 400, "header_malformed", None),
    "blank_behind_session": (_legacy("s "), 400, "header_malformed", None),
    "tab_behind_session": (_legacy("s\t"), 400, "header_malformed", None),
    "empty_session": (_legacy(""), 400, "header_malformed", None),
    "joined_sessions": (_legacy("s,s"), 400, "header_repeated", None),
    **{
        f"two_{name}": (_also(name, "x"), 400, "header_repeated", None)
        for name in (AUTH, TYPE, "mcp-name", "mcp-method", VERSION)
    },
    "two_sessions": (Streamed(added=[(SESSION, "a"), (SESSION, "b")]), 400, "header_repeated", None),
    # Envoy answers what calls itself gRPC as gRPC: 200, and the status in a header.
    "said_to_be_grpc": (Streamed(replaced=[(TYPE, "application/grpc")]), 200, None, None),
}  # fmt: skip
# Envoy ends the stream, or the connection, without an answer.
RESET = {
    **{f"path {path!r}": _but(path=path) for path in (
        "", "crm/mcp", "?/crm/mcp", "*", "http://{host}/crm/mcp", "/crm/mcp ", "/crm/mcp\t", "/crm/mcp\x00",
        "/crm/mcp HTTP/1.1", "/crm/mcp\r\nagen-subject: x",
    )},
    **{f"method {method!r}": _but(method=method) for method in (
        "", "POST ", "P\xd6ST", "POST /billing/mcp HTTP/1.1\r\n", "CONNECT",
    )},
    **{f"scheme {scheme!r}": _but(scheme=scheme) for scheme in ("", "http://evil", "http\r\n")},
    **{f"authority {authority!r}": _but(authority=authority) for authority in ("", "u@{host}", "a b", "a\r\nb")},
    **{f"no {name}": _but(**{name: None}) for name in ("path", "method", "scheme", "authority")},
    **{f"second {name}": _pseudo_also(name, value) for name, value in PSEUDO},
    "unknown pseudo-header": _pseudo_also(":agen", "x"),
    "pseudo-header of answers": _pseudo_also(":status", "200"),
    "pseudo-header behind others": _also(":path", "/billing/mcp"),
    "tunnel of a protocol": Streamed(pseudo=[*_but(method="CONNECT").pseudo, (":protocol", "websocket")]),
    "protocol of a POST": _pseudo_also(":protocol", "websocket"),
    "two hosts": Streamed(added=[("host", "{host}"), ("host", "{host}")]),
    **{f"hop {name}: {value}": _also(name, value) for name, value in (
        ("connection", "close"), ("connection", "agen-subject"), ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"), ("keep-alive", "x"), ("upgrade", "websocket"), ("proxy-connection", "x"),
        ("te", "gzip"),
    )},
    **{f"length {length!r}": Streamed(replaced=[(LENGTH, length)]) for length in (
        "", "0", "3", "9999", "-1", "x", "+{length}", " {length}", "{length}, {length}",
    )},
    "length of no body": Streamed(replaced=[(LENGTH, "5")], body=b""),
    "two lengths": _also(LENGTH, "3"),
    "two equal lengths": _also(LENGTH, "{length}"),
    **{f"value {value!r}": _also("x-kept", value) for value in (
        "a\r\nagen-subject: x", "a\nb", "a\rb", "a\x00b", "a\x01b", "a\x7fb",
    )},
    "session with NUL": _legacy("s\x00"),
    **{f"name {name!r}": _also(name, ADMIN) for name in (
        "", "Agen-Subject", "Content-Type", "agen subject", "agen-subject ", " agen-subject", "agen-subject:",
        "agen\tsubject", "agen\x00subject", "agen-subject\r\n", "agen-subj\xe9ct", "agen/subject", "(agen-subject)",
    )},
    "path in trailers": Streamed(trailers=[(":path", "/billing/mcp")]),
    "upper case in trailers": Streamed(trailers=[("Agen-Subject", ADMIN)]),
    "too many headers": Streamed(added=[(f"x-{number}", "1") for number in range(120)]),
    "end is missing": Streamed(ends=False),
    "half a message": Streamed(replaced=[(LENGTH, str(len(GOOD)))], body=GOOD[:100], ends=False),
}  # fmt: skip


@pytest.mark.parametrize(("streamed", "status", "reason", "passed"), ANSWERED.values(), ids=ANSWERED)
def test_stream_means_the_same_on_both_sides(attacked: World, streamed, status, reason, passed):
    assert summary_of(send_stream(attacked, streamed)) == expected(attacked, status, reason, passed)


def test_malformed_stream_is_reset_and_not_forwarded(attacked: World):
    received_by_all(attacked)
    # Envoy takes a second to end each of these connections.
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = pool.map(lambda streamed: ask_stream(attacked, streamed).status, RESET.values())
    assert dict(zip(RESET, statuses, strict=True)) == dict.fromkeys(RESET, 0)
    assert received_by_all(attacked) == ()
