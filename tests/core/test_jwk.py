import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from agen_authz.core.errors import Malformed
from agen_authz.core.jwk import parse_jwks
from agen_authz.core.reason import Reason
from tests import builders as build

RSA = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


def algorithms(*members):
    keys = parse_jwks(build.jwks(*members))
    assert not isinstance(keys, Malformed)
    return {kid: set(key.algorithms) for kid, key in keys.items()}


KEYS = {
    "RSA": (lambda: build.jwk(build.rsa_key()), RSA),
    "RSA for one algorithm": (lambda: build.jwk(build.rsa_key(), alg="PS256"), {"PS256"}),
    "P-256": (lambda: build.jwk(build.ec_key()), {"ES256"}),
    "P-384": (lambda: build.jwk(build.ec_key("e", "P-384")), {"ES384"}),
    "P-521": (lambda: build.jwk(build.ec_key("e", "P-521")), {"ES512"}),
    "Ed25519": (lambda: build.jwk(build.ed_key()), {"EdDSA"}),
    "for signatures": (lambda: build.jwk(build.ec_key(), use="sig", key_ops=["verify"]), {"ES256"}),
    "private part ignored": (lambda: build.jwk(build.ec_key(), d="AAAA"), {"ES256"}),
    "certificate links ignored": (lambda: build.jwk(build.ec_key(), x5u="https://evil", x5c=["x"]), {"ES256"}),
}
UNUSABLE = {
    "for encryption": lambda: build.jwk(build.ec_key(), use="enc"),
    "operations of another kind": lambda: build.jwk(build.ec_key(), key_ops=["deriveKey"]),
    "operations a string": lambda: build.jwk(build.ec_key(), key_ops="verify"),
    "no kid": lambda: {name: value for name, value in build.jwk(build.ec_key()).items() if name != "kid"},
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


def test_two_keys_with_one_kid_refuse_the_set():
    twins = build.jwks(build.jwk(build.ec_key()), build.jwk(build.ec_key("other")))
    assert parse_jwks(twins) == Malformed(Reason.JSON_DUPLICATE_KEY, "two keys with one `kid`")


def test_empty_set_holds_no_key():
    assert parse_jwks(b'{"keys":[]}') == {}


def test_thumbprint_tells_keys_of_one_kid_apart():
    prints = [build.public_key(build.ec_key(name)).thumbprint for name in ("a", "a", "b")]
    assert (prints[0] == prints[1], prints[0] == prints[2]) == (True, False)
