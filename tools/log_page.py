"""Renders docs/log.md: every line of the log, as the code writes it, with what it means; `make golden` writes it."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "agen_authz"
# The demo's log is not an operator's; backends see that of `verify` in their own log.
_LEFT_OUT, _BACKENDS = "agen_authz/demo/", "agen_authz/verify/"
# Lines of these levels ask for nothing. `exception` is an error with a traceback.
_QUIET = frozenset({"info"})
_LEVELS = {"exception": "error"}

_INTRO = """\
# What the log says

`serve` writes its log to standard error, one JSON object a line. Each line has `time`, `level`, `process` (which of its
processes writes), `logger` (the module) and `message`, which is one of the sentences on this page. What differs from
line to line is in other fields, as text. Audit events are not in the log: they are on standard output. The log has no
token, no secret and nothing of a call's content.

Alert on the level `error`. `/readyz` and the metrics report the lasting states as well. If `serve` does not start, it
prints the reason as plain text, one problem a line with its cure, and ends with 1. Loggers whose names do not begin
with `agen_authz` are those of libraries.

This page is rendered from the calls in `agen_authz`, and a test fails if a line is missing here.
"""
_REACT = """
## Lines to react to

| level | message | fields | what it means, and what to do |
|---|---|---|---|
"""
_KNOW = """
## Lines to know

| level | message | fields | what it means |
|---|---|---|---|
"""
_VERIFY = """
## Lines in a backend's log

Backends that use `agen_authz.verify` get these lines from the logger `agen_authz.verify`, in their own format. `%s`
stands for a part that differs.

