"""The compiled index and table say what a naive reading of the rules says."""

import re

from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.model import Target, TargetKind
from agen_authz.core.policy.access import AccessRule, Basis, Granted, NotGranted, Unmapped, compile_access
from agen_authz.core.policy.selector import index_selectors
from tests import builders as build
from tests.examples import examples

SELECTORS = st.lists(st.sampled_from(["a", "b", "/", "*", "**", "ab", "\n"]), max_size=6).map("".join)
NAMES = st.text(alphabet="ab/\n*", max_size=8)


def matches(selector: str, name: str) -> bool:
    """Read a selector as its contract says: `*` within one part, `**` any rest."""
    pieces = {"**": "(?s:.*)", "*": "[^/]*"}
    pattern = "".join(pieces.get(piece, re.escape(piece)) for piece in re.findall(r"\*\*|\*|[^*]", selector))
    return re.fullmatch(pattern, name) is not None


@given(st.lists(SELECTORS, max_size=8), NAMES)
@examples(3)
def test_selector_index_finds_what_a_regular_expression_finds(selectors, name):
    index = index_selectors((selector, number) for number, selector in enumerate(selectors))
    expected = [number for number, selector in enumerate(selectors) if matches(selector, name)]
    assert sorted(index.find(name)) == expected


KEYS = st.frozensets(st.sampled_from(["r1", "r2", "r3"]), max_size=3)
KINDS = st.sampled_from(list(TargetKind))
RULES = st.lists(
    st.builds(
        AccessRule,
        st.sampled_from(["one", "two", "three"]),
        st.lists(st.tuples(KINDS, st.sampled_from(["crm/*", "crm/a*", "crm/ab", "*/ab", "crm/**", "x/**"])), max_size=3)
        .map(tuple),
        KEYS,
        st.booleans(),
    ),
    max_size=6,
)  # fmt: skip


def is_satisfied(rule: AccessRule, held: frozenset[str]) -> bool:
    if not rule.keys:
        return False
    return rule.keys <= held if rule.needs_all else not rule.keys.isdisjoint(held)


@given(RULES, KEYS, KINDS, st.sampled_from(["a", "ab", "a/b", "b", "AB"]), st.sampled_from(list(Basis)))
@examples(3)
def test_access_table_decides_as_the_rules_one_by_one(rules, held, kind, name, basis):
    verdict = compile_access(basis, rules).check(
        build.principal(**{"roles": (), "permissions": (), basis.value: tuple(held)}), Target(kind, "crm", name)
    )
    naming = [
        rule
        for rule in rules
        if any(each == kind and matches(selector, f"crm/{name}") for each, selector in rule.selectors)
    ]
    satisfied = {rule.name for rule in naming if is_satisfied(rule, held)}
    if satisfied:
        assert isinstance(verdict, Granted) and verdict.rule in satisfied
    else:
        assert verdict == (NotGranted() if naming else Unmapped())


def test_keys_of_the_other_basis_never_count():
    rule = AccessRule("r", ((TargetKind.TOOL, "crm/*"),), frozenset({"admin"}))
    caller = build.principal(roles=("admin",), permissions=())
    assert compile_access(Basis.PERMISSIONS, [rule]).check(caller, build.tool()) == NotGranted()
