"""Envoy's traps: each protection taken out, and what gets through then.

| trap | what protects us | taken out here |
|---|---|---|
| 1 an answer without a status allows | every answer of ours has one | `status`, `everything` |
| 2 a response stream that ends early passes the rest | ours aborts unless all is answered | test_inspected.py |
| 3 of `value` and `raw_value` only the first is sent | our headers are `value` | `value` |
| 4 only `append` tells set from add, not the action | our headers say `append: false` | `append` |
| 5 a denial's header with `append` is dropped | our denials leave it unset | `append in a denial` |
| 6 a response filter sees denials as well | our denials say the word, and pass untouched | test_inspected.py |
| 7 a changed body keeps its old length | ours removes `content-length` | test_inspected.py |
| 8 a decompressor makes responses hang | there is none | `chain` |
| 9 Envoy's own reading of MCP is unfinished | it is not used: Check reads the message | `chain`, `batch` |
| 10 what is too large is 413, or cut | never a part, and Check refuses one | protections.py, `part of a body` |

Protections of Envoy's configuration, trap 10 among them, are in protections.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from tests import builders as build
from tests.check.rig import Rig, drive
from tests.envoy.copies import (
    LIMITS,
    OUR_HOST,
    as_rendered,
    authz,
    describe,
    manager,
    put,
    read_any,
    read_rendered,
    run_copies,
)
from tests.envoy.stand import Check, Reply, Stand, request

pytestmark = pytest.mark.envoy

_REMAINING_S = 1.0
Alter = Callable[[pb.CheckResponse], None]


def _leave(_: pb.CheckResponse) -> None:
    """Change nothing."""


@dataclass
class OurCheck(Check):
    """Answers as agen-authz does; `alter` takes a protection out of its answers."""

    rig: Rig = field(default_factory=Rig)
    alter: Alter = _leave

    def check(self, raw: bytes, _context: grpc.ServicerContext) -> bytes:
        self.asked.append(read_any(raw))
        response = pb.CheckResponse.FromString(drive(self.rig.servicer.check(raw, _REMAINING_S)))
        self.alter(response)
        return response.SerializeToString()


@pytest.fixture(scope="module")
def ours() -> OurCheck:
    return OurCheck()


@pytest.fixture(scope="module")
def copies(ours: OurCheck, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stand]]:
    """Run our Check behind the rendered listener, and behind one that hands over parts of bodies."""
    changes = {
        "as rendered": as_rendered,
        "parts": put(lambda listener: authz(listener)["with_request_body"], "allow_partial_message", True),
    }
    with run_copies(tmp_path_factory.mktemp("envoy"), ours, changes) as stands:
        yield stands


@pytest.fixture
def stand(copies: dict[str, Stand]) -> Stand:
    copies["as rendered"].reset()
    return copies["as rendered"]


def call(tool: str, *headers: str, token: str | None = None, padding: int = 0) -> bytes:
    """Write a call of the analyst's, or of another token's."""
    document = build.message(params={"name": tool, "arguments": {"id": "x" * padding}})
    written = build.headers_for(token or build.sign(build.claims()), document)
    rows = (*(f"{name}: {value}" for name, value in written.items()), *headers)
    return request("POST", "/crm/mcp", host=OUR_HOST, token=False, headers=rows, body=build.encode(document))


# ---- 1, 3, 4, 5: our answers ---------------------------------------------------------------------------


def _without_status(response: pb.CheckResponse) -> None:
    response.ClearField("status")


def _as_raw_value(response: pb.CheckResponse) -> None:
    for option in response.ok_response.headers:
        option.header.raw_value = option.header.value.encode()
        option.header.ClearField("value")


def _append(response: pb.CheckResponse) -> None:
    for option in (*response.ok_response.headers, *response.denied_response.headers):
        option.append.value = True


@dataclass(frozen=True, slots=True)
class Answered:
    """A call, and what is seen of it with the answer of ours and with an altered one."""

    raw: bytes
    alter: Alter
    look: Callable[[Reply, Stand], object]
    stopped: object
    gets_through: object


def _identity(_: Reply, stand: Stand) -> list[tuple[list[str], list[str]]]:
    """Look at who called, and at the beginning of our id of the request, for they are rendered in two places."""
    return [
        (arrived.values("agen-subject"), [value[:5] for value in arrived.values("agen-request-id")])
        for arrived in stand.backend.arrived
    ]


def _arrivals(_: Reply, stand: Stand) -> int:
    return len(stand.backend.arrived)


FORBIDDEN = call("delete_customer")
FORGED = call("get_customer", 'agen-subject: "root"', 'agen-request-id: "root"')
OURS = [(['"ann"'], ['"0000'])]
ANSWERS = {
    "status": Answered(FORBIDDEN, _without_status, _arrivals, 0, 1),
    "everything": Answered(FORBIDDEN, pb.CheckResponse.Clear, _arrivals, 0, 1),
    "value": Answered(FORGED, _as_raw_value, _identity, OURS, [([""], [""])]),
    "append": Answered(FORGED, _append, _identity, OURS, [(['"root","ann"'], ['"root'])]),
    "append in a denial": Answered(
        call("get_customer", token="x"),
        _append,
        lambda reply, _: (reply.status, "www-authenticate" in reply.headers),
        (401, True),
        (401, False),
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_our_answers_say_is_what_stops_the_attack(stand: Stand, ours: OurCheck, name: str) -> None:
    answered, outcomes = ANSWERS[name], []
    for ours.alter in (_leave, answered.alter):
        stand.reset()
        reply = stand.send(answered.raw)
        outcomes.append(answered.look(reply, stand))
    ours.alter = _leave
    assert outcomes == [answered.stopped, answered.gets_through]


# ---- 10: a part of a body ------------------------------------------------------------------------------


def test_part_of_a_body_is_refused_even_where_envoy_hands_it_over(copies: dict[str, Stand]) -> None:
    stand = copies["parts"]
    stand.reset()
    reply = stand.send(call("get_customer", padding=LIMITS.request_bytes))
    shown = [(len(asked.body), asked.values("x-envoy-auth-partial-body")) for asked in stand.check.asked]
    assert (reply.status, shown, stand.backend.arrived) == (413, [(LIMITS.request_bytes, [b"true"])], [])


# ---- 8, 9: what is not in the chain ----------------------------------------------------------------------


def test_chain_has_none_of_the_filters_that_the_traps_are_about() -> None:
    (listener,) = read_rendered(describe(1, Path("check.sock")))["static_resources"]["listeners"]
    names = [each["name"].removeprefix("envoy.filters.http.") for each in manager(listener)["http_filters"]]
    # Whoever adds a filter writes the tests of its traps: those of ext_proc are in test_process.py, test_inspected.py.
    assert names == ["header_mutation", "ext_authz", "ext_proc", "router"]


def test_batch_is_read_by_check_and_refused(stand: Stand) -> None:
    single = call("get_customer")
    head, _, body = single.partition(b"\r\n\r\n")
    length = f"content-length: {len(body)}".encode()
    batch = head.replace(length, f"content-length: {len(body) + 2}".encode()) + b"\r\n\r\n[" + body + b"]"
    assert [(stand.send(raw).status, len(stand.backend.arrived)) for raw in (batch, single)] == [(400, 0), (200, 1)]
