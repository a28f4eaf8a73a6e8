"""Who holds what, and what a selector names."""

import pytest

from agen_authz.authoring.reach import list_holders, names_target, spell_holder
from agen_authz.core.model import Target, TargetKind
from tests.authoring.rig import POLICIES, RULES, draft
from tests.config.test_mistakes import GOOD


def test_holders_are_the_least_that_satisfies_each_rule(tmp_path):
    holders = list_holders(draft(tmp_path, GOOD + RULES + POLICIES))
    assert holders == [(), ("analyst",), ("enrolled", "finance"), ("support",)]
    assert [spell_holder(each) for each in holders[::2]] == ["anybody with a token", "enrolled + finance"]


@pytest.mark.parametrize("name", ["docs://hr/a/", "docs://hr", "docs:hr", "docs:/HR?x"])
def test_policy_names_what_some_backend_opens_alike(name):
    named = [(TargetKind.RESOURCE, "crm/docs://hr/**")]
    target = Target(TargetKind.RESOURCE, "crm", name)
    assert names_target(named, target, folds=True)
    assert not names_target(named, Target(TargetKind.RESOURCE, "crm", "docs://hr2"), folds=True)
