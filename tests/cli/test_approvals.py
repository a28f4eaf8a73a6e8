"""`agen-authz approvals` as it is typed, against a console on loopback; the test is the person with the browser."""

import json
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from typer.testing import CliRunner

from agen_authz.cli.main import app
from agen_authz.console import build_console
from agen_authz.demo.listen import Site, authority_of, bind_loopback
from tests.cli.test_commands import with_store
from tests.console.rig import ANN, BOB, EVE, REQUEST, SETTINGS, Stand, claims
from tests.stage.dialogue import Dialogue
from tests.stage.listen import serving
from tests.stage.port import HOST

RUN = CliRunner()
EVERY = ["list", "show", "approve", "reject", "withdraw", "sign-out"]


class Desk:
    """A console that listens, a folder for what the terminal keeps, and a person."""

    def __init__(self, stand, folder, url):
        self.stand, self.folder, self.url = stand, folder, url
        self.file = folder / "agen-authz" / "approvals.json"

    def begin(self, *words, console=True):
        named = ["--console", self.url] if console else []
        return Dialogue("approvals", *words, *named)

    def run(self, *words, answer="", console=True):
        """Run a command that needs no sign-in."""
        return self.begin(*words, console=console).end(answer)

    async def sign_in(self, process, said, answer="allow"):
        """Follow the link that a command printed, and allow it; where the browser is sent, or the code."""
        link = process.hear().removeprefix("Sign in at ").strip()
        number = process.hear().rpartition(": ")[2].strip()
        place = link.removeprefix(self.url)
        asked = dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))
        async with self.stand.browsing(said, self.url) as browser:
            page = (await browser.get(place)).text
            assert f'<p class="match">{number}</p>' in page
            form = {"csrf": await browser.csrf(place), "answer": answer, **asked}
            done = await browser.post("/terminal", form)
        return done.headers.get("location") or done.text.partition('class="match long">')[2].partition("<")[0]

    async def run_as(self, said, *words, answer=""):
        """Run a command, and sign in when it asks."""
        process = self.begin(*words)
        location = await self.sign_in(process, said)
        assert httpx.get(location, trust_env=False).status_code == 200
        return process.end(answer)


@contextmanager
def standing(folder):
    stand, listener = Stand(), bind_loopback(HOST, 0)
    url = f"http://{authority_of(listener)}"
    # Tokens end by the clock of the machine that the command runs on.
    stand.clock.step(50 * 365 * 86400.0)
    stand.app = build_console(replace(SETTINGS, base_url=url), stand.ports())
    with serving(Site(stand.app, listener)):
        yield Desk(stand, folder, url)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    # A browser that does nothing: the test follows the link that is printed.
    monkeypatch.setenv("BROWSER", "true")
    with standing(tmp_path) as running:
        yield running


def ask(desk):
    now = desk.stand.clock.now()
    desk.stand.ask(created_at=now, ends_at=now + 7200.0)


@pytest.mark.parametrize("command", EVERY)
def test_help_has_an_example(command):
    told = RUN.invoke(app, ["approvals", command, "--help"])
    assert (told.exit_code, f"Example: agen-authz approvals {command}" in told.output) == (0, True)


@pytest.mark.loopback
async def test_terminal_signs_in_once_and_lists_what_waits(desk):
    ask(desk)
    code, out, _ = await desk.run_as(BOB, "list")
    assert (code, out.startswith(f"{REQUEST}  open  "), "asked by ann@acme.example" in out) == (0, True, True)
    # The console that was used last, and the token that is kept: nobody is asked again.
    code, out, err = desk.run("list", "--json", console=False)
    assert (code, json.loads(out)["requests"][0]["id"], err) == (0, REQUEST, "")


