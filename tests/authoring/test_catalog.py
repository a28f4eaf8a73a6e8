"""Saved lists are read, and a tool is taken to write unless everything says that it does not."""

from typing import Any

import pytest

from agen_authz.authoring.catalog import CatalogEntry, add_kept, list_arguments, read_catalog, words_of
from agen_authz.core.model import Digest, Target, TargetKind
from agen_authz.core.pinning.definition import define_instructions
from agen_authz.core.pinning.pin import KeptTool
from agen_authz.core.pinning.record import Listing
from tests.authoring.rig import TOOLS, save, tool
from tests.core.pinning.rig import kept, kept_tool
from tests.core.pinning.rig import tool as define

# name: (tool, whether the server says that it only reads, writes, is sensitive)
NAMES = {
    "unknown": ("frobnicate", False, True, False),
    "reads, and nobody says so": ("get_customer", False, True, False),
    "reads": ("get_customer", True, False, False),
    "says that it reads and writes": ("update_customer", True, True, False),
    "deletes": ("delete_customer", True, True, True),
    "pays": ("refund", False, True, True),
    "configures": ("user.grant-role", True, True, True),
    "camel case": ("bulkDeleteAll", True, True, True),
    "after an acronym": ("HTTPDelete", True, True, True),
    "capitals": ("DELETE", True, True, True),
    "a verb within a word": ("get_address", True, False, False),
    "exports": ("exportRows", True, True, False),
}


@pytest.mark.parametrize(("name", "is_read_only", "writes", "is_sensitive"), NAMES.values(), ids=NAMES)
def test_name_and_hint_say_whether_a_tool_writes(name, is_read_only, writes, is_sensitive):
    known = tool(name, is_read_only=is_read_only)
    assert (known.writes, known.is_sensitive) == (writes, is_sensitive)


@pytest.mark.parametrize("kind", [TargetKind.RESOURCE, TargetKind.PROMPT])
def test_resources_and_prompts_do_not_write(kind):
    known = CatalogEntry(Target(kind, "crm", "delete"))
    assert (known.writes, known.is_sensitive) == (False, False)


def test_words_of_a_name():
    assert words_of("getHTTPStatus_2-old") == {"get", "http", "status", "2", "old"}


def test_whole_answers_and_their_results_are_read(tmp_path):
    bare, answer = save(tmp_path, TOOLS), save(tmp_path, {"jsonrpc": "2.0", "id": 1, "result": TOOLS}, "answer.json")
    expected = [
        ("crm/get_customer", TargetKind.TOOL, True),
        ("crm/update_customer", TargetKind.TOOL, False),
        ("crm/delete_customer", TargetKind.TOOL, True),
        ("crm/note://1", TargetKind.RESOURCE, False),
        ("crm/note://{id}", TargetKind.RESOURCE, False),
        ("crm/summarize", TargetKind.PROMPT, False),
    ]
    for written, servers in ((str(bare), ["crm"]), (f"crm={answer}", ["crm", "billing"])):
        read = read_catalog([written], servers)
        assert [(each.spelling, each.target.kind, each.is_read_only) for each in read] == expected


def test_several_lists_are_read_and_invalid_hints_are_ignored(tmp_path):
    entries = [
        {"name": "a", "annotations": {"readOnlyHint": "true"}},
        {"name": 5},
        "x",
        {"name": "b", "annotations": []},
    ]
    first, second = save(tmp_path, {"tools": entries}), save(tmp_path, {"prompts": [{"name": "p"}]}, "prompts.json")
    read = read_catalog([f"crm={first}", f"billing={second}"], ["crm", "billing"])
    assert [(each.spelling, each.writes) for each in read] == [("crm/a", True), ("crm/b", True), ("billing/p", False)]


