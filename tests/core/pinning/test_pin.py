"""The state of a tool, and what it means in each mode."""

import pytest

from agen_authz.core.model import Json
from agen_authz.core.pinning.catalogue import UNREAD, sight
from agen_authz.core.pinning.change import Kind
from agen_authz.core.pinning.definition import MAX_DEFINITION_BYTES, define_instructions, digest_definition
from agen_authz.core.pinning.drift import Drift, describe_drift, survey
from agen_authz.core.pinning.hidden import HiddenText
from agen_authz.core.pinning.lookalike import LookAlike
from agen_authz.core.pinning.pin import Changed, Kept, New, Pinned, Pinning, Reworded, judge, name_state, refuse
from agen_authz.core.reason import Reason
from tests.builders import NOW
from tests.core.pinning.rig import SCHEMA, catalogue, kept, kept_tool, tool

REWORDED, RETYPED = tool(description="Returns a customer."), tool(inputSchema={"type": "object"})
DIGEST = digest_definition(tool())
OFF, OBSERVE, ENFORCE = Pinning.OFF, Pinning.OBSERVE, Pinning.ENFORCE


def judged(seen, *approved):
    return judge(digest_definition(seen), seen, tuple(map(kept, approved)))


@pytest.mark.parametrize(
    ("seen", "approved", "state"),
    [
        (tool(), (), New()),
        (tool(), (tool(),), Pinned()),
        (tool(), (RETYPED, tool()), Pinned()),
        (REWORDED, (tool(),), Reworded(DIGEST)),
        (RETYPED, (tool(),), Changed((Kind.SCHEMA,), DIGEST)),
        (tool(description="x", icons=[]), (tool(),), Changed((Kind.WORDING, Kind.OTHER), DIGEST)),
        # The nearest of several.
        (REWORDED, (RETYPED, tool()), Reworded(DIGEST)),
        (tool(icons=[]), (RETYPED, tool()), Changed((Kind.OTHER,), DIGEST)),
    ],
)
def test_state_of_a_definition(seen, approved, state):
    assert judged(seen, *approved) == state


def test_definition_that_is_not_known_is_pinned_by_its_digest_or_changed():
    approved = (kept(tool()),)
    assert judge(DIGEST, None, approved) == Pinned()
    assert judge(digest_definition(REWORDED), None, approved) == Changed((Kind.FORGOTTEN,), None)


def test_approved_definition_that_is_not_kept_cannot_be_compared_with():
    approved = (Kept(DIGEST, NOW, NOW, None, NOW, "ann"),)
    assert judge(digest_definition(REWORDED), REWORDED, approved) == Changed((Kind.FORGOTTEN,), None)


def test_difference_that_no_kind_explains_is_more_than_wording():
    # Such a digest would be another program's.
    approved = (Kept(digest_definition(RETYPED), NOW, NOW, tool(), NOW, "ann"),)
    assert judge(DIGEST, tool(), approved) == Changed((Kind.OTHER,), digest_definition(RETYPED))


@pytest.mark.parametrize(
    ("state", "word", "reason"),
    [
        (Pinned(), "pinned", None),
        (Reworded(DIGEST), "reworded", None),
        (Changed((Kind.URL,), DIGEST), "changed", Reason.TOOL_CHANGED),
        (New(), "new", Reason.TOOL_UNPINNED),
    ],
)
def test_what_each_state_means_in_each_mode(state, word, reason):
    assert name_state(state) == word
    assert [refuse(state, mode) for mode in Pinning] == [None, None, reason]


def test_calls_of_a_tool_are_decided_by_the_definition_that_was_seen_last():
    first, second, worded = kept(tool()), kept(RETYPED, by=None), kept(REWORDED, by=None)
    for last, reason in ((first, None), (second, Reason.TOOL_CHANGED), (worded, None)):
        known = catalogue(kept_tool(first, second, worded, last=last))
        assert known.refuse_call("crm", "get_customer", ENFORCE) is reason
    fresh = catalogue(kept_tool(second))
    assert fresh.refuse_call("crm", "get_customer", ENFORCE) is Reason.TOOL_UNPINNED


def test_last_definition_that_is_kept_no_longer_denies():
    known = catalogue(kept_tool(kept(tool()), last=kept(RETYPED)))
    assert known.refuse_call("crm", "get_customer", ENFORCE) is Reason.TOOL_CHANGED


@pytest.mark.parametrize(("server", "name"), [("crm", "other"), ("billing", "get_customer"), ("crm", "")])
def test_tool_that_was_never_seen_is_denied_in_enforce(server, name):
    known = catalogue(kept_tool(kept(tool())))
    denied = [known.refuse_call(server, name, mode) for mode in Pinning]
    assert denied == [None, None, Reason.TOOL_UNPINNED]


