"""ASGI and WSGI: what the gateway signed passes, all else gets 403 and not a word, and the log says why."""

import asyncio
import http.client
import io
import logging
import threading
from contextlib import contextmanager
from dataclasses import replace
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from agen_authz.core.signature import SignedTarget
from agen_authz.verify import ASGIVerifier, Identity, SqliteNonces, WSGIVerifier
from tests.verify.signed import BODY, NOW, arrive, verifier

GOOD = arrive()
PROBE = "/healthz"


class Application:
    """Keeps what reached it."""

    def __init__(self):
        self.seen = []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            self.seen.append(scope["type"])
            return
        message = await receive()
        after = await receive()
        self.seen.append(
            (scope.get("state", {}).get("agen_identity"), message["body"], after["type"], scope["headers"])
        )
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


def _scope(arrived, **changes):
    return {
        "type": "http",
        "method": arrived.method,
        "path": arrived.path,
        "raw_path": arrived.path.encode(),
        "query_string": (arrived.query or "").encode(),
        "headers": list(arrived.lines),
        "scheme": "http",
        "state": {"other": 1},
        **changes,
    }


def ask(app, scope, pieces):
    """Send one request to an ASGI application; return the status and the body of the answer, None for none."""
    messages = [
        *({"type": "http.request", "body": piece, "more_body": True} for piece in pieces[:-1]),
        *({"type": "http.request", "body": piece, "more_body": False} for piece in pieces[-1:]),
        {"type": "http.disconnect"},
    ]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return (sent[0]["status"], sent[0]["headers"], sent[1]["body"]) if sent else None


REFUSAL = (403, [(b"content-length", b"0")], b"")


def test_verified_request_reaches_the_application_with_its_caller_and_body():
    app = Application()
    assert ask(ASGIVerifier(app, verifier()), _scope(GOOD), [BODY[:5], BODY[5:]]) == (200, [], b"ok")
    ((identity, body, after, _),) = app.seen
    assert (identity.subject, body, after) == ("ann", BODY, "http.disconnect")


@pytest.mark.parametrize(
    ("scope", "pieces", "says"),
    [
        pytest.param(_scope(GOOD, query_string=b"a=1"), [BODY], "signature: not made", id="query"),
        pytest.param(_scope(GOOD), [BODY, b"x"], "content-digest: not the digest", id="body"),
        pytest.param(_scope(GOOD.without("signature")), [], "headers: `signature` is missing", id="unsigned"),
        pytest.param(_scope(GOOD, raw_path=None), [BODY], "headers: the server does not tell", id="no-raw-path"),
        pytest.param(_scope(GOOD), [BODY, b"x" * 100], "content-digest: the body is longer", id="too-long"),
    ],
)  # fmt: skip
def test_other_requests_get_403_and_nothing_else(scope, pieces, says, caplog):
    app = Application()
    with caplog.at_level(logging.WARNING, "agen_authz.verify"):
        answer = ask(ASGIVerifier(app, verifier(), max_body_bytes=100), scope, pieces)
    assert (answer, app.seen) == (REFUSAL, [])
    assert [record.getMessage().startswith(f"refused POST '/mcp': {says}") for record in caplog.records] == [True]


def test_bodies_of_strangers_are_not_read():
    # Without a message to receive, reading the body would fail.
    assert ask(ASGIVerifier(Application(), verifier()), _scope(GOOD.without("signature")), []) == REFUSAL


def test_raw_path_with_the_query_in_it_is_read_as_the_path():
    arrived = replace(GOOD, query=None)
    answer = ask(ASGIVerifier(Application(), verifier()), _scope(arrived, raw_path=b"/mcp?"), [BODY])
    assert answer == (200, [], b"ok")


def test_replay_is_refused_by_a_store_that_blocks(tmp_path):
    app = ASGIVerifier(Application(), verifier(store=SqliteNonces(tmp_path / "nonces.db")))
    assert [ask(app, _scope(GOOD), [BODY]) for _ in range(2)] == [(200, [], b"ok"), REFUSAL]


def test_altered_body_leaves_the_nonce_to_the_request_itself():
    app = ASGIVerifier(Application(), verifier())
    assert [ask(app, _scope(GOOD), [body]) for body in (b"altered", BODY)] == [REFUSAL, (200, [], b"ok")]


class Store:
    """A store that tells in which thread it is asked, and may be broken."""

    def __init__(self, is_blocking, error=None):
        self.is_blocking, self.threads, self._error = is_blocking, [], error

    def spend(self, nonce, *, until, now):
        self.threads.append(threading.current_thread())
        if self._error is not None:
            raise self._error
        return True


