"""Methods and upgrades through a real Envoy: POST is decided on, GET and DELETE end at the session, nothing tunnels."""

from dataclasses import replace

import pytest

from tests.e2e.test_attack_sessions import PROOF_CHARS, Client
from tests.e2e.wire import AS_SENT, GOOD, Case, Line, Passed, Sent, expected_of, outcome_of, received_by_all
from tests.stage.world import World

pytestmark = pytest.mark.envoy

LENGTH, SESSION, ORIGIN, VERSION = "content-length", "mcp-session-id", "origin", "mcp-protocol-version"
# A session that the backend does not know any more.
ENDED = "{ended}"
LEGACY: Line = (VERSION, "2025-11-25")
CHUNKED: Line = ("transfer-encoding", "chunked")
METADATA = "/.well-known/oauth-protected-resource/crm/mcp"
ALLOWED_ORIGIN, FOREIGN_ORIGIN = "https://app.example.com", "https://evil.example.com"
PREFLIGHT: tuple[Line, ...] = ((ORIGIN, ALLOWED_ORIGIN), ("access-control-request-method", "POST"))
ASKED_LEGACY = {VERSION: "2025-11-25", "mcp-method": None, "mcp-name": None}
ROUTING = ("mcp-method", "mcp-name")
BODY = (LENGTH, "content-type")


def _bodiless(method: str, *added: Line, path: str = "/crm/mcp", without: tuple[str, ...] = ()) -> Sent:
    return Sent(line=f"{method} {path} HTTP/1.1", without=(*BODY, *without), added=added, body=b"")


def _legacy(method: str, *added: Line) -> Sent:
    return replace(_bodiless(method, *added, without=ROUTING), replaced=[LEGACY])


def _reached(method: str, session: str, **changed: str | None) -> Passed:
    lines = {name.replace("_", "-"): value for name, value in changed.items()}
    quiet = {LENGTH: None, "content-type": None, SESSION: session}
    return Passed({**ASKED_LEGACY, **quiet, **lines}, b"", method)


def _upgrade(*names: str, connection: str = "upgrade", line: str = "POST /crm/mcp HTTP/1.1") -> Sent:
    return Sent(line=line, replaced=[("connection", connection)], added=[("upgrade", name) for name in names])


# Check refuses them, with a body and without.
REFUSED = [
    "HEAD",
    "PUT",
    "PATCH",
    "TRACE",
    "PROPFIND",
    "MKCOL",
    "LINK",
    "SEARCH",
    "REPORT",
    "PURGE",
    "SUBSCRIBE",
    "COPY",
]
# Envoy knows no such method.
UNKNOWN = ["FOO", "post", "Post", "get", "PRI", "BREW", "TRACK", "M-SEARCH", "POST,GET", "GETX", "_POST", "PO ST",
           "P\xd6ST", "POST\x00", "CONNECT"]  # fmt: skip
