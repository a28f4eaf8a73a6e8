"""`agen-authz approvals`: requests for approval, seen and decided from a terminal by the console's own rules."""

import json
import secrets
import sys
import time
import webbrowser
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from agen_authz.cli.output import Exit, load_or_exit

if TYPE_CHECKING:
    from agen_authz.operating.approvals.client import ConsoleAnswer, ConsoleClient
    from agen_authz.operating.approvals.kept import KeptToken, TokenFile

app = typer.Typer(
    help="See and decide requests for approval. Your browser signs the terminal in; the console's rules decide.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ConsoleUrl = Annotated[
    str | None,
    typer.Option("--console", help="The console's address; default: the one that was used last.", metavar="URL"),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Take the console's address from `approvals.base_url` of this file.", metavar="FILE"),
]
NoBrowser = Annotated[
    bool,
    typer.Option("--no-browser", help="Open no browser; print the link, and ask for the code that its page shows."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Named = Annotated[str, typer.Argument(help="The request's id, or the link of its page.", metavar="REQUEST")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the decision.", metavar="TEXT")]
_STALE = "stale_login"
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before the decision is sent.")]


@dataclass(frozen=True, slots=True)
class _Options:
    console: str | None
    config: Path | None
    no_browser: bool
    as_json: bool


@app.command("list")
def list_(
    status: Annotated[
        str, typer.Option(help="`waiting` for you, `all`, or a status such as `open` or `rejected`.", metavar="STATUS")
    ] = "waiting",
    console: ConsoleUrl = None,
    config: ConfigFile = None,
    *,
    no_browser: NoBrowser = False,
    as_json: AsJson = False,
) -> None:
    """List the requests that wait for your decision, or all that you may see, the newest first.

    Example: agen-authz approvals list --console https://approve.example.com
    """
    from urllib.parse import quote

    from agen_authz.operating.approvals.shown import render_requests

    options = _Options(console, config, no_browser, as_json)
    answer = _run(options, None, lambda desk: desk.ask("GET", f"/requests?status={quote(status, safe='')}"))
    if as_json:
        typer.echo(json.dumps(answer.document))
        return
    found = answer.document.get("requests")
    rows = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    typer.echo(render_requests(rows, time.time()) if rows else "there are no such requests")
    if answer.document.get("is_cut"):
        typer.echo("there are more; the console lists them", err=True)


@app.command("show")
def show(
    request: Named,
    console: ConsoleUrl = None,
    config: ConfigFile = None,
    *,
    no_browser: NoBrowser = False,
    as_json: AsJson = False,
) -> None:
    """Show a request: who asks for which call, its masked parameters, why approval is needed, and what happened so far.

    Example: agen-authz approvals show https://approve.example.com/requests/0123456789abcdef0123456789abcdef
    """
    options = _Options(console, config, no_browser, as_json)
    _show(_run(options, request, lambda desk: desk.get()), as_json=as_json)


@app.command("approve")
def approve(
    request: Named,
    console: ConsoleUrl = None,
    config: ConfigFile = None,
    reason: Reason = "",
    *,
    yes: Yes = False,
    no_browser: NoBrowser = False,
    as_json: AsJson = False,
) -> None:
    """Show a request, ask, and approve its step that waits; exit 1 if the console refuses.

    Example: agen-authz approvals approve 0123456789abcdef0123456789abcdef --reason "checked with the customer"

    The console asks for a login that is not older than `console.fresh_login`.
    """
    _decide(_Options(console, config, no_browser, as_json), request, approves=True, reason=reason, yes=yes)


@app.command("reject")
def reject(
    request: Named,
    console: ConsoleUrl = None,
    config: ConfigFile = None,
    reason: Reason = "",
    *,
    yes: Yes = False,
    no_browser: NoBrowser = False,
    as_json: AsJson = False,
) -> None:
    """Show a request, ask, and reject it, which ends it; exit 1 if the console refuses.

    Example: agen-authz approvals reject 0123456789abcdef0123456789abcdef --reason "not our customer"
    """
    _decide(_Options(console, config, no_browser, as_json), request, approves=False, reason=reason, yes=yes)


@app.command("withdraw")
def withdraw(
    request: Named,
    console: ConsoleUrl = None,
    config: ConfigFile = None,
    *,
    no_browser: NoBrowser = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw a request that you made, or its approval; exit 1 if the console refuses.

    Example: agen-authz approvals withdraw 0123456789abcdef0123456789abcdef
    """
    options = _Options(console, config, no_browser, as_json)
    answer = _run(options, request, lambda desk: desk.withdraw())
    typer.echo(json.dumps(answer.document) if as_json else "withdrawn")


@app.command("sign-out")
def sign_out(console: ConsoleUrl = None, config: ConfigFile = None) -> None:
    """End this terminal's session at the console, and forget its token.

    Example: agen-authz approvals sign-out --console https://approve.example.com
    """
    _run(_Options(console, config, no_browser=True, as_json=False), None, lambda desk: desk.leave())
    typer.echo("signed out")


def _decide(options: _Options, request: str, *, approves: bool, reason: str, yes: bool) -> None:
    word = "Approve" if approves else "Reject"

    from msgspec import structs

    from agen_authz.core.pinning.hidden import spell

    def decide(desk: "_Desk") -> "ConsoleAnswer":
        shown = desk.get()
        objection = shown.document.get("objection")
        if not shown.is_good:
            return shown
        if objection and objection != _STALE:
            return structs.replace(shown, status=403, document=_explain(shown.document))
        if not yes:
            _print_request(shown.document, err=options.as_json)
            # INVARIANT: the call is on the screen now: no call is approved that was not shown.
            if not typer.confirm(f"{word} this call as {desk.name}?", err=True):
                _leave_unchanged()
        return desk.decide(shown.document.get("votes"), approves=approves, reason=reason)

    answer = _run(options, request, decide)
    if options.as_json:
        typer.echo(json.dumps(answer.document))
        return
    status = spell(str(answer.document.get("status")))
    typer.echo(f"{'approved' if approves else 'rejected'}; the request is {status}")


def _leave_unchanged() -> NoReturn:
    typer.echo("nothing was changed", err=True)
    raise typer.Exit(Exit.FINDING)


def _show(answer: "ConsoleAnswer", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer.document))
        return
    _print_request(answer.document, err=False)


def _print_request(document: Mapping[str, Any], *, err: bool) -> None:
    from agen_authz.operating.approvals.shown import render_request

    typer.echo(render_request(document, time.time()), err=err)


def _explain(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"error": document.get("objection"), "message": document.get("objection_message")}


class _Desk:
    """The console for one command: signed in when it is needed, once more if the login is too old."""

    def __init__(self, client: "ConsoleClient", tokens: "TokenFile", request_id: str, *, no_browser: bool) -> None:
        self._client, self._tokens, self._no_browser = client, tokens, no_browser
        self._place = f"/requests/{request_id}"
        self._kept = tokens.read().consoles.get(client.url)

    @property
    def name(self) -> str:
        """As whom the terminal is signed in."""
        from agen_authz.core.pinning.hidden import spell

        return "" if self._kept is None else spell(self._kept.name)

    def get(self) -> "ConsoleAnswer":
        return self.ask("GET", self._place)

    def decide(self, votes: object, *, approves: bool, reason: str) -> "ConsoleAnswer":
        body = {"approves": approves, "reason": reason, "votes": votes}
        answer = self.ask("POST", f"{self._place}/decision", body)
        if answer.error != _STALE:
            return answer
        typer.echo("your login is too old to decide", err=True)
        name = self.name
        self._kept = self._sign_in()
        if self.name != name:
            typer.echo(f"you are signed in as {self.name} now, not as {name}: run the command again", err=True)
            _leave_unchanged()
        return self.ask("POST", f"{self._place}/decision", body)

    def withdraw(self) -> "ConsoleAnswer":
        return self.ask("POST", f"{self._place}/withdrawal", {})

    def leave(self) -> "ConsoleAnswer":
        token = "" if self._kept is None else self._kept.token
        answer = self._client.ask("DELETE", "/terminal", token=token)
        self._tokens.forget(self._client.url)
        return answer

    def ask(self, method: str, place: str, body: Mapping[str, Any] | None = None) -> "ConsoleAnswer":
        if self._kept is None or self._kept.ends_at <= time.time():
            self._kept = self._sign_in()
        answer = self._client.ask(method, place, token=self._kept.token, body=body)
        if answer.status == 401:
            self._kept = self._sign_in()
            answer = self._client.ask(method, place, token=self._kept.token, body=body)
        return answer

    def _sign_in(self) -> "KeptToken":
        from agen_authz.core.pinning.hidden import spell
        from agen_authz.operating.approvals.place import ConsoleError
        from agen_authz.operating.approvals.sign_in import WAIT_S, CodeReceiver, draw_pairing, exchange

        pairing = draw_pairing(self._client.url, secrets.token_bytes)
        if self._no_browser:
            _invite(pairing.link(None), pairing.number)
            code = typer.prompt("The code that the page shows", hide_input=True, err=True).strip()
        else:
            receiver = CodeReceiver(pairing.state)
            link = pairing.link(receiver.port)
            _invite(link, pairing.number)
            webbrowser.open(link)
            code = receiver.wait(WAIT_S)
        if not code:
            raise ConsoleError(f"not signed in: no browser came back within {WAIT_S:.0f} s; try `--no-browser`")
        kept = exchange(self._client, pairing, code)
        self._tokens.write(self._client.url, kept)
        typer.echo(f"signed in as {spell(kept.name)}", err=True)
        return kept


def _invite(link: str, number: str) -> None:
    typer.echo(f"Sign in at {link}", err=True)
    typer.echo(f"Allow it only if the page shows this number: {number}", err=True)
    sys.stderr.flush()


def _run(options: _Options, request: str | None, act: "Callable[[_Desk], ConsoleAnswer]") -> "ConsoleAnswer":
    """Do something at the console; exit 1 if it refuses, 2 if it cannot be asked."""
    from agen_authz.config import read_proxies
    from agen_authz.operating.approvals.client import ConsoleClient
    from agen_authz.operating.approvals.kept import TokenFile
    from agen_authz.operating.approvals.place import ConsoleError, read_request

    tokens = TokenFile(Path(typer.get_app_dir("agen-authz")))
    try:
        linked, request_id = (None, "") if request is None else read_request(request)
        url = _find_console(options, linked, tokens)
        with ConsoleClient(url, read_proxies()) as client:
            answer = act(_Desk(client, tokens, request_id, no_browser=options.no_browser))
    except ConsoleError as exc:
        _misuse(str(exc))
    if not answer.is_good:
        _refuse(answer, as_json=options.as_json)
    return answer


def _find_console(options: _Options, linked: str | None, tokens: "TokenFile") -> str:
    from agen_authz.operating.approvals.place import ConsoleError, read_console_url

    named = [read_console_url(options.console)] if options.console is not None else []
    if linked is not None:
        named.append(linked)
    if options.config is not None:
        approvals = load_or_exit(options.config, secrets=False, as_json=options.as_json).config.approvals
        if approvals.base_url is None:
            raise ConsoleError(f"`{options.config}` has no `approvals.base_url`")
        named.append(read_console_url(approvals.base_url))
    if len(set(named)) > 1:
        raise ConsoleError(f"two consoles are named: {' and '.join(dict.fromkeys(named))}")
    kept = tokens.read()
    if not named and not kept.last:
        raise ConsoleError("which console? Name it with `--console https://approve.example.com`")
    if named == [linked] and kept.last:
        _confirm_console(named[0], {kept.last, *kept.consoles})
    return named[0] if named else kept.last


def _confirm_console(url: str, known: Collection[str]) -> None:
    """Ask before a link leads to a console that this terminal does not know: anyone may have written the link."""
    from agen_authz.operating.approvals.place import ConsoleError

    if url in known:
        return
    typer.echo(f"This terminal has not signed in at {url} before.", err=True)
    if not typer.confirm("Is this your console?", err=True):
        raise ConsoleError("nothing was opened")


def _refuse(answer: "ConsoleAnswer", *, as_json: bool) -> NoReturn:
    from agen_authz.core.pinning.hidden import spell

    if as_json:
        typer.echo(json.dumps(answer.document))
    else:
        typer.echo(f"{spell(answer.error)}: {spell(answer.message)}", err=True)
    raise typer.Exit(Exit.FINDING if answer.status < 500 else Exit.MISUSE)


def _misuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(Exit.MISUSE)
