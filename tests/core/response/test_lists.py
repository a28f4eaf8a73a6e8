"""What a list shows: found by structure, in every kind of list, and what no call could name is left out."""

from typing import Any

import pytest

from agen_authz.core.model import Target, TargetKind
from agen_authz.core.reason import Reason
from agen_authz.core.response.lists import MAX_ENTRIES, filter_lists
from agen_authz.core.response.message import Passed, Withheld

LISTS: dict[str, tuple[str, TargetKind, str, str]] = {
    "tools": ("name", TargetKind.TOOL, "get_customer", "delete_customer"),
    "resources": ("uri", TargetKind.RESOURCE, "customer://1", "vault://1"),
    "resourceTemplates": ("uriTemplate", TargetKind.RESOURCE, "customer://{id}", "vault://{id}"),
    "prompts": ("name", TargetKind.PROMPT, "summarize", "purge"),
}


def shows(*names):
    return lambda target, entry: target.name in names


def answer(**result):
    return {"jsonrpc": "2.0", "id": 7, "result": result}


def result_of(filtered):
    assert isinstance(filtered, Passed)
    assert isinstance(filtered.message, dict)
    return filtered.message["result"]


@pytest.mark.parametrize("key", LISTS)
def test_entry_that_is_not_shown_is_left_out_and_the_others_stay_as_they_are(key):
    name, kind, shown, hidden = LISTS[key]
    asked = []

    def is_shown(target, entry):
        asked.append((target, entry))
        return target.name == shown

    entries: list[dict[str, Any]] = [{name: hidden, "x": 1}, {name: shown, "y": [2]}]
    kept = result_of(filter_lists(answer(**{key: entries}, nextCursor="c", invented={}), "crm", is_shown))
    assert kept == {key: [{name: shown, "y": [2]}], "nextCursor": "c", "invented": {}}
    assert asked == [(Target(kind, "crm", each[name]), each) for each in entries]


@pytest.mark.parametrize("key", LISTS)
def test_entries_that_no_call_could_name_are_left_out(key):
    name, _, shown, _ = LISTS[key]
    entries = [
        {name: shown},
        {name: 1},
        {},
        None,
        "x",
        [shown],
        {name: ""},
        {name: " " + shown},
        {name: shown + "\x07"},
    ]
    assert result_of(filter_lists(answer(**{key: entries}), "crm", lambda *_: True))[key] == [{name: shown}]


@pytest.mark.parametrize("key", LISTS)
def test_name_that_is_listed_twice_withholds_the_list(key):
    name = LISTS[key][0]
    entries = [{name: "a:b"}, {name: "c:d"}, {name: "a:b", "description": "another"}]
    withheld = filter_lists(answer(**{key: entries}), "crm", lambda *_: False)
    assert withheld == Withheld(Reason.LISTED_TWICE, f"{key}: a name is listed twice")


# Go's SDK looks away from case (GHSA-wvj2-96wp-fq3f, GHSA-q382-vc8q-7jhj), mappers of protobuf from `_` as well.
TWINS = {
    "upper case": str.upper,
    "first letter": lambda key: key[0].upper() + key[1:],
    "snake case": lambda key: "".join(f"_{char.lower()}" if char.isupper() else char for char in f"{key}_"),
    "a letter that folds": lambda key: key.replace("s", "\u017f").replace("i", "\u0130").replace("e", "\uff45"),
    "NUL at the end": lambda key: key + "\0",
}


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("key", [*LISTS, "instructions", "cacheScope"])
def test_result_with_a_key_that_some_client_takes_for_a_list_is_withheld(key, twin):
    for keys in ((twin(key),), (key, twin(key)), (twin(key), key)):
        withheld = filter_lists(answer(**{each: [] for each in keys}), "crm", lambda *_: True)
        assert isinstance(withheld, Withheld)
        assert withheld.reason is Reason.RESPONSE_UNREADABLE


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("key", LISTS)
def test_entry_with_two_keys_that_some_client_takes_for_its_name_is_left_out(key, twin):
    name, _, shown, hidden = LISTS[key]
    entries = [{name: shown, twin(name): hidden}, {name: "a:b", "größe": 1, "title": "x"}]
    kept = result_of(filter_lists(answer(**{key: entries}), "crm", shows(shown, "a:b")))[key]
    assert kept == entries[1:]


def test_list_beyond_the_bound_is_withheld_before_any_entry_is_decided_on():
    entries = [{"name": f"t{number}"} for number in range(MAX_ENTRIES + 1)]
    withheld = filter_lists(answer(tools=entries), "crm", lambda *_: pytest.fail("decided on"))
    assert isinstance(withheld, Withheld)
    assert withheld.reason is Reason.LIST_TOO_LONG


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"resultType": "complete", "cacheScope": "public", "ttlMs": 5}, {"cacheScope": "private"}),
        ({"resultType": "complete"}, {"cacheScope": "private"}),
        ({"cacheScope": "public"}, {"cacheScope": "private"}),
        ({}, {}),
    ],
)
def test_list_may_be_cached_for_this_caller_only(before, after):
    assert result_of(filter_lists(answer(tools=[], **before), "crm", shows())) == {"tools": [], **before, **after}


@pytest.mark.parametrize(
    "message",
    [
        None, [], "tools", 7, {}, {"result": None}, {"result": []}, {"result": {"tools": {}}},
        {"result": {"tools": None}},
        {"error": {"code": 1, "message": "x", "data": {"tools": [{"name": "hidden"}]}}},
        {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"},
        answer(content=[{"type": "text", "text": "x"}]),
    ],
)  # fmt: skip
def test_message_without_a_list_stays_the_same_object(message):
    passed = filter_lists(message, "crm", lambda *_: False)
    assert isinstance(passed, Passed)
    assert passed.message is message


def test_message_with_several_lists_is_filtered_in_each():
    both = answer(tools=[{"name": "a"}, {"name": "b"}], prompts=[{"name": "a"}, {"name": "b"}])
    assert result_of(filter_lists(both, "crm", shows("b"))) == {"tools": [{"name": "b"}], "prompts": [{"name": "b"}]}


@pytest.mark.parametrize(
    ("params", "passes"),
    [
        ({"uri": "customer://1"}, True), ({"uri": "vault://1"}, False), ({"uri": 7}, False), ({"uri": "x"}, False),
        (None, False), ({"uri": "customer://1", "Uri": "vault://1"}, False),
    ],
)  # fmt: skip
def test_update_of_a_resource_reaches_those_who_may_read_it(params, passes):
    message = {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": params}
    filtered = filter_lists(message, "crm", shows("customer://1", "x"))
    assert filtered == Passed(message) if passes else isinstance(filtered, Withheld)
