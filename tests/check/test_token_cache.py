"""What is kept of a verified token, and what is asked again on every call."""

import json
import tracemalloc

import pytest

from agen_authz.core.identity.token import VerifiedToken
from agen_authz.core.model import Revoked
from agen_authz.token_cache import TokenCache, Vouched, weigh
from agen_authz.wire.identity import render_principal
from tests import builders as build
from tests.builders import NOW, claims, sign
from tests.check.rig import Rig
from tests.fakes import MemoryKeys


class CountingKeys(MemoryKeys):
    """Keys that count how often the provider had to be asked."""

    fetched = 0

    async def fetch_key(self, provider, kid, algorithm):
        self.fetched += 1
        return await super().fetch_key(provider, kid, algorithm)


def after_a_good_call(**changes):
    rig = Rig(keys=CountingKeys.holding(idp=[build.public_key(build.ec_key())], other=[]), **changes)
    token = sign(claims())
    assert rig.post(build.message(), token).is_allowed
    return rig, token


def test_removed_key_ends_a_kept_token():
    rig, token = after_a_good_call()
    rig.keys.hold("idp")
    assert rig.post(build.message(), token).reason == "token_key_unknown"


def test_removed_and_returned_key_verifies_again():
    rig, token = after_a_good_call()
    kept = rig.keys.published["idp"]
    rig.keys.hold("idp")
    rig.post(build.message(), token)
    rig.keys.hold("idp", *kept)
    assert rig.post(build.message(), token).is_allowed


def test_key_replaced_under_the_same_kid_ends_a_kept_token():
    rig, token = after_a_good_call()
    rig.keys.hold("idp", build.public_key(build.ec_key("new")))
    assert rig.post(build.message(), token).reason == "token_signature"


def test_kept_token_expires():
    rig, token = after_a_good_call()
    rig.clock.advance(330)
    assert rig.post(build.message(), token).reason == "token_expired"


def test_kept_token_becomes_too_old():
    provider = build.provider(max_token_age_s=60.0)
    rig, token = after_a_good_call(resources=(build.resource(providers={build.ISSUER: provider}),))
    rig.clock.advance(81)
    assert rig.post(build.message(), token).reason == "token_too_old"


def test_kept_token_is_not_believed_at_a_resource_of_another_provider():
    rig, token = after_a_good_call()
    raw = build.check_request(build.headers_for(token), build.encode(build.message()), path="/billing/mcp")
    assert rig.check(raw).reason == "token_issuer"


def test_kept_token_is_checked_for_its_audience_at_another_resource_of_its_provider():
    provider = build.provider()
    resources = (build.resource(providers={build.ISSUER: provider}), build.billing(providers={build.ISSUER: provider}))
    rig, token = after_a_good_call(resources=resources)
    raw = build.check_request(build.headers_for(token), build.encode(build.message()), path="/billing/mcp")
    assert (rig.check(raw).reason, rig.keys.fetched) == ("token_audience", 0)


def test_two_spellings_of_one_token_are_two_tokens():
    rig, token = after_a_good_call()
    assert rig.post(build.message(), token + "=").reason == "token_malformed"


def test_refused_token_is_not_kept():
    rig = Rig(keys=CountingKeys.holding(idp=[build.public_key(build.ec_key())]))
    token = sign(claims(), key=build.ec_key("stranger"))
    assert [rig.post(build.message(), token).reason for _ in range(2)] == ["token_signature"] * 2


def test_revocation_ends_a_kept_token():
    rig, token = after_a_good_call()
    revoking = Rig(keys=rig.keys, tokens=rig.tokens, resources=rig.resources, revoked=Revoked(jti=frozenset({"t1"})))
    assert revoking.post(build.message(), token).reason == "token_revoked"


def test_cache_is_bounded():
    rig = Rig(tokens=TokenCache(2, 64 << 20))
    for number in range(5):
        assert rig.post(build.message(), sign(claims(jti=f"t{number}"))).is_allowed
    assert len(rig.tokens) == 2


def test_provider_is_not_asked_for_the_key_of_a_token_that_it_could_not_sign():
    rig = Rig(keys=CountingKeys.holding(idp=[build.public_key(build.ec_key())]))
    for algorithm in ("none", "HS256", "PS512"):
        header = build.encode({"alg": algorithm, "kid": "k9", "typ": "at+jwt"})
        token = build.sign_raw(header, build.encode(claims()), build.ec_key(), "ES256")
        assert rig.post(build.message(), token).reason == "token_algorithm"
    assert rig.keys.fetched == 0


