"""Renders docs/architecture.md, with its picture from the import contracts; `make golden` writes it."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
PACKAGE = ROOT / "agen_authz"

_TEXT = """\
# Architecture

agen-authz is a functional core in an imperative shell. The core takes values and returns values; it reads no clock,
opens no socket and writes no log. The shell reads everything before a decision and writes everything after it. So
`policy test`, `explain` and `replay` decide with the very function that decides a real call.

Read in this order: [AGENTS.md](../AGENTS.md) (the map, one screen), `agen_authz/servers/ext_authz.py` (the steps of a
request), `agen_authz/core/decide.py` (the decision), `agen_authz/servers/ext_proc.py` (the steps of a response), then
the room that you came for.

## Two halves, in two processes

Check decides a request, Process inspects its response. They share no memory: Check seals for Process who called what
under which rules (`wire/sealed.py`), Envoy carries it, and Process opens it and takes the same rules
(`app/worker/assign.py`). `core/exchange.py` is the state machine of a response. It gives each message to
`core/response/`, which filters lists with `core/decide.py`, compares definitions with the pins (`core/pinning`) and
signs session ids (`core/session.py`). Last, data protection masks what is left (`core/response/protect.py`,
`core/masking`), and the event of what was masked is written (`obligations/mask.py`). What a message shows of tools is
written to the store (`obligations/learn.py`) before the message leaves. Check reads it from there each second
(`catalogue.py`), denies calls of tools that are not approved, and compares arguments with the approved schema
(`core/arguments`). `app/supervisor` starts, watches and restarts the processes; `app/worker` is what runs in them.

## People

A call that policies want approved is decided twice: `core/decide.py` says which approvals it needs,
`obligations/approve.py` reads or opens the requests and has the call judged again, and uses the grants right before the
event. `core/approval/table.py` has the rules. The worker of the console (`app/worker/console.py`) runs the approvers'
pages (`console/`), the messages to people and what runs by the clock (`workers/`). It shares only the store with the
others, and calls are decided without it. [approvals.md](approvals.md) explains what people see.

## The picture

The picture is rendered from the import contracts in `pyproject.toml`, which `make imports` checks. A row may import
from the rows below it, never from those above. Rooms that `|` separates do not import each other; rooms that `:`
separates may.

The package:

PACKAGE

The core (`agen_authz/core`):

CORE

Three more rules, checked the same way: only `app` and `demo` see `adapters`, no adapter imports another, and what
backends import (`verify`) needs neither gRPC nor a server.

## Five usual changes, and their first line

**A new Reason.** Add the word to `Reason` and its row to `_ROWS` in `agen_authz/core/reason.py`: HTTP status, JSON-RPC
code, the sentence for the client, what to do. Return it where the cause is found. `make golden` renders
[reasons.md](reasons.md); `tests/test_pages.py` fails while the row is missing. Then a case under `tests/cases/check`.

**A new configuration key.** Add the field, with its default and description, to its section's file in
`agen_authz/config/sections/`; a rule about it goes below the model, in the same file. Turn it into a value in
`agen_authz/build/ruleset.py`, next to a key that is like it. Add a row to `tests/config/test_checks.py`; say in
`agen_authz/authoring/diff/setting.py` whether another value lets more in. `make golden` renders
[configuration.md](configuration.md).

**A new variable for conditions.** Add an `Attribute` to `agen_authz/core/policy/attribute.py`: its name, its type, its
meaning and where its value comes from. If the value must be read first, `gather` in `agen_authz/facts.py` reads it into
`Facts`. Cases go to `tests/cases/policy`; `make golden` renders [policies.md](policies.md).

**A new MCP method.** Add a row to `METHODS` in `agen_authz/core/message/method.py`: what the method names, and in which
eras. If it names something in a new way, give that a `Names` member and a reader in `agen_authz/core/message/mcp.py`;
mypy and `_READERS` show what is missing. Cases go to `tests/cases/check`; `make conformance` shows what clients see.

**A new sink of events.** Implement `AuditSink` (`agen_authz/ports/__init__.py`) in its own file in
`agen_authz/adapters/audit/`, run the contract suite (`tests/adapters/test_contract_audit.py`) on it, and build it in
`agen_authz/app/worker/check.py`. The event itself is made in `agen_authz/wire/event.py` and described by
`proto/agen/authz/v1/event.proto`.

## Where tests are

`tests/core` mirrors the core, `tests/wire` tests the protobuf side, `tests/check` the whole servicer with fakes that
pass the contract suites of their ports. `tests/properties` holds what must be true of any input, `tests/cases` what
must be true of these, as YAML. `tests/e2e`, `tests/envoy` and `tests/demo` start a real Envoy.
[CONTRIBUTING.md](../CONTRIBUTING.md) says what each may use.
"""


def render() -> str:
    """Render the page."""
    contracts = tomllib.loads(PYPROJECT.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layered = {contract["containers"][0]: contract["layers"] for contract in contracts if contract["type"] == "layers"}
    package, core = layered["agen_authz"], layered["agen_authz.core"]
    return _TEXT.replace("PACKAGE", _draw(package, PACKAGE)).replace("CORE", _draw(core, PACKAGE / "core"))


def _draw(layers: list[str], folder: Path) -> str:
    rows = list(filter(None, (_spell_row(layer, folder) for layer in layers)))
    width = max(map(len, rows))
    edge = "    +" + "-" * (width + 2) + "+"
    return "\n".join([edge, *(f"    | {row.center(width)} |\n{edge}" for row in rows)])


def _spell_row(layer: str, folder: Path) -> str:
    """Spell the rooms of one layer that exist; the contracts name some that are not built yet."""
    words = layer.replace("(", "").replace(")", "").split()
    mark = next((word for word in words if word in ("|", ":")), "|")
    rooms = [word for word in words if word not in ("|", ":")]
    return f" {mark} ".join(room for room in rooms if (folder / room).is_dir() or (folder / f"{room}.py").is_file())
