import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from agen_authz.core.errors import Malformed
from agen_authz.core.identity.jwk import Dropped, KeySet, parse_jwks
from agen_authz.core.reason import Reason
from tests import builders as build

RSA = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


def algorithms(*members):
    keys = read(*members)
    return {key.kid: set(key.algorithms) for key in keys.keys}


def read(*members):
    keys = parse_jwks(build.jwks(*members))
    assert isinstance(keys, KeySet)
    return keys


KEYS = {
    "RSA": (lambda: build.jwk(build.rsa_key()), RSA),
    "RSA for one algorithm": (lambda: build.jwk(build.rsa_key(), alg="PS256"), {"PS256"}),
    "P-256": (lambda: build.jwk(build.ec_key()), {"ES256"}),
    "P-384": (lambda: build.jwk(build.ec_key("e", "P-384")), {"ES384"}),
    "P-521": (lambda: build.jwk(build.ec_key("e", "P-521")), {"ES512"}),
    "Ed25519": (lambda: build.jwk(build.ed_key()), {"EdDSA", "Ed25519"}),
    "Ed25519 by its new name": (lambda: build.jwk(build.ed_key(), alg="Ed25519"), {"Ed25519"}),
    "Ed25519 by its old name": (lambda: build.jwk(build.ed_key(), alg="EdDSA"), {"EdDSA"}),
    "for signatures": (lambda: build.jwk(build.ec_key(), use="sig", key_ops=["verify"]), {"ES256"}),
    "private part ignored": (lambda: build.jwk(build.ec_key(), d="AAAA"), {"ES256"}),
    "certificate links ignored": (lambda: build.jwk(build.ec_key(), x5u="https://evil", x5c=["x"]), {"ES256"}),
}
UNUSABLE = {
    "for encryption": lambda: build.jwk(build.ec_key(), use="enc"),
    "operations of another kind": lambda: build.jwk(build.ec_key(), key_ops=["deriveKey"]),
    "operations a string": lambda: build.jwk(build.ec_key(), key_ops="verify"),
    "empty kid": lambda: build.jwk(build.ec_key(), kid=""),
    "kid a number": lambda: build.jwk(build.ec_key(), kid=1),
    "algorithm of another curve": lambda: build.jwk(build.ec_key(), alg="ES384"),
    "algorithm of another type": lambda: build.jwk(build.ec_key(), alg="RS256"),
    "RSA key for HS256": lambda: build.jwk(build.rsa_key(), alg="HS256"),
    "algorithm a list": lambda: build.jwk(build.ec_key(), alg=["ES256"]),
    "symmetric": lambda: {"kty": "oct", "kid": "k1", "k": "AAAA", "alg": "HS256"},
    "curve unknown": lambda: build.jwk(build.ec_key(), crv="secp256k1"),
    "curve missing": lambda: {"kty": "EC", "kid": "k1"},
    "X25519": lambda: {"kty": "OKP", "crv": "X25519", "kid": "k1", "x": build.b64(bytes(32))},
    "point not on the curve": lambda: build.jwk(build.ec_key(), x=build.b64(b"\1" * 32)),
    "coordinate missing": lambda: {name: value for name, value in build.jwk(build.ec_key()).items() if name != "y"},
    "coordinate a number": lambda: build.jwk(build.ec_key(), x=1),
    "modulus a number": lambda: build.jwk(build.rsa_key(), n=1),
    "modulus null": lambda: build.jwk(build.rsa_key(), n=None),
    "modulus not base64": lambda: build.jwk(build.rsa_key(), n="\u00e9"),
    "exponent one": lambda: build.jwk(build.rsa_key(), e="AQ"),
    "short RSA": lambda: build.jwk(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 it is refused
    "long RSA": lambda: build.jwk(build.rsa_key(), n=build.b64(b"\xff" * 1200)),
    "no object": lambda: "x",
}


@pytest.mark.parametrize("name", KEYS)
def test_key_knows_its_algorithms(name):
    make, expected = KEYS[name]
    assert algorithms(make()) == {"k1": expected}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_key_is_left_out(name):
    assert algorithms(UNUSABLE[name](), build.jwk(build.ec_key(), "good")) == {"good": {"ES256"}}


REFUSED = {
    "no JSON": (b"{", Malformed(Reason.JSON_SYNTAX)),
    "a list": (b"[]", Malformed(Reason.JSON_SYNTAX, "no `keys` array of at most 100 keys")),
    "no keys": (b"{}", Malformed(Reason.JSON_SYNTAX, "no `keys` array of at most 100 keys")),
    "keys an object": (b'{"keys":{}}', Malformed(Reason.JSON_SYNTAX, "no `keys` array of at most 100 keys")),
    "too many": (
        json.dumps({"keys": [1] * 101}).encode(),
        Malformed(Reason.JSON_SYNTAX, "no `keys` array of at most 100 keys"),
    ),
    "keys twice": (b'{"keys":[],"keys":[]}', Malformed(Reason.JSON_DUPLICATE_KEY)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_set_is_refused(name):
    raw, expected = REFUSED[name]
    assert parse_jwks(raw) == expected


def found(keys, *names):
    chosen = [keys.find(kid, algorithm) for kid, algorithm in names]
    return [None if key is None else key.verifier for key in chosen]


def test_one_key_for_two_algorithms_is_found_under_both():
    keys = read(build.jwk(build.rsa_key(), alg="RS256"), build.jwk(build.rsa_key(), alg="RS512"))
    public = build.rsa_key().public_key()
    assert found(keys, ("k1", "RS256"), ("k1", "RS512"), ("k1", "RS384")) == [public, public, None]
    assert keys.dropped == ()


def test_keys_of_two_kinds_with_one_kid_are_chosen_by_algorithm():
    keys = read(build.jwk(build.rsa_key()), build.jwk(build.ec_key()), build.jwk(build.ed_key()))
    assert found(keys, ("k1", "RS256"), ("k1", "ES256"), ("k1", "EdDSA"), ("k1", "Ed25519")) == [
        build.rsa_key().public_key(),
        build.ec_key().public_key(),
        build.ed_key().public_key(),
        build.ed_key().public_key(),
    ]


def test_the_same_key_twice_is_one_key():
    keys = read(build.jwk(build.ec_key()), build.jwk(build.ec_key(), alg="ES256"))
    assert (len(keys.keys), keys.dropped) == (1, ())
    assert found(keys, ("k1", "ES256")) == [build.ec_key().public_key()]


def test_different_keys_that_fit_one_kid_cost_that_kid_only():
    keys = read(build.jwk(build.ec_key()), build.jwk(build.ec_key("other")), build.jwk(build.ec_key(), "good"))
    assert found(keys, ("k1", "ES256"), ("good", "ES256")) == [None, build.ec_key().public_key()]
    assert keys.dropped == (Dropped("k1", "different keys with this `kid` fit ES256"),)


def test_different_keys_of_one_kid_are_used_for_what_fits_one_of_them():
    keys = read(build.jwk(build.rsa_key(), alg="RS256"), build.jwk(build.rsa_key("other")))
    other = build.rsa_key("other").public_key()
    assert found(keys, ("k1", "RS256"), ("k1", "RS512")) == [None, other]
    assert keys.dropped == (Dropped("k1", "different keys with this `kid` fit RS256"),)


def test_key_for_encryption_does_not_make_its_twin_ambiguous():
    keys = read(build.jwk(build.rsa_key(), use="enc"), build.jwk(build.rsa_key("other"), use="sig"))
    assert found(keys, ("k1", "RS256")) == [build.rsa_key("other").public_key()]
    assert keys.dropped == ()


def test_key_without_kid_is_found_without_kid():
    keys = read(build.jwk(build.ec_key(), None), build.jwk(build.ec_key("other")))
    assert found(keys, ("", "ES256"), ("k1", "ES256"), ("", "RS256")) == [
        build.ec_key().public_key(),
        build.ec_key("other").public_key(),
        None,
    ]


DROPPED = {
    "kid a number": (lambda: build.jwk(build.ec_key(), kid=1), "", "`kid` is empty or not a string"),
    "empty kid": (lambda: build.jwk(build.ec_key(), kid=""), "", "`kid` is empty or not a string"),
    "long kid": (lambda: build.jwk(build.ec_key(), kid="k" * 100, alg="no"), "k" * 64, "name no accepted algorithm"),
    "kind unknown": (lambda: build.jwk(build.ec_key(), kty="AKP"), "k1", "name no accepted algorithm"),
    "broken": (lambda: build.jwk(build.ec_key(), x=build.b64(b"\1" * 32)), "k1", "not a public key"),
    "short": (lambda: build.jwk(build.rsa_key(), n=build.b64(b"\xff" * 128)), "k1", "1024 bits, not 2048 to 8192"),
    "no object": (lambda: 7, "", "not an object"),
}


@pytest.mark.parametrize("name", DROPPED)
def test_dropped_key_is_named(name):
    make, kid, why = DROPPED[name]
    (dropped,) = read(make(), build.jwk(build.ec_key(), "good")).dropped
    assert (dropped.kid, why in dropped.why) == (kid, True)


def test_empty_set_holds_no_key():
    assert parse_jwks(b'{"keys":[]}') == KeySet()


CHANGES = {
    "the exponent": ({"e": "AQAB"}, {"e": build.b64(b"\3")}),
    "the modulus": ({"n": build.b64(b"\xff" * 256)}, {"n": build.b64(b"\xfd" * 256)}),
    "the algorithms": ({}, {"alg": "RS256"}),
    "the kid": ({"kid": "k1"}, {"kid": "k2"}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_key_that_changed_in_anything_is_another_object(name):
    first, second = (read({**build.jwk(build.rsa_key()), **changes}) for changes in CHANGES[name])
    assert second.keep_known(first).keys[0] is second.keys[0]


def test_key_on_the_other_side_of_the_curve_is_another_object():
    # The same `x` has two points, and only `y` tells them apart.
    field = 2**256 - 2**224 + 2**192 + 2**96 - 1
    numbers = build.ec_key().public_key().public_numbers()
    other = build.b64((field - numbers.y).to_bytes(32, "big"))
    first, second = read(build.jwk(build.ec_key())), read(build.jwk(build.ec_key(), y=other))
    assert second.keep_known(first).keys[0] is second.keys[0]


def test_key_whose_algorithms_were_narrowed_is_no_longer_found_for_the_others():
    wide, narrow = read(build.jwk(build.rsa_key())), read(build.jwk(build.rsa_key(), alg="RS256"))
    kept = narrow.keep_known(wide)
    assert (kept.find("k1", "RS512"), kept.find("k1", "RS256").algorithms) == (None, {"RS256"})


def test_key_that_did_not_change_stays_the_same_object():
    first, second = (read(build.jwk(build.rsa_key()), build.jwk(build.ec_key(), "e")) for _ in range(2))
    assert second.keep_known(first).keys == first.keys
