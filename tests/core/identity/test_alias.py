"""Other names of a token's subject."""

import pytest

from agen_authz.core.identity.alias import list_aliases, read_aliases
from agen_authz.core.identity.claim import ClaimReader
from tests import builders as build

PATHS = build.provider().claims


@pytest.mark.parametrize(
    ("claims", "names"),
    [
        ({"sub": "S-1", "email": "Ann@Acme.Example", "email_verified": False}, {"s-1", "ann@acme.example"}),
        ({"sub": "s", "oid": "o", "uid": "u", "preferred_username": "p", "upn": "n"}, {"s", "o", "u", "p", "n"}),
        ({"sub": "s", "oid": "", "uid": 1000, "upn": ["n"], "preferred_username": None}, {"s"}),
        ({}, set()),
    ],
    ids=["case and an e-mail that is not verified", "all", "unreadable", "none"],
)
def test_aliases_are_all_names_that_can_be_read(claims, names):
    assert list_aliases(ClaimReader(claims), PATHS) == names


def test_aliases_of_a_caller_are_read_from_the_token():
    token = build.sign(build.claims(sub="s-1", oid="O-1"))
    assert read_aliases(f"Bearer {token}", PATHS) >= {"s-1", "o-1"}


@pytest.mark.parametrize("credential", ["Basic x", "Bearer a.b", "Bearer e30.x.e30"])
def test_token_that_cannot_be_read_was_not_verified(credential):
    with pytest.raises(TypeError):
        read_aliases(credential, PATHS)
