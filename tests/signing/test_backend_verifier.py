"""`agen_authz.verify` does what the vectors ask of any verifier."""

import pytest

from agen_authz.verify import NotVerified
from tests.signing.ours import identity_of, verifier_of, verify
from tests.signing.vectors import ACCEPTED, REFUSED, load

GOOD, BAD = load(ACCEPTED), load(REFUSED)


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector.name)
def test_what_is_to_be_accepted_tells_who_called(vector):
    assert verify(verifier_of(vector), vector) == identity_of(vector)


@pytest.mark.parametrize("vector", BAD, ids=lambda vector: vector.name)
def test_what_is_to_be_refused_is_refused_by_its_check(vector):
    verifier = verifier_of(vector)
    if vector.is_second:
        verify(verifier, vector)
    with pytest.raises(NotVerified) as refused:
        verify(verifier, vector)
    assert refused.value.check.value in vector.refused
