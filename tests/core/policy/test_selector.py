import pytest

from agen_authz.core.policy.selector import index_selectors

CASES = {
    "plain": ("crm/get", ["crm/get"], ["crm/get_x", "crm/ge", "crm/GET", ""]),
    "star at the end": ("crm/get_*", ["crm/get_", "crm/get_x"], ["crm/get_x/y", "crm/put", "crm/get"]),
    "star at the start": ("*/get", ["crm/get", "/get"], ["crm/x/get", "get"]),
    "star in the middle": ("crm/*_x", ["crm/_x", "crm/a_x", "crm/a_x_x"], ["crm/a_xy", "crm/a/_x"]),
    "two stars apart": ("*/delete_*", ["crm/delete_a"], ["crm/x/delete_a", "crm/delete"]),
    "star alone": ("*", ["", "crm"], ["crm/get"]),
    "any rest": ("crm/**", ["crm/", "crm/a/b"], ["crm", "x/crm/"]),
    "any in the middle": ("crm/**/x", ["crm/a/b/x", "crm//x"], ["crm/x", "crm/a/y"]),
    "any, then star": ("a***", ["a", "a/b"], ["b"]),
    "any, then star, then more": ("a***b", ["ab", "a/b", "axbxb"], ["b", "a/c"]),
    "scheme": ("crm/customer://**", ["crm/customer://a/b?c#d"], ["crm/customer:/a", "crm/vault://customer://"]),
    "full stop is no pattern": ("crm/a.c", ["crm/a.c"], ["crm/abc"]),
    "brackets are no pattern": ("crm/[ab]*", ["crm/[ab]x"], ["crm/a"]),
    "line end": ("crm/*", ["crm/a\nb"], []),
    "empty": ("", [""], ["a"]),
}


@pytest.mark.parametrize("name", CASES)
def test_selector_matches(name):
    selector, matching, others = CASES[name]
    index = index_selectors([(selector, 1)])
    assert [index.find(each) for each in (*matching, *others)] == [[1]] * len(matching) + [[]] * len(others)


def test_every_selector_that_matches_is_found_once_in_its_order():
    selectors = ["crm/get", "crm/*", "**", "crm/get", "*/g*t", "crm/g**", "crm/*", "x"]
    index = index_selectors((selector, number) for number, selector in enumerate(selectors))
    assert sorted(index.find("crm/get")) == [0, 1, 2, 3, 4, 5, 6]


def test_index_without_selectors_finds_nothing():
    assert index_selectors([]).find("crm/get") == []
