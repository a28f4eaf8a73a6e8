"""What is kept of a verified token, and what is asked again on every call."""

from agen_authz.core.model import Revoked
from agen_authz.token_cache import TokenCache
from tests import builders as build
from tests.builders import NOW, claims, sign
from tests.wire.rig import Rig


class CountingKeys:
    """Published keys that count how often somebody had to ask the provider."""

    def __init__(self) -> None:
        self.keys = {("idp", build.KID): build.public_key(build.ec_key())}
        self.fetched = 0

    def find_key(self, provider, kid, algorithm):
        key = self.keys.get((provider, kid))
        return key if key is not None and algorithm in key.algorithms else None

    async def fetch_key(self, provider, kid, algorithm):
        self.fetched += 1
        return self.find_key(provider, kid, algorithm)


def after_a_good_call(**changes):
    rig = Rig(keys=CountingKeys(), **changes)
    token = sign(claims())
    assert rig.post(build.message(), token).is_allowed
    return rig, token


def test_removed_key_ends_a_kept_token():
    rig, token = after_a_good_call()
    rig.keys.keys.clear()
    assert rig.post(build.message(), token).reason == "token_key_unknown"


def test_removed_and_returned_key_is_verified_with_anew():
    rig, token = after_a_good_call()
    kept = dict(rig.keys.keys)
    rig.keys.keys.clear()
    rig.post(build.message(), token)
    rig.keys.keys.update(kept)
    assert rig.post(build.message(), token).is_allowed


def test_key_replaced_under_the_same_kid_ends_a_kept_token():
    rig, token = after_a_good_call()
    rig.keys.keys["idp", build.KID] = build.public_key(build.ec_key("new"))
    assert rig.post(build.message(), token).reason == "token_signature"


def test_kept_token_expires():
    rig, token = after_a_good_call()
    rig.clock.time = NOW + 330
    assert rig.post(build.message(), token).reason == "token_expired"


def test_kept_token_becomes_too_old():
    provider = build.provider(max_token_age_s=60.0)
    rig, token = after_a_good_call(resources=(build.resource(providers={build.ISSUER: provider}),))
    rig.clock.time = NOW + 81
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
    rig = Rig(keys=CountingKeys())
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
    rig = Rig(keys=CountingKeys())
    for algorithm in ("none", "HS256", "PS512"):
        header = build.encode({"alg": algorithm, "kid": "k9", "typ": "at+jwt"})
        token = build.sign_raw(header, build.encode(claims()), build.ec_key(), "ES256")
        assert rig.post(build.message(), token).reason == "token_algorithm"
    assert rig.keys.fetched == 0
