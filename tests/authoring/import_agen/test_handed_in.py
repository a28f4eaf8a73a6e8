"""Lists of tools as they are exported, and documents that are changed anywhere."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agen_authz.authoring.import_agen.load import find_unloadable
from agen_authz.authoring.import_agen.tool import Tool, read_tools
from tests.authoring.import_agen.written import (
    BIG,
    CURL,
    IN_EU,
    VALUES,
    A,
    group,
    imported,
    policy,
    resource,
    state,
    tools,
)

LISTS = {
    "a list": [{"id": "t1", "name": "refund", "appId": "shop"}],
    "a page": {"items": [{"id": "t1", "name": "refund", "appId": "shop"}], "_metadata": {"totalPages": 1}},
    "tools": {"tools": [{"id": "t1", "name": "refund", "appId": "shop"}]},
    "a resource of Terraform": state(resource("agenco_tool", id="t1", name="refund", application_id="shop")),
    "a data source of Terraform": state(
        resource("agenco_tools", tools=[{"id": "t1", "name": "refund", "application_id": "shop"}])
    ),
}


@pytest.mark.parametrize("document", LISTS.values(), ids=LISTS)
def test_tools_are_read_by_their_ids(document):
    assert read_tools(document) == {"t1": Tool("refund", "shop")}


@pytest.mark.parametrize("document", [[], {}, [{"name": "refund"}], "x", {"tools": [{"id": 1, "name": "a"}]}], ids=repr)
def test_what_holds_no_tools_with_ids_is_refused(document):
    with pytest.raises(ValueError, match="holds no tools"):
        read_tools(document)


WHOLE: Any = {"items": [policy(tools("t1"), group(IN_EU, group(BIG, CURL)))]}
STATE: Any = state(resource(A, **VALUES))
WORDS = st.sampled_from(["tool-id", "in_list", "or", "t1"])
KEYS = st.sampled_from(["conditions", "op"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, member in inner for place in places(member, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


DOCUMENTS = st.sampled_from([(document, path) for document in (WHOLE, STATE) for path in places(document)])


@settings(deadline=None)
@given(DOCUMENTS, JSON)
def test_any_part_replaced_gives_policies_that_load_or_errors(place, new):
    document, path = place
    result = imported(replaced(document, path, new))
    assert all(error.isprintable() for error in result.errors)
    assert not result.policies or find_unloadable(list(result.policies)) == [""] * len(result.policies)