# ---- how much is remembered ------------------------------------------------------------------------------


def vouched(number: int = 0, **changes) -> Vouched:
    principal = build.principal(token_id=f"t{number}", **changes)
    token = VerifiedToken(principal, build.KID, "at+jwt", frozenset({build.CRM_URL}), None)
    key = build.public_key(build.ec_key())
    return Vouched(build.provider(), key, "ES256", token, render_principal(principal))


def digest_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


def fill(cache: TokenCache, count: int, now: float = NOW, **changes) -> list[int]:
    """Add entries, and say which of them are still there."""
    for number in range(count):
        cache.keep(digest_of(number), vouched(number, **changes), now)
    return [number for number in range(count) if cache.find(digest_of(number)) is not None]


def test_cache_is_bounded_in_bytes_and_the_oldest_leave_first():
    each = weigh(vouched())
    cache = TokenCache(100, each * 3)
    assert (fill(cache, 5), cache.held_bytes) == ([2, 3, 4], each * 3)


def test_large_entries_take_more_of_the_bytes():
    groups = tuple(f"00000000-0000-4000-8000-{number:012}" for number in range(200))
    claims_of_groups = {"groups": list(groups), "nested": [[[[]]] * 100]}
    small, large = weigh(vouched(claims=None)), weigh(vouched(groups=groups, claims=claims_of_groups))
    assert (weigh(vouched(groups=groups, claims=None)) > small + 200 * 36, large > small + 2 * 200 * 36) == (True, True)


def test_weight_of_an_entry_is_at_least_the_memory_that_it_takes():
    text = json.dumps({"groups": [f"group-{number}" for number in range(200)], "deep": [[[{}]]] * 50})
    tracemalloc.start()
    try:
        cache, before = TokenCache(1000, 64 << 20), tracemalloc.get_traced_memory()[0]
        for number in range(50):
            held = json.loads(text)
            cache.keep(digest_of(number), vouched(number, groups=tuple(held["groups"]), claims=held), NOW)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # The keys and providers, of which this test makes one for each entry, are not the entry's.
    assert cache.held_bytes * 1.1 > taken > cache.held_bytes / 4


def test_entry_that_alone_is_too_large_is_not_remembered():
    cache = TokenCache(100, weigh(vouched()) - 1)
    assert (fill(cache, 3), cache.held_bytes) == ([], 0)


def test_expired_entries_leave_when_one_is_added():
    cache = TokenCache(100, 64 << 20)
    fill(cache, 3, expires=NOW + 10)
    cache.keep(digest_of(9), vouched(9, expires=NOW + 100), NOW + 39)
    assert len(cache) == 4
    cache.keep(digest_of(10), vouched(10, expires=NOW + 100), NOW + 40)
    assert ([number for number in range(11) if cache.find(digest_of(number))], len(cache)) == ([9, 10], 2)


def test_entry_that_has_expired_is_not_remembered():
    assert fill(TokenCache(100, 64 << 20), 1, expires=NOW - 30) == []


def test_entry_that_is_added_again_is_weighed_once():
    cache = TokenCache(100, 64 << 20)
    for _ in range(3):
        fill(cache, 1)
    assert (len(cache), cache.held_bytes) == (1, weigh(vouched()))


def test_forgotten_entry_gives_its_bytes_back():
    cache = TokenCache(100, 64 << 20)
    fill(cache, 2)
    for _ in range(2):
        cache.forget(digest_of(0))
    assert (len(cache), cache.held_bytes) == (1, weigh(vouched()))


def test_queue_of_ends_does_not_grow_beyond_what_is_remembered():
    cache = TokenCache(4, 64 << 20)
    fill(cache, 500)
    assert len(cache._ends) <= 2 * len(cache) + 65


@pytest.mark.parametrize("keeps_claims", [True, False])
def test_claims_are_remembered_only_where_a_condition_reads_them(keeps_claims):
    rig = Rig(keeps_claims=keeps_claims)
    assert rig.post(build.message()).is_allowed
    entries = [entry for entry, _ in rig.tokens._entries.values()]
    held = [(entry.token.principal.claims, entry.rendered.principal.claims) for entry in entries]
    assert held == [(claims(), claims()) if keeps_claims else (None, None)]