@pytest.mark.loopback
async def test_token_is_kept_for_its_user_only(desk):
    await desk.run_as(BOB, "list")
    assert (desk.file.stat().st_mode & 0o777, desk.file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    desk.file.chmod(0o644)
    code, _, err = desk.run("list")
    assert (code, "others may read" in err) == (2, True)


@pytest.mark.loopback
async def test_request_is_shown_and_approved_after_a_question(desk):
    ask(desk)
    code, out, err = await desk.run_as(BOB, "approve", REQUEST, "--reason", "fine", answer="y\n")
    assert (code, "signed in as Bob\n" in err, "Approve this call as Bob?" in err) == (0, True, True)
    for part in ("pay/refund", '"amount": 250', "arguments.amount > 100", "Pays money back."):
        assert part in out, part
    assert ("jo@buyer.example" in out, out.endswith("approved; the request is open\n")) == (False, True)
    (vote,) = desk.stand.now().votes
    assert (vote.approver.subject, vote.reason) == ("bob", "fine")


@pytest.mark.loopback
async def test_nothing_is_sent_if_the_answer_is_no(desk):
    ask(desk)
    code, _, err = await desk.run_as(BOB, "reject", REQUEST, answer="n\n")
    assert (code, "nothing was changed" in err, desk.stand.now().votes) == (1, True, ())


@pytest.mark.loopback
async def test_link_names_console_and_request(desk):
    ask(desk)
    await desk.run_as(BOB, "list")
    link = f"{desk.url}/requests/{REQUEST}"
    code, out, _ = desk.run("reject", link, "--yes", "--json", console=False)
    assert (code, json.loads(out)["status"], desk.stand.now().status) == (0, "rejected", "rejected")


ELSEWHERE = f"https://approve.evil.example/requests/{REQUEST}"
KNOWN = {"last": "https://approve.example", "consoles": {}}


def follow(folder, link, answer):
    (folder / "agen-authz").mkdir()
    (folder / "agen-authz" / "approvals.json").write_text(json.dumps(KNOWN))
    (folder / "agen-authz" / "approvals.json").chmod(0o600)
    return RUN.invoke(app, ["approvals", "show", link], input=answer, env={"XDG_CONFIG_HOME": str(folder)})


def test_link_to_a_console_that_the_terminal_does_not_know_is_opened_only_after_a_question(tmp_path, monkeypatch):
    monkeypatch.setenv("BROWSER", "false")
    told = follow(tmp_path, ELSEWHERE, "n\n")
    assert (told.exit_code, "has not signed in at https://approve.evil.example before" in told.output) == (2, True)
    assert ("nothing was opened" in told.output, "Sign in at" in told.output) == (True, False)


@pytest.mark.loopback
async def test_question_about_a_console_may_be_answered_with_yes(desk):
    ask(desk)
    desk.file.parent.mkdir()
    desk.file.write_text(json.dumps(KNOWN))
    desk.file.chmod(0o600)
    link = f"{desk.url}/requests/{REQUEST}"
    assert desk.run("show", link, "--no-browser", answer="y\n", console=False)[2].count("Sign in at") == 1


@pytest.mark.loopback
@pytest.mark.parametrize(("said", "word"), [(ANN, "requester"), (EVE, "not_approver")], ids=["requester", "later step"])
async def test_terminal_is_no_back_door(desk, said, word):
    ask(desk)
    code, _, err = await desk.run_as(said, "approve", REQUEST, "--yes")
    assert (code, err.startswith(f"{word}: ") or f"\n{word}: " in err, desk.stand.now().votes) == (1, True, ())


@pytest.mark.loopback
async def test_requester_withdraws_from_the_terminal_and_nobody_else_does(desk):
    ask(desk)
    code, _, err = await desk.run_as(BOB, "withdraw", REQUEST)
    assert (code, "not_requester" in err) == (1, True)
    desk.run("sign-out")
    code, out, _ = await desk.run_as(ANN, "withdraw", REQUEST)
    assert (code, out, desk.stand.now().status) == (0, "withdrawn\n", "cancelled")


async def test_login_that_is_too_old_is_refreshed_before_the_decision(desk):
    ask(desk)
    await desk.run_as(BOB, "list")
    desk.stand.clock.advance(3700.0)
    process = desk.begin("approve", REQUEST, "--yes")
    assert process.hear() == "your login is too old to decide\n"
    httpx.get(await desk.sign_in(process, BOB), trust_env=False)
    assert (process.end()[0], len(desk.stand.now().votes)) == (0, 1)


@pytest.mark.loopback
async def test_other_person_who_signs_in_again_decides_nothing(desk):
    ask(desk)
    await desk.run_as(BOB, "list")
    desk.stand.clock.advance(3700.0)
    process = desk.begin("approve", REQUEST, "--yes")
    process.hear()
    httpx.get(await desk.sign_in(process, claims("liz")), trust_env=False)
    code, _, err = process.end()
    assert (code, "signed in as Liz\n" in err, "signed in as Liz now, not as Bob" in err) == (1, True, True)
    assert desk.stand.now().votes == ()


@pytest.mark.loopback
async def test_code_may_be_typed(desk):
    ask(desk)
    process = desk.begin("list", "--no-browser")
    code = await desk.sign_in(process, BOB)
    status, out, err = process.end(f"{code}\n")
    assert (status, REQUEST in out, code in err + out) == (0, True, False)


@pytest.mark.loopback
async def test_wrong_code_signs_nobody_in(desk):
    process = desk.begin("list", "--no-browser")
    await desk.sign_in(process, BOB)
    status, _, err = process.end("guess\n")
    assert (status, "not signed in: the code is unknown" in err, desk.file.exists()) == (2, True, False)


@pytest.mark.loopback
async def test_session_that_has_ended_is_begun_again(desk):
    await desk.run_as(BOB, "list")
    desk.stand.sessions.kept.clear()
    code, out, _ = await desk.run_as(BOB, "list")
    assert (code, out) == (0, "there are no such requests\n")


@pytest.mark.loopback
async def test_signing_out_ends_the_session(desk):
    await desk.run_as(BOB, "list")
    code, out, _ = desk.run("sign-out", console=False)
    assert (code, out, json.loads(desk.file.read_text())) == (0, "signed out\n", {"last": desk.url, "consoles": {}})


@pytest.mark.loopback
async def test_request_that_is_not_there_is_a_finding(desk):
    await desk.run_as(BOB, "list")
    code, _, err = desk.run("show", "f" * 32)
    assert (code, err) == (1, "not_found: there is no such request, or none that you may see\n")
    code, out, _ = desk.run("show", "f" * 32, "--json")
    assert (code, json.loads(out)["error"]) == (1, "not_found")


@pytest.mark.loopback
async def test_console_that_is_down_is_told(desk):
    await desk.run_as(BOB, "list")
    desk.stand.approvals.is_broken = True
    code, _, err = desk.run("list")
    assert (code, err.startswith("unavailable: ")) == (2, True)


MISUSE = {
    "no console": (["list"], "which console?"),
    "plain HTTP": (["list", "--console", "http://approve.example"], "is not the address of a console"),
    "no address": (["list", "--console", "approve.example"], "is not the address of a console"),
    "no request": (["show", "abc", "--console", "https://approve.example"], "is not a request"),
    "two consoles": (
        ["show", f"https://a.example/requests/{REQUEST}", "--console", "https://b.example"],
        "two consoles are named",
    ),
}


@pytest.mark.parametrize(("words", "message"), MISUSE.values(), ids=MISUSE)
def test_misuse_is_explained(tmp_path, words, message):
    told = RUN.invoke(app, ["approvals", *words], env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert (told.exit_code, message in told.output) == (2, True)


def test_configuration_without_a_console_is_a_misuse(tmp_path):
    told = RUN.invoke(
        app, ["approvals", "list", "--config", with_store(tmp_path)], env={"XDG_CONFIG_HOME": str(tmp_path)}
    )
    assert (told.exit_code, "has no `approvals.base_url`" in told.output) == (2, True)