| level | message | fields | what it means, and what to do |
|---|---|---|---|
"""

_DEFECT = "This is a defect of agen-authz: report it with the `traceback`."
MEANINGS = {
    "a defect ended a decision; the request is denied": f"The caller got `internal_error`. {_DEFECT}",
    "a defect ended an answer; the request is denied": (
        f"The decision was made, but signing, rendering, counting or recording it failed; the caller got"
        f" `internal_error`. {_DEFECT}"
    ),
    "a defect ended a call without an answer; Envoy denies the request": f"Envoy got the gRPC status 13. {_DEFECT}",
    "a defect ended the inspection of a response; Envoy cuts the response": (
        f"The client got 502, or the end of its connection if the response had begun. {_DEFECT}"
    ),
    "something was left in a message after it was masked; the message was withheld": (
        "The client got `masking_incomplete` in its place; nothing leaked. `agen_masking_incomplete_total` counts it."
        " This is a defect of agen-authz: report it with the detectors of the call's rules."
    ),
    "a defect ended the reading of a copy of a response; the response had passed": (
        f"No client noticed anything. A sample, or a match of a rule in shadow, is missing from the evidence. {_DEFECT}"
    ),
    "Envoy sends responses so that they cannot be inspected; it cuts them": (
        "`cause` names the setting of Envoy's ext_proc filter. Compare it with `agen-authz envoy-config`. It is logged"
        " once for each cause until the worker ends."
    ),
    "a defect stopped the reading of the catalogue; the next one is in a second": (
        f"What is known of tools may be old until a reading succeeds; `/readyz` says how many are known. {_DEFECT}"
    ),
    "what Check told of a call cannot be opened; its lists are shown empty": (
        "The metadata of ext_authz did not arrive, was written by another filter, or was sealed with another key."
        " Compare Envoy's configuration with `agen-authz envoy-config`. With several replicas, set"
        " `server.metadata_key_file`."
    ),
    "the rules that decided a call are not here; its lists are shown empty": (
        "Check and Process have different configurations for a moment after a reload, or for longer if one of them"
        " could not load the new file: see its line about the reload."
    ),
    "a defect stopped the report of what is known of tools; the next one is in a second": (
        f"Numbers of unmapped tools may be old, and events of pins may be late. {_DEFECT}"
    ),
    "the store does not answer: the catalogue of tools stays as it is": (
        "Definitions that were approved or changed elsewhere are not seen until the store answers; `/readyz` says since"
        " when. In `enforce`, a sidecar that has never read the catalogue denies every call of a tool. Bring the store"
        " back."
    ),
    "a defect ended a reload; the next change of a file is read again": (
        f"`/readyz` shows the failure. Send SIGHUP to try again. {_DEFECT}"
    ),
    "a defect ended the fetch of a provider's keys; it is tried again": (
        f"Keys that were fetched before stay in use for `providers[].jwks.keep_stale`. {_DEFECT}"
    ),
    "a defect stopped the event of counted decisions; they stay counted for the next one": (
        f"No decision is lost from the evidence as long as the server runs. {_DEFECT}"
    ),
    "a worker ended; it is started again": (
        "`code` is its exit code, or the number of a signal with a minus: `-9` is often the kernel's when memory is"
        " short. The pause `after_s` doubles each time. If a worker ends more than ten times within five minutes, the"
        " server ends with code 1."
    ),
    "a worker cannot start with the configuration": (
        "It has ended before. `problem` names what keeps it from starting again, and the cure; it is tried again."
    ),
    "a defect kept a worker from starting": f"It is started again. {_DEFECT}",
    "a worker does not answer any more; it is killed": (
        "It said nothing for 30 seconds. It is started again; what it was doing is lost, and Envoy denies it. See"
        " whether the machine has memory and processor time left."
    ),
    "a worker ended before it had closed everything": (
        "Closing took more than five seconds. Nothing that was decided is lost; see whether the store's disk is slow."
    ),
    "a worker cannot use the new configuration; it keeps the last good one": (
        "The worker that decides uses the new one, so the file is good; `problem` says what failed. Send SIGHUP to try"
        " again, or restart."
    ),
    "a defect kept a configuration from taking effect; the last good one stays in use": (
        f"`/readyz` shows the failure. Send SIGHUP to try again. {_DEFECT}"
    ),
    "the server stops without an event for decisions that were only counted": (
        "Standard output did not take the last event. `counts` has what it would have said: keep this line with the"
        " audit events, and see why their reader was slow or gone."
    ),
    "the new configuration is refused; the last good one stays in use": (
        "`problem` names file, line, mistake and cure; there is a line for each mistake. Mend the file: it is read"
        " again when it changes. `agen-authz check-config` shows the same problems before a change."
    ),
    "the new configuration is not in use yet; it waits for the store": (
        "Nothing is wrong with the file. See why the store (`store` in the configuration) does not answer; the file"
        " is read again until it does."
    ),
    "the new certificates are refused; the last good ones stay in use": (
        "The rest of the new configuration is in use. `problem` names the file and the mistake. Put certificate, key"
        " and client CA right before the last good certificate ends."
    ),
    "a file changed, and is not read while it is open for writing": (
        "The line comes every 30 seconds. End the program that holds one of `files` open, or let it close the file."
    ),
    "a setting makes the protection weaker than the default": (
        "`setting` is on in the configuration; the metric `agen_weakened` shows it as well. Turn it off in production"
        " unless it was decided on."
    ),
    "the store is unavailable: `policy lint` cannot say since when policies are in shadow": (
        "No call depends on this. If it comes again, see why the store does not answer."
    ),
    "a provider's keys cannot be fetched; it is asked again": (
        "`why` has the URL and the cause. Keys that were fetched before stay in use for"
        " `providers[].jwks.keep_stale`; then, and for tokens with other keys, callers get 503"
        " `provider_unavailable`. There is a line for each new cause, not for each attempt."
    ),
    "a call ended before a provider's keys were fetched; it was not allowed": (
        "The provider is slow: it had not answered when the time of a call was over or its client left. There is one"
        " line for each fetch. Compare `providers[].jwks.timeout` with `server.check_timeout`."
    ),
    "keys that a provider publishes cannot be used and were left out": (
        "`keys` has the first ten with what is wrong. Tokens that are signed with these keys are refused; all others"
        " are not affected. Tell the operator of the provider."
    ),
    "a token was refused": (
        "`why` has what the token says and what is wanted. There is one line a minute for each resource and Reason;"
        " `not_logged` counts the refusals since the line before. Missing and expired tokens are not logged."
        " [reasons.md](reasons.md) has the cure for each Reason. If the token of a good client is refused, compare"
        " `why` with the resource and the provider in the configuration."
    ),
    "a provider's keys can be fetched again": "It follows the line that they cannot.",
    "the new configuration is in use": "`policy_set` is its version, which every event from now on has.",
    "Check and Process are served": (
        "Every worker has started; `authz` and `proc` are their addresses. `/readyz` says whether they are ready."
    ),
    "a worker has started": (
        "`worker` is `check`, which decides, one of those that inspect responses (`process`, `process-2` and so on), or"
        " `console`, which serves approvers."
    ),
    "a worker finishes what has begun, and ends": "The server shuts down. The worker `check` does so first.",
    "shutting down: calls that have begun are finished, new ones are refused": (
        "The server got SIGTERM or SIGINT. For a moment it still decides new calls while health checks already say"
        " `NOT_SERVING`; then new calls get `draining`."
    ),
    "refused %s %s: %s": (
        "A request was not signed by the gateway, was altered or repeated, or reached the backend past Envoy. The parts"
        " are method, path, and the check that failed. If good requests are refused, see"
        " [backend signatures](backend-signatures.md)."
    ),
    "keys in %s were skipped: %s%s": (
        "The files named here are not keys, or the directory cannot be read; every other key stays in use. Put the"
        " file right or remove it."
    ),
    "the console is not started again; no call can be approved": (
        "It ended too often; `problem` has the last cause. Calls are decided as before, and those that need an approval"
        " wait. Restart the server once the cause is gone."
    ),
    "a defect kept requests for approval from ending in time; it continues in ten seconds": (
        f"No grant lasts longer by this. Time-outs and reminders are late. {_DEFECT}"
    ),
    "a defect kept a request for approval from ending in time; others continue": (
        "No grant lasts longer by this. The time-outs and reminders of the request `approval` are late; it is tried"
        f" again every ten minutes. {_DEFECT}"
    ),
    "a request for approval cannot be read from the store; lists leave it out": (
        "The row of the request `approval` was changed by hand, or another version wrote it. The same call is denied"
        " (`store_unavailable`) until the row is mended or deleted; nothing else depends on it."
    ),
    "a defect stopped the sending of messages to people; it continues in ten seconds": (
        f"No message is lost; they are late. {_DEFECT}"
    ),
    "messages to people cannot be sent; they are tried again": (
        "`place` is the file and line of the Apprise URL, and `why` is `failed` or `late`. There is one line until"
        " messages can be sent again. See whether the service can be reached, and whether the URL is still good."
    ),
    "a message to people could not be sent, and is not tried any more": (
        "It was tried `attempts` times within about half a day. The request `request` is in the console: tell its"
        " approvers another way."
    ),
    "no more messages may be sent in this hour; others wait": (
        "`notifications.max_per_hour` is reached. See whether one caller asks too often"
        " (`approvals.max_open_per_subject`), or raise it."
    ),
    "messages to people can be sent again": "It follows the line that they cannot.",
    "people cannot sign in at a provider": (
        "The provider of the console gives no usable answer; `cause` says why. Approvers who are signed in continue"
        " until their session ends."
    ),
    "a provider refused a code of the console": (
        "The provider answered the console's exchange of a code with `status`: 401 if `console.client_id` or its secret"
        " is wrong there, 400 if the code was used, too old, or if `approvals.base_url` is not where the provider sends"
        " people back to."
    ),
    "a sign-in was refused": (
        "The provider's ID token is not accepted; `reason` is one of docs/reasons.md and `detail` says what was seen"
        " and what was wanted."
    ),
    "a sign-in ended at the provider": "The person declined there, or may not sign in at the console's client.",
    "the console could not answer a request": (
        "The store or the provider does not answer; `cause` names it. The person got 503, and nothing was changed."
    ),
    "a sign-in at the console could not be written to the audit log": (
        "The person is signed in or out, or was refused, as `event` says; only the event is missing. See"
        " `agen_audit_events_total`."
    ),
    "a change of a request could not be written to the audit log": (
        "The change counts, and the store has it under the request `approval`; only its event is missing. See"
        " `agen_audit_events_total`."
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log as the code writes it."""

    place: str
    level: str
    message: str
    fields: tuple[str, ...]


