"""What operators see of tools: states, differences, and what a pin chooses."""

import json

import pytest

from agen_authz.core.model import Json
from agen_authz.core.pinning.change import Kind
from agen_authz.core.pinning.definition import define_instructions, digest_definition
from agen_authz.core.pinning.pin import Changed, KeptTool, New, Pinned, Reworded
from agen_authz.core.pinning.record import Listing
from agen_authz.operating.pin import choose, choose_approved, is_name, render_choices, render_choices_json
from agen_authz.operating.tool_diff import compare, find_nearest, list_lines, render_diff, render_diff_json
from agen_authz.operating.tools import NoTool, render_list, render_list_json, select, view_tools
from tests.builders import NOW
from tests.core.pinning.rig import kept, kept_tool, tool

CHANGED = tool(description="See\u200b https://evil.example\x1b[2J", inputSchema={"type": "object"})
OTHER = tool("other", title=None, annotations=None, inputSchema={"type": "object"})


def view(*tools):
    return view_tools(Listing(1, tools))


def only(*tools):
    (made,) = view(*tools)
    return made


def changed():
    return only(kept_tool(kept(tool()), kept(CHANGED, NOW + 1, by=None)))


@pytest.mark.parametrize(
    ("definitions", "state", "kinds", "needs_pin"),
    [
        ([kept(tool())], Pinned(), (), False),
        ([kept(OTHER, by=None)], New(), (Kind.NEW,), True),
        (
            [kept(tool()), kept(tool(title="Kunde"), by=None)],
            Reworded(digest_definition(tool())), (Kind.WORDING,), False,
        ),
        (
            [kept(tool()), kept(CHANGED, by=None)],
            Changed((Kind.WORDING, Kind.SCHEMA, Kind.URL, Kind.HIDDEN_TEXT), digest_definition(tool())),
            (Kind.WORDING, Kind.SCHEMA, Kind.URL, Kind.HIDDEN_TEXT), True,
        ),
        ([kept(CHANGED)], Pinned(), (Kind.HIDDEN_TEXT,), False),
        ([kept(define_instructions("You must."), by=None)], New(), (Kind.NEW,), True),
    ],
)  # fmt: skip
def test_tool_is_seen_with_its_state_and_kinds(definitions, state, kinds, needs_pin):
    seen = only(kept_tool(*definitions))
    assert (seen.drift.state, seen.drift.kinds, seen.needs_pin) == (state, kinds, needs_pin)


def test_definition_that_is_not_kept_is_seen_as_such():
    gone = digest_definition(CHANGED)
    after = only(KeptTool("crm", "get_customer", gone, NOW, (kept(tool()),)))
    assert (after.drift.state, after.drift.kinds) == (Changed((Kind.FORGOTTEN,), None), (Kind.FORGOTTEN,))
    fresh = only(KeptTool("crm", "get_customer", gone, NOW, (kept(tool(), by=None),)))
    assert (fresh.drift.state, fresh.drift.kinds) == (New(), (Kind.NEW, Kind.TOO_LONG))
    assert render_diff(after, None).endswith("it is too long, or was pushed out, and is not kept")


def test_renamed_tool_is_seen_if_the_one_before_is_not_listed_any_longer():
    old, new = kept_tool(kept(tool())), kept_tool(kept(tool("fetch"), NOW + 60, by=None))
    assert Kind.RENAMED in view(old, new)[1].drift.kinds
    still = KeptTool("crm", "get_customer", old.last_digest, NOW + 60, old.definitions)
    assert Kind.RENAMED not in view(still, new)[1].drift.kinds


def test_list_is_one_line_a_tool_and_what_was_noticed_below():
    twin = kept_tool(kept(tool("0ther", title=None, annotations=None), by=None), server="billing")
    shown = render_list(view(twin, kept_tool(kept(OTHER))))
    first, second = twin.last_digest[:12], digest_definition(OTHER)[:12]
    assert shown.split("\n") == [
        "TOOL           STATE     DIGEST        FIRST SEEN            LAST SEEN             KINDS",
        f"billing/0ther  new       {first}  2027-01-15T08:00:00Z  2027-01-15T08:00:00Z  new, look_alike",
        "    looks like crm/other: 0ther",
        f"crm/other      pinned    {second}  2027-01-15T08:00:00Z  2027-01-15T08:00:00Z",
    ]
    assert render_list([]) == "no tool was seen yet"