def test_store_that_blocks_is_asked_in_a_separate_thread():
    stores = [Store(is_blocking) for is_blocking in (True, False)]
    for store in stores:
        assert ask(ASGIVerifier(Application(), verifier(store=store)), _scope(GOOD), [BODY]) == (200, [], b"ok")
    assert [store.threads[0] is threading.current_thread() for store in stores] == [False, True]


def test_store_that_is_broken_lets_nothing_through():
    app, broken = Application(), verifier(store=Store(False, ConnectionError("gone")))
    with pytest.raises(ConnectionError):
        ask(ASGIVerifier(app, broken), _scope(GOOD), [BODY])
    with pytest.raises(ConnectionError):
        WSGIVerifier(_application, broken)(_environ(GOOD), lambda status, headers: app.seen.append(status))
    assert app.seen == []


def test_path_of_a_stranger_cannot_forge_lines_of_the_log(caplog):
    path = "/mcp\n" + "x" * 300
    scope = _scope(GOOD, path=path, raw_path=b"/mcp%0A" + b"x" * 300)
    assert ask(ASGIVerifier(Application(), verifier()), scope, [BODY]) == REFUSAL
    said = []
    answer = WSGIVerifier(_application, verifier())(_environ(GOOD, PATH_INFO=path), lambda *words: said.append(words))
    assert (said, answer) == ([("403 Forbidden", [("Content-Length", "0")])], [b""])
    told = "refused POST '/mcp\\n" + "x" * 195 + "': signature: not made with this key over what arrived"
    assert [record.getMessage() for record in caplog.records] == [told, told]


def test_caller_who_goes_away_reaches_nothing():
    app = Application()
    assert ask(ASGIVerifier(app, verifier()), _scope(GOOD), []) is None
    assert app.seen == []


def test_probe_passes_unsigned_and_says_nothing_of_a_caller():
    app = Application()
    forged = [(b"Agen-Subject", b'"eve"'), (b"agen_subject", b'"eve"'), (b"host", b"x")]
    scope = _scope(GOOD, path=PROBE, raw_path=PROBE.encode(), headers=forged)
    assert ask(ASGIVerifier(app, verifier(), unsigned_paths=[PROBE]), scope, [b""]) == (200, [], b"ok")
    assert app.seen == [(None, b"", "http.disconnect", [(b"host", b"x")])]


def test_path_below_a_probe_is_not_a_probe():
    below = f"{PROBE}/x"
    scope = _scope(GOOD, path=below, raw_path=below.encode())
    assert ask(ASGIVerifier(Application(), verifier(), unsigned_paths=[PROBE]), scope, [BODY]) == REFUSAL
    said = []
    app = WSGIVerifier(_application, verifier(), unsigned_paths=[PROBE])
    app(_environ(GOOD, PATH_INFO=below), lambda status, headers: said.append(status))
    assert said == ["403 Forbidden"]


def test_lifespan_passes_and_what_cannot_be_signed_does_not():
    app, sent = Application(), []
    protected = ASGIVerifier(app, verifier())

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(protected({"type": "lifespan"}, receive, send))
    asyncio.run(protected({"type": "websocket"}, receive, send))
    with pytest.raises(RuntimeError, match="`webtransport` cannot be verified"):
        asyncio.run(protected({"type": "webtransport"}, receive, send))
    assert (app.seen, sent) == (["lifespan"], [{"type": "websocket.close", "code": 1008}])


# ---- WSGI, through the standard library's server ------------------------------------------------------------


class Quiet(WSGIRequestHandler):
    def log_message(self, format, *args):
        """Say nothing."""


def _application(environ, start_response):
    identity = environ.get("agen.identity")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain")])
    who = identity.subject if isinstance(identity, Identity) else "nobody"
    return [f"{who} {environ.get('HTTP_AGEN_SUBJECT')} ".encode() + body]