def find_lines() -> list[Line]:
    """List every line that the package logs, in the order of its modules."""
    found: list[Line] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if not place.startswith(_LEFT_OUT):
            found += read_module(place, path.read_text("utf-8"))
    return found


def read_module(place: str, text: str) -> Iterator[Line]:
    """Yield the lines that a module logs.

    Raises:
        ValueError: a message is put together when the program runs, so that no page can list it.
    """
    tree = ast.parse(text)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in _calls(function):
            if not (isinstance(call.func, ast.Attribute) and _is_name(call.func.value, "_LOG")):
                continue
            level = call.func.attr
            for message in _messages(tree, function, call.args[0], place):
                yield Line(place, _LEVELS.get(level, level), message, (*_fields(function, call), *_traceback(level)))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _messages(
    tree: ast.Module, function: ast.FunctionDef | ast.AsyncFunctionDef, given: ast.expr, place: str
) -> Iterator[str]:
    """Yield the message of a call; if it is the function's first argument, what callers give it."""
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        yield given.value
        return
    if not _is_name(given, function.args.args[0].arg):
        raise ValueError(f"{place}:{given.lineno}: this message is not written out")
    for call in _calls(tree):
        if _is_name(call.func, function.name):
            yield from _messages(tree, function, call.args[0], place)


def _fields(function: ast.AST, call: ast.Call) -> Iterator[str]:
    """Yield the names in `extra`, which may have been given a name before."""
    for given in (keyword.value for keyword in call.keywords if keyword.arg == "extra"):
        for values in _dicts(function, given):
            yield from (ast.literal_eval(key) for key in values.keys if key is not None)


def _dicts(function: ast.AST, given: ast.expr) -> Iterable[ast.Dict]:
    if isinstance(given, ast.Dict):
        return (given,)
    return (
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Dict)
        and any(isinstance(given, ast.Name) and _is_name(target, given.id) for target in node.targets)
    )


def _traceback(level: str) -> tuple[str, ...]:
    return ("traceback",) if level == "exception" else ()


def render() -> str:
    """Render the page: errors first, then in the order of the meanings."""
    order = list(MEANINGS)
    lines = sorted(set(find_lines()), key=lambda line: order.index(line.message))
    ours = [line for line in lines if not line.place.startswith(_BACKENDS)]
    backends = dict.fromkeys(_row(line) for line in lines if line.place.startswith(_BACKENDS))
    react = [_row(line) for line in ours if line.level not in _QUIET]
    know = [_row(line) for line in ours if line.level in _QUIET]
    return "\n".join([_INTRO + _REACT[:-1], *react, _KNOW[:-1], *know, _VERIFY[:-1], *backends, ""])


def _row(line: Line) -> str:
    fields = ", ".join(f"`{name}`" for name in line.fields)
    return f"| {line.level} | {line.message} | {fields} | {MEANINGS[line.message]} |"