def test_list_as_json_says_all():
    (row,) = json.loads(render_list_json([changed()]))["tools"]
    assert row == {
        "server": "crm", "tool": "get_customer", "state": "changed", "digest": digest_definition(CHANGED),
        "first_seen": "2027-01-15T08:00:01Z", "last_seen": "2027-01-15T08:00:01Z",
        "kinds": ["wording", "schema", "url", "hidden_text"], "former_name": "", "looks_like": [],
        "hidden": [
            {
                "path": "/description",
                "shown": "See<U+200B ZERO WIDTH SPACE> https://evil.example<U+001B CONTROL>[2J",
            }
        ],
        "approved": [{"digest": digest_definition(tool()), "at": "2027-01-15T08:00:00Z", "by": "ann"}],
    }  # fmt: skip


def test_diff_shows_each_line_that_differs_with_hidden_characters_spelt_out():
    seen = kept(tool(description="See\u200b\x1b[2J\nall", title=None), NOW + 1, by=None)
    shown = render_diff(only(kept_tool(kept(tool()), seen)), seen)
    assert shown.split("\n")[3:] == [
        "  hidden text at /description: See<U+200B ZERO WIDTH SPACE><U+001B CONTROL>[2J<U+000A CONTROL>all",
        '  - /description: "Returns one customer."',
        "  + /description: | See<U+200B ZERO WIDTH SPACE><U+001B CONTROL>[2J",
        "  + /description: | all",
        '  - /title: "Customer"',
    ]


def test_nothing_that_a_terminal_obeys_is_shown():
    odd = tool(description="a\nb\x1bc\nd") | {"x\x1b[2J": "\x9b2J\u202e", "y": ["\x07", {"\u200b": "\r\n\x1b"}]}
    seen = only(kept_tool(kept(odd, by="\x1bann")))
    for shown in (render_diff(seen, seen.tool.last), render_diff_json([seen]), render_list([seen])):
        assert shown.replace("\n", "").isprintable() and "\u202e" not in shown


def test_lines_of_a_definition_have_a_place_each():
    value: Json = {"b": [1.5, {"c/~": "x\ny"}], "a": {}, "d": [], "e": None}
    assert list(list_lines(value)) == [
        "/a: {}", "/b/0: 1.5", "/b/1/c~1~0: | x", "/b/1/c~1~0: | y", "/d: []", "/e: null",
    ]  # fmt: skip


def test_comparison_shows_only_what_differs():
    assert compare({"a": 1, "b": 2}, {"a": 1, "b": 3}) == ["- /b: 2", "+ /b: 3"]
    assert compare(None, {"a": 1}) == ["+ /a: 1"]
    assert compare({"a": 1}, {"a": 1}) == []
    assert compare({"--": 1, "@@": 1}, {}) == ["- /--: 1", "- /@@: 1", "+ : {}"]


def test_comparison_of_many_lines_shows_those_of_one_side_only():
    old: dict[str, Json] = {str(number): number for number in range(1500)}
    new: dict[str, Json] = {str(number): number for number in range(1, 1501)}
    assert compare(old, new) == ["- /0: 0", "+ /1500: 1500"]


def test_lines_in_another_order_are_shown_however_many_lines_there_are():
    rest: Json = {f"k{at}": at for at in range(2500)}
    old: dict[str, Json] = {"description": "Do not\ndelete", "rest": rest}
    assert compare(old, {**old, "description": "delete\nDo not"}) == [
        "+ /description: | delete",
        "- /description: | delete",
    ]


def test_every_line_of_a_place_is_shown_if_too_many_differ():
    old, new = ("\n".join(map(str, range(start, start + 1500))) for start in (0, 1))
    shown = compare({"description": old}, {"description": new})
    assert (len(shown), shown[0], shown[-1]) == (3000, "- /description: | 0", "+ /description: | 1500")


