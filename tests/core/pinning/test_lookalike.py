"""Names that are taken for another tool's."""

import pytest

from agen_authz.core.pinning.confusable import fold_look
from agen_authz.core.pinning.lookalike import (
    LookAlike,
    Named,
    find_lookalikes,
    index_names,
    list_titles,
    skeleton_of,
)
from tests.core.pinning.rig import tool


@pytest.mark.parametrize(
    ("text", "look"),
    [
        ("Get", "get"),
        ("g\u0435t_\u0441ust\u043emer", "get_customer"),
        ("\u0410\u0412\u0421", "abc"),
        ("\u0406gnore", "ignore"),
        ("\uff47\uff45\uff54", "get"),
        ("\U0001d420\U0001d41e\U0001d42d", "get"),
        ("g\u00e9t", "get"),
        ("ge\u0301t", "get"),
        ("g\u200bet", "get"),
        ("get\u2010x", "get-x"),
        ("\u00c4\u00df\u4e2d", "ass\u4e2d"),
    ],
)
def test_text_is_folded_to_what_it_looks_like(text, look):
    assert fold_look(text) == look


@pytest.mark.parametrize(
    "name",
    [
        "get-customer", "get.customer", "getCustomer", "GET_CUSTOMER", "get__customer", "get/customer", "get:customer",
        "g\u0435t_customer", "get_cu\u0455tomer", "get_custorner",
    ],
)  # fmt: skip
def test_name_that_looks_like_another_has_its_skeleton(name):
    assert skeleton_of(name) == skeleton_of("get_customer")


@pytest.mark.parametrize(
    ("one", "other"),
    [("list_bills", "1ist_biIls"), ("pay0ut", "payout"), ("vvrite", "write"), ("lookup", "l00kup"), ("a|b", "alb")],
)
def test_letters_and_digits_that_look_alike_have_one_skeleton(one, other):
    assert skeleton_of(one) == skeleton_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("get_customer", "get_customers"), ("get_customer", "set_customer"), ("list_a", "list_b"), ("get_1", "get_2")],
)
def test_names_that_do_not_look_alike_have_two_skeletons(one, other):
    assert skeleton_of(one) != skeleton_of(other)


def find(server, definition, *others):
    return find_lookalikes(server, definition, index_names(others))


BILLING = Named("billing", "get_invoice", ("Invoice",))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("get-invoice", LookAlike("get-invoice", "billing", "get_invoice", False)),
        ("get_inv\u043eice", LookAlike("get_inv\u043eice", "billing", "get_invoice", False)),
        ("get\u200b_invoice", LookAlike("get<U+200B ZERO WIDTH SPACE>_invoice", "billing", "get_invoice", False)),
        ("get_invoice", LookAlike("get_invoice", "billing", "get_invoice", True)),
    ],
)
def test_name_like_that_of_another_servers_tool_is_found(name, expected):
    assert find("crm", tool(name), BILLING) == (expected,)


def test_name_like_that_of_another_tool_of_the_same_server_is_found():
    other = Named("crm", "get_invoice")
    assert find("crm", tool("getInvoice"), other) == (LookAlike("getInvoice", "crm", "get_invoice", False),)


def test_tool_does_not_look_like_itself():
    assert find("billing", tool("get_invoice", title="Invoice"), BILLING) == ()


def test_title_that_deceives_is_found():
    expected = (LookAlike("Inv\u043eice", "billing", "get_invoice", False),)
    assert find("crm", tool("x", title="Inv\u043eice"), BILLING) == expected
    assert find("crm", tool("x", annotations={"title": "Inv\u043eice"}, title=None), BILLING) == expected


@pytest.mark.parametrize("title", ["Invoice", "invoice", "Get invoice", "Something"])
def test_title_that_says_the_same_is_not(title):
    assert find("crm", tool("x", title=title), BILLING) == ()


def test_name_that_looks_like_a_title_is_found():
    expected = (LookAlike("Invoice", "billing", "get_invoice", False),)
    assert find("crm", tool("Invoice", title=None, annotations=None), BILLING) == expected


def test_definition_without_a_name_looks_like_nothing():
    assert find("crm", {"instructions": "get_invoice"}, BILLING) == ()


def test_number_of_findings_is_bounded_and_each_tool_is_named_once():
    others = [Named(f"s{number}", "get_invoice", ("get_invoice",)) for number in range(9)]
    found = find("crm", tool("get-invoice", title=None), *others)
    assert [each.server for each in found] == ["s0", "s1", "s2", "s3", "s4"]


def test_search_ends_with_the_last_finding_that_is_shown():
    looked: list[int] = []

    def others():
        for number in range(100):
            looked.append(number)
            yield Named(f"s{number}", "get_invoice"), "get_invoice"

    class Names(list[tuple[Named, str]]):
        def __iter__(self):
            return others()

    index = {skeleton_of("get_invoice"): Names()}
    assert len(find_lookalikes("crm", tool("get-invoice", title=None), index)) == len(looked) == 5


@pytest.mark.parametrize(
    ("definition", "titles"),
    [
        (tool(title="A", annotations={"title": "B"}), ("A", "B")),
        (tool(title="A", annotations={"title": "A"}), ("A",)),
        (tool(title=1, annotations=[]), ()),
        (tool(title="", annotations={}), ()),
        ([], ()),
    ],
)
def test_titles_of_a_definition(definition, titles):
    assert list_titles(definition) == titles