@contextmanager
def served(app):
    """Serve a WSGI application on a free loopback port."""
    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _post(port, arrived, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    sent = arrived.body if body is None else body
    connection.putrequest(arrived.method, arrived.path + (f"?{arrived.query}" if arrived.query else ""), skip_host=True)
    for name, value in arrived.lines:
        connection.putheader(name, value)
    connection.putheader("content-length", str(len(sent)))
    connection.endheaders(sent)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.loopback
def test_wsgi_application_sees_the_caller_and_only_what_was_signed():
    protected = WSGIVerifier(_application, verifier(), unsigned_paths=[PROBE])
    fresh = [arrive(nonce=f"{number:032d}") for number in range(9)]
    cases = [
        (fresh[0], None),
        (fresh[0], None),
        (fresh[1], b"altered"),
        (fresh[2].with_header("agen-subject", '"eve"'), None),
        (fresh[3].and_header("agen-subject", '"ann"'), None),
        (fresh[4].and_header("agen_subject", '"eve"'), None),
        (replace(fresh[5], path="/mcp/../mcp"), None),
        (replace(fresh[6], query="x=1"), None),
        (replace(fresh[7], path=PROBE).with_header("agen-subject", '"eve"'), None),
        (fresh[1], None),
    ]
    with served(protected) as port:
        said = [_post(port, *case) for case in cases]
    assert said == [(200, b'ann "ann" ' + BODY), *[(403, b"")] * 7, (200, b"nobody None " + BODY), said[0]]


# wsgiref writes CONTENT_TYPE=text/plain for a request that has no type.
@pytest.mark.loopback
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_wsgi_application_sees_no_type_that_its_server_made_up(method):
    seen = []

    def application(environ, start_response):
        seen.append(environ.get("CONTENT_TYPE"))
        return _application(environ, start_response)

    bare = arrive(method=method, body=b"", headers={"content-type": None, "mcp-session-id": "s1"})
    with served(WSGIVerifier(application, verifier())) as port:
        said = [_post(port, each) for each in (bare.with_header("content-type", "text/html"), bare)]
    assert (said, seen) == ([(403, b""), (200, b'ann "ann" ')], [None])


def test_type_that_was_signed_is_the_clients_own():
    arrived = arrive(method="DELETE", body=b"", headers={"content-type": "text/plain"})
    seen = []
    environ = _environ(arrived)
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE")

    def application(environ, start_response):
        seen.append(environ["CONTENT_TYPE"])
        return [b""]

    WSGIVerifier(application, verifier())(environ, lambda status, headers: seen.append(status))
    assert seen == ["text/plain"]


def _environ(arrived, **changes):
    headers = {f"HTTP_{name.decode().upper().replace('-', '_')}": value.decode() for name, value in arrived.lines}
    return {
        "REQUEST_METHOD": arrived.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": arrived.path,
        "QUERY_STRING": arrived.query or "",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(arrived.body),
        "CONTENT_LENGTH": str(len(arrived.body)),
        **headers,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({}, "200 OK", id="good"),
        pytest.param({"SCRIPT_NAME": "/mcp", "PATH_INFO": ""}, "200 OK", id="mounted"),
        pytest.param({"CONTENT_LENGTH": "", "wsgi.input_terminated": True}, "200 OK", id="chunked"),
        pytest.param({"CONTENT_LENGTH": ""}, "403 Forbidden", id="no-length"),
        pytest.param({"CONTENT_LENGTH": "-1"}, "403 Forbidden", id="negative"),
        pytest.param({"CONTENT_LENGTH": "99999", "wsgi.input": io.BytesIO(b"x" * 101)}, "403 Forbidden", id="too-long"),
        pytest.param({"HTTP_CONTENT_TYPE": "a"}, "403 Forbidden", id="covered-header-altered"),
    ],
)
def test_wsgi_environ_is_read_as_it_is_shown(changes, status):
    arrived = arrive(components=("content-type",))
    said = []
    app = WSGIVerifier(lambda environ, start: start("200 OK", []) or [b""], verifier(), max_body_bytes=100)
    environ = _environ(arrived)
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE")
    app({**environ, **changes}, lambda status, headers: said.append(status))
    assert said == [status]


@pytest.mark.parametrize(("size", "status"), [(100, 200), (101, 403)])
def test_longer_body_than_is_read_is_refused_though_it_was_signed(size, status):
    arrived, said = arrive(body=b"x" * size), []
    app = WSGIVerifier(lambda environ, start: start("200 OK", []) or [b""], verifier(), max_body_bytes=100)
    app(_environ(arrived), lambda text, headers: said.append(int(text[:3])))
    asgi = ask(ASGIVerifier(Application(), verifier(), max_body_bytes=100), _scope(arrived), [arrived.body])
    assert [*said, asgi[0]] == [status, status]


@pytest.mark.parametrize("told", [{"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "99"}], ids=["chunked", "shorter"])
def test_wsgi_application_gets_the_length_that_was_verified(told):
    seen = []

    def application(environ, start_response):
        seen.append(environ)
        return [b""]

    app = WSGIVerifier(application, verifier())
    app(_environ(GOOD, **told, **{"wsgi.input_terminated": True}), lambda status, headers: None)
    assert [(each["CONTENT_LENGTH"], each["wsgi.input"].read()) for each in seen] == [(str(len(BODY)), BODY)]


def test_path_that_was_escaped_is_verified_as_it_is_shown():
    arrived = arrive(target=SignedTarget("https", "mcp.example.com", "/a%20b/%C3%A9", None))
    said = []
    app = WSGIVerifier(lambda environ, start: start("200 OK", []) or [b""], verifier(clock=lambda: NOW))
    shown = "/a b/é".encode().decode("latin-1")
    app(_environ(arrived, PATH_INFO=shown), lambda status, headers: said.append(status))
    assert said == ["200 OK"]