def test_catalogue_that_was_never_read_refuses_everything_in_enforce_and_nothing_else():
    unavailable = [None, None, Reason.STORE_UNAVAILABLE]
    assert [UNREAD.refuse_call("crm", "get_customer", mode) for mode in Pinning] == unavailable
    assert [UNREAD.refuse_listed("crm", tool(), mode) for mode in Pinning] == unavailable
    assert [UNREAD.refuse_instructions("crm", "x", mode) for mode in Pinning] == unavailable


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        (tool(), None),
        (REWORDED, None),
        (RETYPED, Reason.TOOL_CHANGED),
        (tool("other"), Reason.TOOL_UNPINNED),
        ({"name": 1}, Reason.TOOL_UNPINNED),
        ("get_customer", Reason.TOOL_UNPINNED),
    ],
)
def test_definition_in_a_list_is_shown_or_hidden_by_itself(definition, reason):
    known = catalogue(kept_tool(kept(tool()), kept(RETYPED, by=None)))
    assert [known.refuse_listed("crm", definition, mode) for mode in Pinning] == [None, None, reason]


def test_instructions_are_shown_once_they_are_approved():
    known = catalogue(kept_tool(kept(define_instructions("Be brief."))))
    assert known.refuse_instructions("crm", "Be brief.", ENFORCE) is None
    assert known.refuse_instructions("crm", "Be rude.", ENFORCE) is Reason.TOOL_CHANGED
    assert known.refuse_instructions("billing", "Be brief.", ENFORCE) is Reason.TOOL_UNPINNED


def test_approved_definitions_are_found_with_their_parts_the_last_seen_first():
    newer = kept(tool(description="x", annotations=None, inputSchema=True), NOW + 1)
    entry = catalogue(kept_tool(kept(tool()), newer, kept(RETYPED, by=None))).find("crm", "get_customer")
    assert entry is not None
    assert [(each.input_schema, each.annotations) for each in entry.approved] == [
        ({}, {}),
        (SCHEMA, {"readOnlyHint": True, "title": "Customer"}),
    ]


def test_definition_that_is_too_long_is_sighted_without_its_text():
    long = sight(tool(description="x" * MAX_DEFINITION_BYTES))
    assert long is not None and long.text is None
    known = catalogue(kept_tool(kept(tool())))
    assert known.refuse_listed("crm", long.definition, ENFORCE) is Reason.TOOL_CHANGED
    assert sight({}) is None


def drift(definition, known, *others, server="crm"):
    seen = sight(definition)
    listed = [each for one in (definition, *others) if (each := sight(one)) is not None]
    assert seen is not None
    return describe_drift(known, server, seen, survey(known, server, listed), {each.name for each in listed})


def test_new_definition_is_described_by_all_that_can_be_noticed():
    known = catalogue(kept_tool(kept(tool())), kept_tool(kept(tool("pay", title="P\u0430y")), server="billing"))
    described = drift(tool("p\u0430y", title=None, annotations=None, description="You must\u200b pay."), known)
    assert described == Drift(
        "crm",
        "?p\u0430y",
        digest_definition(tool("p\u0430y", title=None, annotations=None, description="You must\u200b pay.")),
        New(),
        (Kind.NEW, Kind.INSTRUCTION, Kind.HIDDEN_TEXT, Kind.RENAMED, Kind.LOOK_ALIKE),
        "get_customer",
        (LookAlike("p\u0430y", "billing", "pay", False),),
        (HiddenText("/description", "You must<U+200B ZERO WIDTH SPACE> pay."),),
    )


@pytest.mark.parametrize(
    ("definition", "kinds"),
    [
        (tool(), ()),
        (REWORDED, (Kind.WORDING,)),
        (RETYPED, (Kind.SCHEMA,)),
        (tool(description="x" * MAX_DEFINITION_BYTES), (Kind.TOO_LONG,)),
    ],
)
def test_changed_definition_is_described_by_its_changes(definition, kinds):
    assert drift(definition, catalogue(kept_tool(kept(tool())))).kinds == kinds


def test_tools_of_one_list_and_of_another_server_are_compared():
    pay = tool("pay", inputSchema={}, title=None, annotations=None)
    nothing = catalogue()
    assert drift(pay, nothing, {**pay, "name": "p-ay"}, {"instructions": "x"}).kinds == (Kind.NEW, Kind.LOOK_ALIKE)
    elsewhere = catalogue(kept_tool(kept(pay), server="billing"))
    assert drift(pay, elsewhere).kinds == (Kind.NEW, Kind.TWIN)


def test_definition_that_is_nested_as_deep_as_json_may_be_is_judged_and_described():
    deep: Json = 1
    other: Json = 2
    for _ in range(123):
        deep, other = {"items": [deep]}, {"items": [other]}
    seen, known = tool(inputSchema=deep), catalogue(kept_tool(kept(tool(inputSchema=other))))
    assert known.refuse_listed("crm", seen, ENFORCE) is Reason.TOOL_CHANGED
    assert drift(seen, known).kinds == (Kind.SCHEMA,)


def test_list_of_many_definitions_that_look_alike_is_described_in_one_walk():
    listed = [
        seen for number in range(300) if (seen := sight(tool("a" + "_" * (number % 100) + "-" * (number // 100))))
    ]
    nothing = catalogue()
    around, names = survey(nothing, "crm", listed), {each.name for each in listed}
    described = [describe_drift(nothing, "crm", each, around, names) for each in listed]
    assert {(each.kinds, len(each.lookalikes)) for each in described} == {((Kind.NEW, Kind.LOOK_ALIKE), 5)}
