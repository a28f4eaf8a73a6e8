from dataclasses import replace
from typing import Any

import pytest

from agen_authz.core.model import Challenge
from agen_authz.core.policy.stepup import Demand, challenge, is_satisfied
from tests import builders as build

NOW, LEEWAY = 1000.0, 30.0
STRONG = replace(build.principal(), acr="urn:mfa", amr=("pwd", "hwk"), auth_time=900.0, scopes=("a", "b"))
CASES: dict[str, Any] = {
    "nothing asked": (Demand(), {}, True),
    "acr": (Demand(acr=("urn:other", "urn:mfa")), {}, True),
    "other acr": (Demand(acr=("urn:other",)), {}, False),
    "no acr": (Demand(acr=("urn:mfa",)), {"acr": ""}, False),
    "amr": (Demand(amr=("hwk", "otp")), {}, True),
    "other amr": (Demand(amr=("otp",)), {}, False),
    "no amr": (Demand(amr=("otp",)), {"amr": ()}, False),
    "fresh": (Demand(max_age_s=100.0), {}, True),
    "within the leeway": (Demand(max_age_s=70.0), {}, True),
    "stale": (Demand(max_age_s=69.0), {}, False),
    "nobody says when": (Demand(max_age_s=100.0), {"auth_time": None}, False),
    "a little in the future": (Demand(max_age_s=100.0), {"auth_time": 1030.0}, True),
    "in the future": (Demand(max_age_s=100.0), {"auth_time": 1031.0}, False),
    "scope": (Demand(scope="a"), {}, True),
    "other scope": (Demand(scope="c"), {}, False),
    "everything": (Demand(("urn:mfa",), ("hwk",), 100.0, "b"), {}, True),
    "everything but the age": (Demand(("urn:mfa",), ("hwk",), 10.0, "b"), {}, False),
    "everything but the scope": (Demand(("urn:mfa",), ("hwk",), 100.0, "c"), {}, False),
}


@pytest.mark.parametrize("name", CASES)
def test_only_the_token_itself_meets_a_demand(name):
    demand, changes, expected = CASES[name]
    assert is_satisfied(demand, replace(STRONG, **changes), now=NOW, leeway_s=LEEWAY) == expected


CHALLENGES: dict[str, Any] = {
    "scope that is missing": ([(Demand(scope="c"), None)], Challenge(True, ("c",))),
    "scope that is asked for by another word": (
        [(Demand(scope="c", request_as="api://x/c"), None), (Demand(scope="a", request_as="api://x/a"), None)],
        Challenge(True, ("api://x/c", "api://x/a")),
    ),
    "scope that is held by another word": (
        [(Demand(scope="a", request_as="c"), None)],
        Challenge(False, ("c",)),
    ),
    "scope that is held": ([(Demand(scope="a", acr=("x",)), None)], Challenge(False, ("a",), ("x",))),
    "all in one": (
        [(Demand(scope="c", max_age_s=90.5), "first"), (Demand(scope="d", max_age_s=60.0, acr=("x",)), "second")],
        Challenge(True, ("c", "d"), ("x",), 60, "first"),
    ),
    "an acr that meets both": (
        [(Demand(acr=("x", "y")), None), (Demand(acr=("z", "y")), None)],
        Challenge(False, (), ("y",)),
    ),
    "no acr that meets both": ([(Demand(acr=("x",)), None), (Demand(acr=("y",)), None)], Challenge(False, (), ("x",))),
    "amr alone": ([(Demand(amr=("hwk",)), None)], Challenge(False, ())),
}


@pytest.mark.parametrize("name", CHALLENGES)
def test_everything_that_is_needed_is_in_one_challenge(name):
    demands, expected = CHALLENGES[name]
    assert challenge(demands, STRONG) == expected
