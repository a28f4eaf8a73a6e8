"""Data protection against the whole sidecar, through a real Envoy: no value that a rule is about reaches the client.

The backend sends `REAL` values in every kind of message, in every form; the client gets `MARKS` in their places.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.masked import (
    MARKS,
    MODES,
    REAL,
    Masked,
    Values,
    call,
    cut,
    find_leaks,
    in_events,
    masked_world,
    result,
)
from tests.e2e.masked_hostile import HOSTILE, LOOSE
from tests.e2e.masked_kinds import DONE, KINDS, META, PROTOCOL, SPELLINGS, compact, modern, notify, record
from tests.e2e.told import EVENTS, HIDDEN, LIST, chunk, dump, event, head, rpc, tool, whole

pytestmark = pytest.mark.envoy


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Masked]:
    with masked_world(tmp_path_factory.mktemp("masked")) as running:
        yield running


def test_leak_would_be_seen():
    assert find_leaks(dump(result(REAL.all()))) == {"card", "mail", "ssn", "key"}
    assert find_leaks(dump(result(MARKS.all()))) == set()
    unseen = [name for name, text in SPELLINGS.items() if not find_leaks(dump(result(text))) and name != "exponent"]
    assert unseen == []


# ---- every kind of message -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_message_is_masked_in_events_and_as_json(masked: Masked, name: str):
    kind = KINDS[name]
    rest = [] if kind.answers else [DONE]
    for mode in MODES:
        streamed = masked.get(in_events(kind.sent, *rest), body=kind.body, mode=mode, **kind.headers)
        assert (streamed.status, streamed.is_whole, streamed.messages) == (200, True, [kind.shown, *rest])
        alone = masked.get(whole(dump(kind.sent)), body=kind.body, mode=mode, **kind.headers)
        assert (alone.status, alone.is_whole, alone.messages) == (200, True, [kind.shown])
        assert find_leaks(streamed.body + alone.body.replace(b"requestState", b"")) == LEFT.get(name, set())


# Of the protocol: it is sent back as it is.
LEFT = {"input_required": {"card"}}


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_a_value_is_masked(masked: Masked, name: str):
    text = SPELLINGS[name]
    sent = result(text, structuredContent={"said": text, text: [text]}, _meta={"a": text})
    for step, mode in zip((whole(dump(sent)), in_events(sent)), MODES, strict=True):
        got = masked.get(step, mode=mode)
        assert (got.status, len(got.messages), find_leaks(got.raw)) == (200, 1, set()), got.messages


@pytest.mark.parametrize("name", PROTOCOL)
def test_what_the_protocol_needs_stays_as_it_is(masked: Masked, name: str):
    sent = PROTOCOL[name]
    rest = [] if "result" in sent else [DONE]
    for mode in MODES:
        assert masked.get(in_events(sent, *rest), mode=mode).messages == [sent, *rest]


def test_id_of_a_call_stays_as_it_is(masked: Masked):
    body = {**call("get_customer"), "id": REAL.card}
    sent, shown = ({**result(each.all()), "id": REAL.card} for each in (REAL, MARKS))
    assert masked.get(whole(dump(sent)), body=body).messages == [shown]


@pytest.mark.parametrize("mode", MODES)
def test_streams_of_a_session_are_masked_when_they_open_and_when_they_are_replayed(masked: Masked, mode: str):
    session = masked.told.begin()
    sent, shown = ([getattr(kind, side) for kind in KINDS.values()] for side in ("sent", "shown"))
    for resumed in ({}, {"last_event_id": "e1"}):
        steps = [head(media=EVENTS), *(event(each, f"e{at}") for at, each in enumerate(sent))]
        got = masked.get(*steps, body=None, method="GET", mode=mode, mcp_session_id=session, **resumed)
        assert (got.is_whole, got.messages) == (True, shown)


@pytest.mark.parametrize("mode", MODES)
def test_tasks_and_subscriptions_are_masked(masked: Masked, mode: str):
    made = rpc(id=7, result={"resultType": "task", "taskId": f"t-{mode}", "status": "working", "ttlSeconds": 60})
    assert masked.get(whole(dump(made)), body=call("get_customer", _meta=META), **OF_CALL).messages == [made]

    def state(held: Values) -> dict[str, Any]:
        done = {"content": [{"type": "text", "text": held.all()}], "structuredContent": record(held)}
        told = {"taskId": f"t-{mode}", "status": "completed", "statusMessage": held.all(), "result": done}
        return rpc(id=7, result={"resultType": "complete", **told})

    def notice(held: Values) -> dict[str, Any]:
        return notify("tasks", taskId=f"t-{mode}", status="working", statusMessage=held.all(), result=record(held))

    read = rpc(id=7, method="tasks/get", params={"taskId": f"t-{mode}", "_meta": META})
    asked = rpc(
        id=7, method="subscriptions/listen", params={"notifications": {"taskIds": [f"t-{mode}"]}, "_meta": META}
    )
    # Which tool made it is known: a task of one without a rule is masked too, for its id may be any tool's.
    for step, left in ((whole(dump(state(REAL))), []), (in_events(notice(REAL), state(REAL)), [notice(MARKS)])):
        got = masked.get(step, body=read, mode=mode, **modern("tasks/get", f"t-{mode}"))
        assert got.messages == [*left, state(MARKS)]
    messages = [notice(REAL), KINDS["notifications/resources/updated"].sent]
    heard = masked.get(in_events(*messages), body=asked, mode=mode, **modern("subscriptions/listen"))
    assert heard.messages == [notice(MARKS), KINDS["notifications/resources/updated"].shown]


OF_CALL = modern("tools/call", "get_customer")


@pytest.mark.parametrize("mode", MODES)
def test_list_is_filtered_and_masked(masked: Masked, mode: str):
    sent, shown = (
        rpc(
            id=7, result={"tools": [tool("get_a", description=each.all()), tool(HIDDEN, description=each.all())][:many]}
        )
        for each, many in ((REAL, 2), (MARKS, 1))
    )
    for step in (whole(dump(sent)), in_events(sent)):
        assert masked.get(step, body=LIST, mode=mode).messages == [shown]


# What should have no answer, or an empty one: servers answer all the same.
UNASKED: dict[str, dict[str, Any] | None] = {
    "ping": rpc(id=7, method="ping"),
    "notification": rpc(method="notifications/initialized"),
    "posted response": rpc(id="s1", result={"roots": []}),
    "end of a session": None,
}


@pytest.mark.parametrize("name", UNASKED)
def test_answer_that_should_hold_nothing_is_masked(masked: Masked, name: str):
    body, session = UNASKED[name], masked.told.begin()
    asked: dict[str, Any] = {"body": body, "method": "POST" if body else "DELETE", "mcp_session_id": session}
    error, shown = (rpc(error={"code": -32600, "message": each.all()}) for each in (REAL, MARKS))
    for mode in MODES:
        refused = masked.get(whole(dump(error), status="400 No"), mode=mode, **asked)
        assert (refused.status, refused.messages) == (400, [shown])
        kind = KINDS["notifications/message"]
        streamed = masked.get(in_events(kind.sent), mode=mode, **asked)
        assert (streamed.status, streamed.messages) == (200, [kind.shown])
        page = masked.get(whole(REAL.all().encode(), status="202 Yes", media="text/plain"), mode=mode, **asked)
        assert (page.status, find_leaks(page.raw)) == (502 if name == "ping" else 202, set())
        assert page.body == b"" or name == "ping"
        empty = masked.get(whole(b"", status="202 Accepted", media=None), mode=mode, **asked)
        assert (empty.status, empty.body, empty.is_whole) == (202, b"", True)


# ---- in pieces, hostile and unreadable -------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [1, 2, 7, 31])
def test_pieces_of_any_size_are_masked_alike(masked: Masked, mode: str, size: int):
    message = KINDS["structured content"]
    for raw, media in ((dump(message.sent), "application/json"), (event(message.sent, "e1") * 2, EVENTS)):
        together = masked.get(whole(raw, media=media), mode=mode)
        chunks = [head("transfer-encoding: chunked", media=media), *map(chunk, cut(raw, size)), b"0\r\n\r\n"]
        pieces = masked.get(*chunks, mode=mode)
        assert (pieces.body, set(map(compact, pieces.messages))) == (together.body, {compact(message.shown)})


@pytest.mark.parametrize("mode", MODES)
def test_value_that_is_cut_at_any_byte_is_masked(masked: Masked, mode: str):
    sent, shown = (rpc(id=7, result={"a": [each.card, each.mail]}) for each in (REAL, MARKS))
    for raw, media in ((dump(sent), "application/json"), (event(sent), EVENTS)):
        start, end = raw.index(REAL.card.encode()), raw.index(REAL.mail.encode()) + len(REAL.mail)
        for at in range(start - 1, end + 1):
            got = masked.get(head(media=media) + raw[:at], raw[at:], mode=mode)
            assert got.messages == [shown], raw[:at]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_response_shows_no_value(masked: Masked, name: str):
    steps, status, outcomes = HOSTILE[name]
    for mode in MODES:
        got = masked.get(*steps, mode=mode)
        assert (got.status, got.outcomes) == (status, outcomes), got.raw
        assert find_leaks(got.raw) == set()


@pytest.mark.parametrize("name", LOOSE)
def test_what_cannot_be_read_passes_if_the_rule_says_so_and_is_withheld_otherwise(masked: Masked, name: str):
    steps, body, reason = LOOSE[name]
    for mode in MODES:
        subject = f"loose {name} {mode}"
        got = masked.get(*steps, body=call("get_loose"), mode=mode, token=masked.mint(sub=subject))
        assert (got.status, got.body == body, got.is_whole) == (200, True, True)
        told = masked.wait_for_event(subject)["masking"]
        assert told["uninspected"] == [{"reason": reason, "detail": "", "outcome": "passed"}]
        held = masked.get(*steps, mode=mode)
        assert (held.outcomes, find_leaks(held.raw)) in (([f"7: {reason}"], set()), ([DONE], set()))


def test_what_can_be_read_is_masked_whatever_on_failure_says(masked: Masked):
    assert masked.get(whole(dump(result(REAL.card))), body=call("get_loose")).messages == [result(MARKS.card)]
