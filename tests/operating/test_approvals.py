"""What a terminal keeps, what it takes from a browser, and how requests look in it."""

import threading

import httpx
import pytest

from agen_authz.core.model import Json
from agen_authz.operating.approvals.client import ConsoleClient
from agen_authz.operating.approvals.kept import KeptToken, KeptTokens, TokenFile
from agen_authz.operating.approvals.place import ConsoleError, read_console_url, read_request
from agen_authz.operating.approvals.shown import render_request, render_requests
from agen_authz.operating.approvals.sign_in import CodeReceiver, Pairing, draw_pairing, exchange
from tests.builders import NOW
from tests.stage.listen import serving_app

URL, REQUEST = "https://approve.example", "0" * 32
KEPT = KeptToken("t-1", NOW + 60, "Bob")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://approve.example/", URL),
        ("https://approve.example:8443/console/", "https://approve.example:8443/console"),
        ("https://Approve.Example:443", URL),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
def test_address_of_a_console(text, read):
    assert read_console_url(text) == read


BAD = ["http://approve.example", "ftp://approve.example", "https://", "https://a@b.example", "https://a.example?x=1"]


@pytest.mark.parametrize(
    "text", [*BAD, "https://a.example#x", "https://a b.example", "https://a.example:x", "https://é.example"]
)
def test_address_that_no_token_may_go_to(text):
    with pytest.raises(ConsoleError):
        read_console_url(text)


def test_request_is_named_by_id_or_link():
    assert read_request(REQUEST) == (None, REQUEST)
    assert read_request(f"{URL}/requests/{REQUEST}") == (URL, REQUEST)
    for text in ("0" * 31, "../x", f"http://evil.example/requests/{REQUEST}", f"{URL}/requests/x"):
        with pytest.raises(ConsoleError):
            read_request(text)


def test_tokens_are_kept_for_each_console(tmp_path):
    file = TokenFile(tmp_path / "deep" / "folder")
    assert file.read() == KeptTokens()
    file.write(URL, KEPT)
    file.write("https://b.example", KEPT)
    assert file.read() == KeptTokens("https://b.example", {URL: KEPT, "https://b.example": KEPT})
    file.forget(URL)
    assert file.read() == KeptTokens("https://b.example", {"https://b.example": KEPT})
    assert [each.name for each in (tmp_path / "deep" / "folder").iterdir()] == ["approvals.json"]


@pytest.mark.parametrize("raw", ["{", "[]", '{"consoles": {"a": 1}}', '{"last": 1}'])
def test_file_that_is_not_ours_is_refused(tmp_path, raw):
    path = tmp_path / "approvals.json"
    path.write_text(raw)
    path.chmod(0o600)
    with pytest.raises(ConsoleError, match="is not a file of this command"):
        TokenFile(tmp_path).read()


def test_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "approvals.json").mkdir()
    with pytest.raises(ConsoleError, match="cannot read"):
        TokenFile(tmp_path).read()
    (tmp_path / "file").touch()
    with pytest.raises(ConsoleError, match="cannot"):
        TokenFile(tmp_path / "file").write(URL, KEPT)


def test_pairing_shows_the_same_number_on_both_sides():
    drawn = draw_pairing(URL, lambda size: b"\x01" * size)
    assert (len(drawn.verifier), len(drawn.state), drawn.number) == (43, 43, Pairing(URL, drawn.verifier, "").number)
    assert drawn.link(49152).endswith("&port=49152")
    assert drawn.link(None).endswith("&port=")


# ---- the code ----------------------------------------------------------------------------------------------


class Waiting:
    """A receiver that waits in a thread."""

    def __init__(self):
        self.receiver, self.code = CodeReceiver("s" * 43), "?"
        self.thread = threading.Thread(target=self._wait)

    def _wait(self):
        self.code = self.receiver.wait(30.0)

    def get(self, place, method="GET", **headers):
        try:
            answer = httpx.request(
                method, f"http://127.0.0.1:{self.receiver.port}{place}", headers=headers, trust_env=False
            )
        except httpx.HTTPError:
            return 0
        return answer.status_code


@pytest.mark.loopback
def test_only_the_answer_with_our_state_is_taken():
    waiting = Waiting()
    waiting.thread.start()
    good = f"/signed-in?code=c-1&state={'s' * 43}"
    tried = [
        waiting.get("/signed-in?code=c-1&state=guess"),
        waiting.get("/signed-in?code=c-1"),
        waiting.get(f"/signed-in?state={'s' * 43}"),
        waiting.get(f"/other?code=c-1&state={'s' * 43}"),
        waiting.get(good, host="evil.example"),
        waiting.get(good, method="POST"),
        waiting.get("/" + "x" * 20_000),
    ]
    assert (tried, waiting.get(good)) == ([400, 400, 400, 400, 400, 0, 0], 200)
    waiting.thread.join(30.0)
    assert waiting.code == "c-1"


