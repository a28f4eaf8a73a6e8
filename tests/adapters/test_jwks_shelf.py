"""What is remembered of one provider's keys is bounded, whatever the provider publishes."""

from agen_authz.adapters.jwks import ProviderKeys
from agen_authz.adapters.jwks.shelf import KeyShelf
from agen_authz.core.identity.jwk import KeySet
from tests import builders as build

SETTINGS = ProviderKeys("idp", build.ISSUER, None, False, refresh_s=600, keep_stale_s=3600, cooldown_s=30, timeout_s=1)
KEY = build.public_key(build.ec_key())
ROUNDS = 1100


def test_provider_that_withdraws_a_key_with_each_answer_is_remembered_by_its_last_thousand():
    shelf = KeyShelf(SETTINGS)
    for number in range(ROUNDS):
        shelf.put(KeySet({(f"k{number}", "ES256"): KEY}), 0.0)
    withdrawn = [shelf.is_absent((f"k{number}", "ES256"), 1.0) for number in range(ROUNDS)]
    # The last one is published.
    assert withdrawn == [False] * (ROUNDS - 1001) + [True] * 1000 + [False]


def test_keys_that_are_too_old_are_none_and_their_age_is_still_told():
    shelf = KeyShelf(SETTINGS)
    seen = [shelf.measure(5.0)]
    shelf.put(KeySet({("k1", "ES256"): KEY}), 10.0)
    seen += [shelf.measure(15.0), shelf.measure(10.0 + 600 + 3600 + 1)]
    assert seen == [(None, 4200, 0), (5.0, 4200, 1), (4201.0, 4200, 0)]