def test_diff_compares_with_the_nearest_approved_definition():
    far, near = kept(OTHER | {"name": "get_customer"}, NOW + 5), kept(tool())
    seen = only(kept_tool(far, near, kept(tool(title="Kunde"), NOW + 9, by=None)))
    assert find_nearest(seen) == near


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (None, ["billing/pay", "crm/(instructions)", "crm/get_customer"]),
        ("crm", ["crm/(instructions)", "crm/get_customer"]),
        ("crm/get_customer", ["crm/get_customer"]),
        ("crm/(instructions)", ["crm/(instructions)"]),
    ],
)
def test_selection_by_server_tool_or_nothing(target, names):
    views = view(
        kept_tool(kept(tool("pay")), server="billing"),
        kept_tool(kept(define_instructions("x"))),
        kept_tool(kept(tool())),
    )
    assert [each.spelling for each in select(views, target)] == names


@pytest.mark.parametrize(("target", "word"), [("nope", "known tools: crm"), ("crm/nope", "no tool `nope`"), ("", "``")])
def test_selection_of_what_is_not_known_says_what_is(target, word):
    with pytest.raises(NoTool, match=word):
        select(view(kept_tool(kept(tool()))), target)


def server():
    return view(
        kept_tool(kept(tool()), kept(CHANGED, NOW + 1, by=None)),
        kept_tool(kept(OTHER, by=None)),
        kept_tool(kept(tool("not callable", inputSchema={}), by=None)),
        kept_tool(kept(tool("pinned", inputSchema={}))),
    )


@pytest.mark.parametrize(("also_changed", "names"), [(False, ["crm/other"]), (True, ["crm/get_customer", "crm/other"])])
def test_name_of_a_server_chooses_new_tools_and_changed_ones_if_asked(also_changed, names):
    chosen = choose(server(), None, is_server=True, changed=also_changed)
    assert [each.view.spelling for each in chosen] == names


def test_name_of_a_tool_chooses_the_last_definition_or_the_one_of_a_digest():
    seen = changed()
    (last,) = choose([seen], None, is_server=False, changed=False)
    assert (last.kept.definition, last.deceives) == (CHANGED, True)
    assert choose([seen], digest_definition(tool())[:8], is_server=False, changed=False) == []
    assert choose_approved([seen], None) == choose_approved([seen], digest_definition(tool()))
    assert choose_approved([seen], digest_definition(CHANGED)) == []


def test_older_definition_is_judged_by_its_own_text():
    seen = only(kept_tool(kept(tool(), by=None), kept(CHANGED, NOW + 1, by=None)))
    (older,) = choose([seen], digest_definition(tool()), is_server=False, changed=False)
    assert not older.deceives


@pytest.mark.parametrize(
    ("seen", "digest", "word"),
    [
        (changed(), "1234", "too short"),
        (changed(), "0" * 64, "no definitions"),
        (only(kept_tool(kept(tool("not callable"), by=None))), None, "is not a name that a call can have"),
        (
            only(KeptTool("crm", "x", digest_definition(CHANGED), NOW, (kept(tool()),))),
            None,
            "too long or was pushed out",
        ),
    ],
)
def test_what_cannot_be_chosen_says_why(seen, digest, word):
    with pytest.raises(NoTool, match=word):
        choose([seen], digest, is_server=False, changed=False)


def test_what_was_chosen_is_shown_with_what_became_of_it():
    (chosen,) = choose([changed()], None, is_server=False, changed=False)
    assert render_choices([chosen], ["pinned"]).endswith("\n  pinned")
    assert render_choices([], []) == "nothing to do"
    (row,) = json.loads(render_choices_json([chosen], ["pinned"]))["tools"]
    assert (row["outcome"], row["chosen_digest"], len(row["diff"]) > 3) == ("pinned", digest_definition(CHANGED), True)


@pytest.mark.parametrize(
    ("text", "good"),
    [("ann", True), ("Ann \u00c4 <a@b.c>", True), ("", False), (" ann", False), ("a\nb", False), ("a" * 257, False),
     ("a\u200bb", False), ("a\ufe0fb", False)],
)  # fmt: skip
def test_name_of_who_did_it_is_printable(text, good):
    assert is_name(text) is good