@pytest.mark.loopback
def test_no_code_in_time_is_none():
    assert CodeReceiver("s").wait(0.0) == ""


# ---- the console's answers ---------------------------------------------------------------------------------


def answering(body, status=200):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": [(b"location", b"http://127.0.0.1/")]})
        await send({"type": "http.response.body", "body": body})

    return serving_app(app)


NO_CONSOLE = "is not a console of agen-authz"
USELESS = {"not JSON": (b"<html>", 200), "not an object": (b"[]", 200), "a redirect": (b"<html>", 302)}


@pytest.mark.loopback
@pytest.mark.parametrize(("body", "status"), USELESS.values(), ids=USELESS)
def test_answer_of_something_else_is_told(body, status):
    with (
        answering(body, status) as url,
        ConsoleClient(url, {}) as client,
        pytest.raises(ConsoleError, match=NO_CONSOLE),
    ):
        client.ask("GET", "/requests")


@pytest.mark.loopback
def test_exchange_without_token_is_told():
    with answering(b"{}") as url, ConsoleClient(url, {}) as client, pytest.raises(ConsoleError, match=NO_CONSOLE):
        exchange(client, Pairing(url, "v", "s"), "c")


@pytest.mark.loopback
def test_nothing_of_a_refusal_reaches_the_terminal_as_it_is():
    refusal = b'{"message": "a\\u001b[2Jb"}'
    with answering(refusal, 403) as url, ConsoleClient(url, {}) as client, pytest.raises(ConsoleError) as caught:
        exchange(client, Pairing(url, "v", "s"), "c")
    assert ("\x1b" in str(caught.value), "<U+001B" in str(caught.value)) == (False, True)


@pytest.mark.loopback
def test_console_that_does_not_answer_is_told():
    with ConsoleClient("http://127.0.0.1:1", {}) as client, pytest.raises(ConsoleError, match="does not answer"):
        client.ask("GET", "/requests")


# ---- text --------------------------------------------------------------------------------------------------

EVIL = "a\x1b[2Jb\u202ec\u200b\nd"
SHOWN: dict[str, Json] = {
    "id": REQUEST,
    "status": "open",
    "target": EVIL,
    "requester": EVIL,
    "policy": "refunds",
    "flow": "finance",
    "created_at": NOW,
    "ends_at": NOW + 3700,
    "client": EVIL,
    "conditions": [EVIL],
    "description": EVIL,
    "title": EVIL,
    "definition": {EVIL: EVIL},
    "definition_hidden": ["/description"],
    "tool_note": EVIL,
    "policy_warning": EVIL,
    "policy_reach": EVIL,
    "policy_message": EVIL,
    "timeout": "then the call is denied",
    "params": {EVIL: [EVIL, 1]},
    "headers": {"x-account": EVIL},
    "masked": {"email": 2},
    "hidden": ["/arguments"],
    "steps": [{"name": "lead", "approvals": 0, "quorum": 1, "state": "waits"}],
    "history": [{"time": NOW, "what": "Asked", "who": EVIL, "reason": EVIL}, {"time": "x", "what": "y"}],
    "link": f"{URL}/requests/{REQUEST}",
}


def test_nothing_of_a_call_reaches_the_terminal_as_it_is():
    text = render_request(SHOWN, NOW) + render_requests([SHOWN], NOW)
    assert not set("\x1b\u202e\u200b").intersection(text)
    for part in (
        "time left   1 h 1 min; then the call is denied",
        "the rest of the definition:",
        "spelled out above, in: /description",
        "because     a<",
        "INVISIBLE CHARACTERS",
        "masked      email 2",
        "lead: waits, 0 of 1",
        "<U+202E",
    ):
        assert part in text, part


def test_request_that_has_ended_or_was_erased_is_shown_as_such():
    ended = SHOWN | {"status": "used", "end": "The call was made.", "params_problem": "The arguments are erased."}
    text = render_request(ended, NOW)
    assert ("The call was made." in text, "The arguments are erased." in text, "time left" in text) == (
        True,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("left", "text"), [(90_000, "1 d 1 h"), (3700, "1 h 1 min"), (61, "1 min"), (5, "5 s"), (-1, "0 s")]
)
def test_time_left_is_spelt(left, text):
    assert f"  {text}  " in render_requests([SHOWN | {"ends_at": NOW + left, "target": "t"}], NOW)


def test_answer_with_members_of_other_kinds_is_no_defect():
    assert render_request({"status": 1, "steps": 5, "history": [3], "masked": [], "ends_at": "x"}, NOW)
    assert render_requests([{"status": "open", "ends_at": "x"}], NOW)
