"""A document is written again with what was put into it; the rest of it is the document's own."""

from base64 import b64decode
from typing import Any

import pytest

from agen_authz.core.masking.node import DocumentNode, DocumentSpot, NodeKind, Table


def root(value: Any, kind: NodeKind = NodeKind.OBJECT) -> DocumentNode:
    return DocumentNode(None, "", value, kind)


def test_document_without_an_edit_is_the_given_one():
    value = {"a": {"b": 1}}
    node = root(value)
    DocumentNode(node, "a", value["a"], NodeKind.OBJECT)
    assert node.write() is value


def test_edit_changes_a_copy_and_keeps_what_is_next_to_it():
    value = {"a": {"b": 1, "c": [1]}, "d": [2]}
    node = root(value)
    inner = DocumentNode(node, "a", value["a"], NodeKind.OBJECT)
    inner.edit("b", "x")
    inner.edit("b", "y")
    written = node.write()
    assert (written, value) == ({"a": {"b": "y", "c": [1]}, "d": [2]}, {"a": {"b": 1, "c": [1]}, "d": [2]})
    assert written["d"] is value["d"]


def test_member_of_a_list_is_edited_at_its_place():
    node = root([1, 2, 3], NodeKind.LIST)
    node.edit(1, "x")
    assert node.write() == [1, "x", 3]


def test_value_that_is_alone_is_written_alone():
    node = root(["x"], NodeKind.ALONE)
    node.edit(0, "y")
    assert (node.write(), DocumentSpot(node, 0).list_steps()) == ("y", [])


@pytest.mark.parametrize("kind", [NodeKind.NESTED, NodeKind.BLOB])
def test_parts_of_a_text_become_one_text(kind: NodeKind) -> None:
    node = root({"a": "-"})
    inner = DocumentNode(node, "a", ["x ", {"b": 1}], kind)
    DocumentNode(inner, 1, {"b": 1}, NodeKind.OBJECT).edit("b", 2)
    written = node.write()["a"]
    assert (b64decode(written).decode() if kind is NodeKind.BLOB else written) == 'x {"b":2}'


@pytest.mark.parametrize(
    ("renames", "written"),
    [
        ({"a": "[X]"}, {"[X]": 1, "b": 2, "[X] 2": 3}),
        ({"a": "[X]", "b": "[X]"}, {"[X]": 1, "[X] 2": 2, "[X] 2 2": 3}),
        ({"a": "[X]", "b": "[X]", "[X] 2": "[X]"}, {"[X]": 1, "[X] 2": 2, "[X] 3": 3}),
        ({"b": "a"}, {"a": 1, "a 2": 2, "[X] 2": 3}),
        ({"a": "b"}, {"b": 1, "b 2": 2, "[X] 2": 3}),
    ],
    ids=["one", "two", "all", "taken before", "taken behind"],
)
def test_name_that_is_taken_has_a_number(renames: dict[str, str], written: dict[str, int]) -> None:
    node = root({"a": 1, "b": 2, "[X] 2": 3})
    for name, other in renames.items():
        DocumentSpot(node, name, is_name=True).put(other, drops=False)
    assert node.write() == written


def test_renamed_member_of_an_inner_object_is_written():
    node = root({"a": {"b": 1}})
    inner = DocumentNode(node, "a", {"b": 1}, NodeKind.OBJECT)
    inner.rename("b", "c")
    inner.rename("b", "d")
    assert node.write() == {"a": {"d": 1}}


def test_edited_member_that_is_renamed_keeps_its_edit():
    node = root({"a": 1})
    node.rename("a", "[X]")
    node.edit("a", "y")
    assert node.write() == {"[X]": "y"}


# ---- what is put -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("may_drop", "text", "drops", "written"),
    [
        (True, "", True, {"b": 1}),
        (True, "x", True, {"a": "x", "b": 1}),
        (True, "", False, {"a": "", "b": 1}),
        (False, "", True, {"a": "", "b": 1}),
    ],
    ids=["dropped", "a part dropped", "empty", "the protocol's"],
)
def test_member_is_dropped_if_nothing_is_left_and_it_may_be(
    may_drop: bool, text: str, drops: bool, written: dict[str, object]
) -> None:
    node = DocumentNode(None, "", {"a": "secret", "b": 1}, NodeKind.OBJECT, may_drop=may_drop)
    DocumentSpot(node, "a").put(text, drops=drops)
    assert node.write() == written


def test_what_is_below_a_node_may_be_dropped_like_it():
    node = DocumentNode(None, "", {"a": {"b": 1}}, NodeKind.OBJECT, may_drop=True)
    DocumentSpot(DocumentNode(node, "a", {"b": 1}, NodeKind.OBJECT), "b").put("", drops=True)
    assert node.write() == {"a": {}}


def test_element_of_a_list_is_empty_where_it_was_dropped():
    node = DocumentNode(None, "", ["secret", "b"], NodeKind.LIST, may_drop=True)
    DocumentSpot(node, 0).put("", drops=True)
    assert node.write() == ["", "b"]


@pytest.mark.parametrize(
    ("value", "key", "written"),
    [
        ({"uri": "a", "blob": "AA=="}, "blob", {"uri": "a", "text": "[X]"}),
        ({"type": "image", "data": "AA==", "mimeType": "image/png"}, "data", {"type": "text", "text": "[X]"}),
        ({"type": "other", "data": "AA=="}, "data", {"type": "other", "data": "[X]"}),
        ({"note": "{}"}, "note", {"note": "[X]"}),
    ],
    ids=["blob", "image", "other content", "text"],
)
def test_what_is_withheld_whole_leaves_content_of_its_kind(value: Any, key: str, written: Any) -> None:
    node = root(value)
    DocumentSpot(node, key).put_whole("[X]")
    assert node.write() == written


# ---- places ----------------------------------------------------------------------------------------------------


def test_steps_lead_through_texts_as_if_their_documents_were_there():
    node = root({"a": ["-"]})
    listed = DocumentNode(node, "a", ["-"], NodeKind.LIST)
    nested = DocumentNode(listed, 0, ["x ", {"b": [1]}], NodeKind.NESTED)
    inner = DocumentNode(DocumentNode(nested, 1, {"b": [1]}, NodeKind.OBJECT), "b", [1], NodeKind.LIST)
    assert DocumentSpot(inner, 0).list_steps() == ["a", 0, "b", 0]
    assert DocumentSpot(nested, 0).list_steps() == ["a", 0]


def test_depth_is_that_of_the_parent_unless_it_is_given():
    nested = DocumentNode(root({}), "a", [], NodeKind.NESTED, depth=1)
    assert (root({}).depth, nested.depth, DocumentNode(nested, 0, {}, NodeKind.OBJECT).depth) == (0, 1, 1)


def test_row_of_a_table_is_one_node():
    rows = [{"a": 1}, {"a": 2}]
    node = root({"x": rows})
    table = Table(DocumentNode(node, "x", rows, NodeKind.LIST), rows)
    table.node(1).edit("a", "y")
    assert table.node(1) is table.node(1)
    assert node.write() == {"x": [{"a": 1}, {"a": "y"}]}