# name: (what the file holds, the servers, how it is named, the message)
MISTAKES = {
    "whose": ("{}", ["crm", "billing"], "{file}", "{file}: say whose list it is, such as billing={file}"),
    "whose, of nobody": ("{}", [], "{file}", "{file}: say whose list it is, such as crm={file}"),
    "nobody's": ("{}", ["crm"], "hr={file}", "hr={file}: no resource is called `hr`"),
    "no JSON": ("{", ["crm"], "{file}", "{file}: cannot be read as JSON"),
    "no object": ("[]", ["crm"], "{file}", "{file}: holds no `tools`, `resources` or `prompts`"),
    "no list": ("{}", ["crm"], "{file}", "{file}: holds no `tools`, `resources` or `prompts`"),
    "something else beside a list": (
        '{"tools": [], "prompts": 5}', ["crm"], "{file}", "{file}: holds no `tools`, `resources` or `prompts`",
    ),
    "no such file": (None, ["crm"], "{file}", "{file}: cannot be read as JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "servers", "named", "message"), MISTAKES.values(), ids=MISTAKES)
def test_value_that_is_not_a_list_is_named(tmp_path, text, servers, named, message):
    file = tmp_path / "tools.json"
    if text is not None:
        file.write_text(text, "utf-8")
    with pytest.raises(ValueError) as caught:
        read_catalog([named.format(file=file)], servers)
    assert str(caught.value) == message.format(file=file)


@pytest.mark.parametrize("name", ["get_customer", "archive"])
def test_tool_that_its_server_calls_destructive_is_sensitive_whatever_its_name(name):
    known = CatalogEntry(Target(TargetKind.TOOL, "crm", name), is_read_only=True, is_destructive=True)
    assert known.is_sensitive


def named(*names: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {} for name in names}, **more}


# name: (an `inputSchema`, the names that it has; None if there may be others)
SCHEMAS: dict[str, tuple[Any, set[str] | None]] = {
    "properties": (named("a", "b"), {"a", "b"}),
    "no others": (named("a", additionalProperties=False), {"a"}),
    "others": (named("a", additionalProperties=True), None),
    "others of a type": (named("a", additionalProperties={"type": "string"}), None),
    "a pattern": (named("a", patternProperties={"^x": {}}), None),
    "required only": ({"type": "object", "required": ["a"]}, {"a"}),
    "in parts": (named("a", allOf=[named("b")], anyOf=[{"$ref": "#/$defs/c"}], **{"$defs": {"c": named("c")}}),
        {"a", "b", "c"}),
    "others in a part": (named("a", allOf=[named("b", additionalProperties=True)]), None),
    "nested": ({"properties": {"a": named("b")}}, {"a"}),
    "itself in an argument": ({"properties": {"a": {"$ref": "#"}}}, {"a"}),
    "nothing": ({}, set()),
    "no schema": (None, None),
    "one that cannot be used": ({"$ref": "https://example.com/x"}, None),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "names"), SCHEMAS.values(), ids=SCHEMAS)
def test_names_of_arguments_are_those_that_the_schema_has(schema, names):
    assert list_arguments(schema) == (None if names is None else frozenset(names))


def stored(*tools: KeptTool) -> Listing:
    return Listing(1, tools)


READING, WIPING = {"readOnlyHint": True}, {"readOnlyHint": False, "destructiveHint": True}


def test_tools_of_the_store_are_known_by_what_is_approved_and_what_was_listed_last():
    kept_tools = stored(
        kept_tool(kept(define("new", annotations=READING), by=None)),
        kept_tool(kept(define("fixed", annotations=READING))),
        kept_tool(kept(define("turned", annotations=READING)), kept(define("turned", annotations=WIPING), by=None)),
        kept_tool(kept(define("two", inputSchema=named("a"))), kept(define("two", inputSchema=named("b")))),
        kept_tool(kept(define("drifted", inputSchema=named("a"))), kept(define("drifted", inputSchema={}), by=None)),
    )
    known = {each.target.name: each for each in add_kept([], kept_tools, ["crm"])}
    assert {name: (each.is_read_only, each.is_destructive) for name, each in known.items()} == {
        "new": (True, False), "fixed": (True, False), "turned": (False, True), "two": (True, False),
        "drifted": (True, False),
    }  # fmt: skip
    assert known["two"].arguments == frozenset({"a", "b"}) and known["drifted"].arguments == frozenset({"a"})


def test_tools_of_the_store_come_after_saved_lists_and_only_of_servers_that_there_are():
    kept_tools = stored(
        kept_tool(kept(define("a"))),
        kept_tool(kept(define("b")), server="billing"),
        kept_tool(kept(define("c")), server="gone"),
        kept_tool(kept(define_instructions("Be kind.")), server="billing"),
        kept_tool(kept(define("no such name")), server="billing"),
    )
    known = add_kept([tool("x")], kept_tools, ["crm", "billing"])
    assert [each.spelling for each in known] == ["crm/x", "billing/b"]


def test_tool_whose_definition_is_kept_no_longer_is_known_by_its_name():
    listing = stored(KeptTool("crm", "big", Digest("0" * 64), 1.0, ()))
    assert add_kept([], listing, ["crm"]) == [CatalogEntry(Target(TargetKind.TOOL, "crm", "big"))]
