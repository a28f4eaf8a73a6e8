"""Saved lists are read, and a tool is taken to write unless everything says that it does not."""

import pytest

from agen_authz.authoring.catalog import CatalogEntry, read_catalog, words_of
from agen_authz.core.model import Target, TargetKind
from tests.authoring.rig import TOOLS, save, tool

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