METHODS = {
    **{
        f"{method} {form}": Case(
            replace(sent, line=f"{method} /crm/mcp HTTP/1.1"), 405, None if method == "HEAD" else "method_not_allowed"
        )
        for method in [*REFUSED, "OPTIONS", "GET", "DELETE"]
        for form, sent in {"with body": Sent(), "bare": _bodiless("GET")}.items()
    },
    **{
        f"{method!r} {form}": Case(replace(sent, line=f"{method} /crm/mcp HTTP/1.1"), 400)
        for method in UNKNOWN
        for form, sent in {"with body": Sent(), "bare": _bodiless("GET")}.items()
    },
    "QUERY with body": Case(Sent(line="QUERY /crm/mcp HTTP/1.1"), 405, "method_not_allowed"),
    "QUERY bare": Case(_bodiless("QUERY"), 400),
    "tunnel to us": Case(Sent(line="CONNECT {host} HTTP/1.1", without=BODY, body=b""), 404),
    "tunnel to another host": Case(Sent(line="CONNECT evil.example.com:443 HTTP/1.1", without=BODY, body=b""), 404),
    "preface of HTTP/2": Case(Sent(line="PRI * HTTP/2.0", without=BODY, body=b"", stops=True), 0),
    "GET said to be POST": Case(_bodiless("GET", ("x-http-method-override", "POST")), 405, "method_not_allowed"),
    "POST said to be DELETE": Case(Sent(added=[("x-http-method-override", "DELETE")]), 200, None, AS_SENT),
}
STREAMS = {
    f"{method} {name}": case
    for method in ("GET", "DELETE")
    for name, case in {
        "without session": Case(_legacy(method), 400, "session_missing"),
        "of the modern era": Case(_bodiless(method, (SESSION, "s")), 405, "method_not_allowed"),
        "of no version": Case(
            _bodiless(method, (SESSION, ENDED), without=(*ROUTING, VERSION)),
            404, None, _reached(method, ENDED, mcp_protocol_version=None),
        ),
        "of an unknown version": Case(
            replace(_legacy(method, (SESSION, "s")), replaced=[(VERSION, "2099-01-01")]), 400, "version_unsupported",
        ),
        "with body": Case(
            Sent(line=f"{method} /crm/mcp HTTP/1.1", replaced=[LEGACY], added=[(SESSION, "s")]), 405, "unexpected_body",
        ),
        "with chunks": Case(
            replace(_legacy(method, (SESSION, "s"), CHUNKED), body=b"1\r\n{\r\n0\r\n\r\n"),
            405, "unexpected_body",
        ),
        # An empty body in chunks is none; Envoy keeps its framing.
        "with no chunk": Case(
            replace(
                _legacy(method, (SESSION, ENDED), CHUNKED), body=b"0\r\n\r\n"
            ),
            404, None, _reached(method, ENDED, transfer_encoding="chunked"),
        ),
        "with length zero": Case(
            _legacy(method, (SESSION, ENDED), (LENGTH, "0")),
            404, None, _reached(method, ENDED, content_length="0"),
        ),
        "with another request behind": Case(
            replace(_legacy(method, (SESSION, ENDED)), tail=GOOD),
            404, None, _reached(method, ENDED),
        ),
        "said to be POST": Case(
            _legacy(method, (SESSION, ENDED), ("x-http-method-override", "POST")),
            404, None, _reached(method, ENDED),
        ),
        "without token": Case(
            replace(_legacy(method, (SESSION, "s")), without=(*BODY, "authorization")), 401, "token_missing",
        ),
        "of a foreign origin": Case(
            _legacy(method, (SESSION, "s"), (ORIGIN, FOREIGN_ORIGIN)), 403, "origin_refused",
        ),
    }.items()
}  # fmt: skip
PREFLIGHTS = {
    "accepted": Case(_bodiless("OPTIONS", *PREFLIGHT), 204),
    "of a stranger": Case(_bodiless("OPTIONS", *PREFLIGHT, without=("authorization",)), 204),
    "of a foreign origin": Case(
        _bodiless("OPTIONS", (ORIGIN, FOREIGN_ORIGIN), PREFLIGHT[1]), 403, "origin_refused"
    ),
    "of two origins": Case(_bodiless("OPTIONS", *PREFLIGHT, (ORIGIN, FOREIGN_ORIGIN)), 400, "header_repeated"),
    "without method": Case(_bodiless("OPTIONS", PREFLIGHT[0]), 405, "method_not_allowed"),
    "without origin": Case(_bodiless("OPTIONS", PREFLIGHT[1]), 405, "method_not_allowed"),
    "with body": Case(Sent(line="OPTIONS /crm/mcp HTTP/1.1", added=PREFLIGHT), 405, "unexpected_body"),
    "of everything": Case(_bodiless("OPTIONS", *PREFLIGHT, path="*"), 404),
}  # fmt: skip
DOCUMENT = {
    "read": Case(_bodiless("GET", path=METADATA, without=(VERSION,)), 200),
    "read by a stranger": Case(_bodiless("GET", path=METADATA, without=(VERSION, "authorization")), 200),
    "read with no chunk": Case(
        replace(_bodiless("GET", CHUNKED, path=METADATA, without=(VERSION,)), body=b"0\r\n\r\n"),
        200,
    ),
    # RFC 9728 section 3.1 knows no version: the official clients send theirs here as well.
    "read in the modern era": Case(_bodiless("GET", path=METADATA), 200),
    "read with body": Case(Sent(line=f"GET {METADATA} HTTP/1.1", without=[VERSION]), 405, "unexpected_body"),
    "read with query": Case(_bodiless("GET", path=f"{METADATA}?x", without=(VERSION,)), 400, "foreign_query"),
    "read with slash": Case(_bodiless("GET", path=f"{METADATA}/", without=(VERSION,)), 404),
    "read from a foreign origin": Case(
        _bodiless("GET", (ORIGIN, FOREIGN_ORIGIN), path=METADATA, without=(VERSION,)), 403, "origin_refused"
    ),
    **{
        f"by {method}": Case(
            _bodiless(method, path=METADATA, without=(VERSION,)),
            405,
            None if method == "HEAD" else "method_not_allowed",
        )
        for method in ("HEAD", "PUT", "DELETE", "TRACE", "OPTIONS")
    },
}  # fmt: skip
UPGRADES = {
    **{
        f"to {names}": Case(_upgrade(*names), 403)
        for names in (
            ("websocket",), ("WebSocket",), ("websocket, h2c",), ("h2c, websocket",), ("h2c", "websocket"),
            ("TLS/1.0",), ("HTTP/2.0",), ("connect-tcp",), ("",),
        )
    },
    "by GET": Case(replace(_upgrade("websocket"), line="GET /crm/mcp HTTP/1.1", without=BODY, body=b""), 403),
    "by CONNECT": Case(_upgrade("websocket", line="CONNECT /crm/mcp HTTP/1.1"), 400),
    "to UDP": Case(_upgrade("connect-udp"), 404),
    "with close": Case(_upgrade("websocket", connection="close, Upgrade"), 403),
    # No upgrade: Envoy takes the header out, and the call is one like any other.
    "not asked for": Case(_upgrade("websocket", connection="close"), 200, None, AS_SENT),
    "to nothing": Case(_upgrade(connection="upgrade, close"), 200, None, AS_SENT),
    "to HTTP/2": Case(_upgrade("h2c", connection="upgrade, http2-settings, close"), 200, None, AS_SENT),
    "to HTTP/2 of a stranger": Case(
        replace(_upgrade("h2c", connection="upgrade, http2-settings, close"), without=["authorization"]),
        401,
        "token_missing",
    ),
}  # fmt: skip
CASES = {
    **METHODS,
    **{f"stream: {name}": case for name, case in STREAMS.items()},
    **{f"preflight {name}": case for name, case in PREFLIGHTS.items()},
    **{f"metadata {name}": case for name, case in DOCUMENT.items()},
    **{f"upgrade {name}": case for name, case in UPGRADES.items()},
}


@pytest.fixture(scope="module")
def ended(attacked: World) -> str:
    """A session that the caller of the good request has begun and ended."""
    client = Client(attacked, attacked.one.mint(attacked.crm))
    session = client.begin()
    client.say(session, "end")
    received_by_all(attacked)
    return session


def _in_session(case: Case, session: str) -> Case:
    sent = replace(case.sent, added=[(name, session if value == ENDED else value) for name, value in case.sent.added])
    passed = case.passed
    if passed is not None and passed.changed.get(SESSION) == ENDED:
        passed = replace(passed, changed={**passed.changed, SESSION: session[PROOF_CHARS:]})
    return replace(case, sent=sent, passed=passed)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_method_is_decided_on_or_refused(attacked: World, ended: str, case: Case):
    case = _in_session(case, ended)
    assert outcome_of(attacked, case) == expected_of(attacked, case)
