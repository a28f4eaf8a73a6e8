"""Which calls are the same to an approver, and which are not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.approval.parameters import ANSWER_KEY, digest_call
from agen_authz.core.digest import digest_arguments

KEY = b"k" * 32
CALL: dict[str, Any] = {"name": "refund", "arguments": {"amount": 100, "payee": "ann"}}
MESSAGE: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
VERSION = "io.modelcontextprotocol/protocolVersion"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FORM = {"action": "accept", "content": {"ok": True}}


def digest(**changes):
    """Digest the call with these parameters besides."""
    return digest_message(params=CALL | changes)


def digest_message(headers=None, key=KEY, **changes):
    """Digest the message with these members besides."""
    return digest_call({**MESSAGE, "params": CALL, **changes}, headers or {}, key)


def answered(answer, **others):
    """Add an answer to our elicitation, and others."""
    return {"inputResponses": {ANSWER_KEY: answer} | others}


SAME = {
    "members in another order": {"arguments": {"payee": "ann", "amount": 100}},
    "progress token, a number": {"_meta": {"progressToken": 7}},
    "progress token, a string": {"_meta": {"progressToken": "t-7"}},
    "trace": {"_meta": {"traceparent": TRACE, "tracestate": "a=1"}},
    "number of a call, Claude Code": {"_meta": {"claudecode/toolUseId": "toolu_1"}},
    "number of a turn, Visual Studio Code": {"_meta": {"vscode.requestId": "r-1"}},
    "empty _meta": {"_meta": {}},
    "accepted": answered({"action": "accept"}),
    "declined": answered({"action": "decline"}),
    "cancelled": answered({"action": "cancel", "content": None, "_meta": {}}),
    "complete": answered({"action": "accept", "content": {}, "resultType": "complete"}),
    "no answers": {"inputResponses": {}},
}


@pytest.mark.parametrize("changes", SAME.values(), ids=SAME.keys())
def test_call_that_is_made_again_is_the_same(changes):
    assert digest(**changes) == digest()


# Each differs from the call itself, and from each other.
DIFFERENT: dict[str, dict[str, Any]] = {
    "the call": {},
    "name": {"name": "refunds"},
    "argument": {"arguments": {"amount": 101, "payee": "ann"}},
    "argument, 100.0": {"arguments": {"amount": 100.0, "payee": "ann"}},
    "argument, text": {"arguments": {"amount": "100", "payee": "ann"}},
    "argument, 1": {"arguments": {"amount": 1}},
    "argument, 1.0": {"arguments": {"amount": 1.0}},
    "argument, '1'": {"arguments": {"amount": "1"}},
    "argument, true": {"arguments": {"amount": True}},
    "argument, 0": {"arguments": {"amount": 0}},
    "argument, false": {"arguments": {"amount": False}},
    "argument, null": {"arguments": {"amount": None}},
    "argument, 'null'": {"arguments": {"amount": "null"}},
    "argument, none": {"arguments": {}},
    "argument, one in a list": {"arguments": {"amount": [1]}},
    "argument, list": {"arguments": {"amount": [1, 2]}},
    "argument, list in another order": {"arguments": {"amount": [2, 1]}},
    "argument, 2 ** 64": {"arguments": {"amount": 2**64}},
    "argument, 2 ** 64 + 1": {"arguments": {"amount": 2**64 + 1}},
    "argument, 2.0 ** 64": {"arguments": {"amount": 2.0**64}},
    "argument, half a pair": {"arguments": {"amount": "\ud83d"}},
    "argument, two halves": {"arguments": {"amount": "\ud83d\ude00"}},
    "argument, a pair": {"arguments": {"amount": "\U0001f600"}},
    "argument, an escape": {"arguments": {"amount": "\\ud83d"}},
    "argument, not composed": {"arguments": {"amount": "e\u0301"}},
    "argument, composed": {"arguments": {"amount": "\u00e9"}},
    "progress token among the arguments": {"arguments": CALL["arguments"] | {"progressToken": 7}},
    "_meta among the arguments": {"arguments": CALL["arguments"] | {"_meta": {"progressToken": 7}}},
    "progress token beside _meta": {"progressToken": 7},
    "progress token that holds members": {"_meta": {"progressToken": {"a": 1}}},
    "_meta, a list": {"_meta": ["progressToken"]},
    "_meta, null": {"_meta": None},
    "baggage": {"_meta": {"baggage": "dry_run=false"}},
    "version": {"_meta": {VERSION: "2026-07-28"}},
    "client": {"_meta": {"io.modelcontextprotocol/clientInfo": {"name": "a"}}},
    "capabilities": {"_meta": {"io.modelcontextprotocol/clientCapabilities": {}}},
    "log level": {"_meta": {"io.modelcontextprotocol/logLevel": "debug"}},
    "related task": {"_meta": {"io.modelcontextprotocol/related-task": {"taskId": "t"}}},
    "another spelling": {"_meta": {"ProgressToken": 7}},
    "vendor's key": {"_meta": {"example.com/tenant": "b"}},
    "task": {"task": {"ttl": 1}},
    "request state": {"requestState": "s"},
    "another answer": {"inputResponses": {"theirs": {"action": "accept"}}},
    "another answer, declined": answered({"action": "accept"}, theirs={"action": "decline"}),
    "our answer, with content": answered(FORM),
    "our answer, without action": answered({}),
    "our answer, unknown action": answered({"action": "approve"}),
    "our answer, action is a list": answered({"action": ["accept"]}),
    "our answer, of a model": answered({"role": "assistant", "content": {"type": "text", "text": "yes"}}),
    "our answer, unknown result type": answered({"action": "accept", "resultType": "x"}),
    "our answer, a string": answered("accept"),
    "our answer among the parameters": {ANSWER_KEY: {"action": "accept"}},
    "answers, a list": {"inputResponses": [ANSWER_KEY]},
}


def test_calls_that_a_backend_may_tell_apart_are_different():
    digests = {name: digest(**changes) for name, changes in DIFFERENT.items()}
    by_digest: dict[str, list[str]] = {}
    for name, each in digests.items():
        by_digest.setdefault(each, []).append(name)
    assert [names for names in by_digest.values() if len(names) > 1] == []


def test_numbers_are_compared_as_they_are_read():
    spelt = [json.loads(f'{{"amount": {number}}}') for number in ("1e2", "100.0", "100")]
    first, second, third = (digest(arguments=each) for each in spelt)
    assert (first == second, first == third) == (True, False)


def test_digest_is_keyed_and_is_not_that_of_arguments():
    digests = {digest(), digest_message(key=b"other"), digest_arguments(CALL, KEY)}
    assert (len(digests), {len(each) for each in digests}) == (3, {64})


def test_call_is_not_changed_by_its_digest():
    message = {**MESSAGE, "params": CALL | {"_meta": {"progressToken": 1}} | answered({"action": "accept"})}
    before = json.dumps(message)
    digest_call(message, {}, KEY)
    assert json.dumps(message) == before


def test_number_of_a_message_does_not_matter_and_all_else_of_it_does():
    assert digest_message(id="7", jsonrpc="3.0") == digest_message()
    others = [digest_message(), digest_message(urgent=True), digest_message(headers={"a": "1"}), digest_message(a="1")]
    others += [digest_message(params=None), digest_message(params={}), digest_message(headers={"a": "2"})]
    assert len(set(others)) == len(others)


def test_headers_are_compared_in_any_order():
    one, two = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    assert digest_message(headers=one) == digest_message(headers=two)


def test_as_deep_as_the_parser_reads_is_digested():
    deep: Any = 1
    for _ in range(250):
        deep = [deep]
    assert digest(arguments={"a": deep}) != digest(arguments={"a": deep[0]})


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def freeze(value):
    """Spell a value so that only equal ones of the same types are equal."""
    if isinstance(value, dict):
        return ("object", frozenset((key, freeze(each)) for key, each in value.items()))
    if isinstance(value, list):
        return ("list", tuple(map(freeze, value)))
    return (type(value).__name__, repr(value))


@given(VALUES, VALUES)
def test_digests_are_equal_exactly_if_the_arguments_are(one, other):
    is_same = freeze(one) == freeze(other)
    assert (digest(arguments={"a": one}) == digest(arguments={"a": other})) is is_same
