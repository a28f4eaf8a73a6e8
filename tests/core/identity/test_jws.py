"""A token's header and signature, and how little of an unverified token is looked at."""

import json
from typing import Any

import pytest

from agen_authz.core.errors import Rejected
from agen_authz.core.identity.jws import UnverifiedToken, describe_unverified, guess_issuers, read_claims, read_token
from agen_authz.core.model import RawToken
from agen_authz.core.reason import Reason
from tests import builders as build

SIGNATURE = build.b64(b"s" * 64)
HEADER = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}


def token_of(header: Any = None, claims: str = "e30", signature: str = SIGNATURE) -> str:
    written = header if isinstance(header, bytes) else json.dumps(header or HEADER).encode()
    return f"{build.b64(written)}.{claims}.{signature}"


def unverified(claims: bytes | str) -> UnverifiedToken:
    encoded = claims if isinstance(claims, str) else build.b64(claims)
    return UnverifiedToken("k1", "ES256", "at+jwt", encoded, b"", b"")


MALFORMED = {
    "too long": ("a" * 16385, "longer than 16384 characters"),
    "two parts": ("e30.e30", "2 parts between dots, not 3"),
    "four parts": ("e30.e30.e30.e30", "4 parts between dots, not 3"),
    "header that is not base64url": ("e+0.e30.e30", "the header is not canonical base64url of at most 4096 characters"),
    "long header": (
        token_of({**HEADER, "x5c": ["A" * 4000]}), "the header is not canonical base64url of at most 4096 characters",
    ),
    "header of many values": (token_of({**HEADER, "x": [0] * 64}), "the header has more than 64 values"),
    "header that is nested": (
        token_of({**HEADER, "x": [[[[]]]]}), "the header is not strict JSON: json_depth",
    ),
    "header with a key twice": (
        token_of(b'{"alg":"ES256","alg":"none"}'), "the header is not strict JSON: json_duplicate_key",
    ),
    "header that is a list": (token_of(b"[]"), "the header is not a JSON object"),
    "algorithm that is a number": (token_of({**HEADER, "alg": 1}), "`alg` or `typ` in the header is not a string"),
    "type that is a list": (token_of({**HEADER, "typ": []}), "`alg` or `typ` in the header is not a string"),
    "no signature": (token_of(signature=""), "the signature is not canonical base64url"),
    "long signature": (token_of(signature="A" * 2052), "the signature is not canonical base64url"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_token_is_refused_and_the_cause_is_named(name):
    raw, detail = MALFORMED[name]
    assert read_token(RawToken(raw)) == Rejected(Reason.TOKEN_MALFORMED, detail)


@pytest.mark.parametrize("claims", ["", "+", "A", "e30=", build.b64(b"[" * 9000), build.b64(b"\xff")])
def test_claims_are_not_looked_at_before_a_key_vouches_for_them(claims):
    token = read_token(RawToken(token_of(claims=claims)))
    assert isinstance(token, UnverifiedToken) and token.encoded_claims == claims


@pytest.mark.parametrize(("changes", "named"), [({"crit": ["b64"]}, "crit"), ({"b64": False}, "b64")])
def test_header_that_changes_how_the_token_is_read_is_refused_and_named(changes, named):
    refused = read_token(RawToken(token_of({**HEADER, **changes})))
    assert refused == Rejected(Reason.TOKEN_CRITICAL_HEADER, f"`{named}` is in the header")


CLAIMS: dict[str, tuple[bytes | str, str]] = {
    "no base64url": ("+", "the claims are not canonical base64url"),
    "empty": ("", "the claims are not canonical base64url"),
    "no JSON": (b"{", "the claims are not strict JSON: json_syntax"),
    "a key twice": (b'{"sub":"a","su\\u0062":"b"}', "the claims are not strict JSON: json_duplicate_key"),
    "nested": (b'{"a":' + b"[" * 17 + b"]" * 17 + b"}", "the claims are not strict JSON: json_depth"),
    "a list": (b"[]", "the claims are not a JSON object"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_are_read_strictly(name):
    claims, detail = CLAIMS[name]
    assert read_claims(unverified(claims)) == Rejected(Reason.TOKEN_MALFORMED, detail)


@pytest.mark.parametrize("kid", ["", 1, None, ["k1"]], ids=["empty", "number", "null", "list"])
def test_kid_that_is_there_is_a_string_that_is_not_empty(kid):
    refused = read_token(RawToken(token_of({**HEADER, "kid": kid})))
    assert refused == Rejected(Reason.TOKEN_KEY_UNKNOWN, "`kid` in the header is empty or not a string")


def test_token_without_a_kid_is_read():
    token = read_token(RawToken(token_of({"alg": "ES256"})))
    assert isinstance(token, UnverifiedToken) and (token.kid, token.type) == ("", "absent")


GUESSES: dict[str, tuple[bytes | str, tuple[str, ...]]] = {
    "plain": (b'{"iss":"https://a.example"}', ("https://a.example",)),
    "spaced": (b'{ "iss" : "a" }', ("a",)),
    "escaped solidus": (b'{"iss":"https:\\/\\/a.example"}', ("https://a.example",)),
    "nested first": (b'{"act":{"iss":"b"},"iss":"a"}', ("b", "a")),
    "four at most": (b"[" + b'{"iss":"a"},' * 9 + b"]", ("a",) * 4),
    "number": (b'{"iss":1}', ()),
    "no claims": (b"{}", ()),
    "endless": (b'{"iss":"' + b"a" * 600, ()),
    "bad escape": (b'{"iss":"\\x"}', ()),
    "not UTF-8": (b'{"iss":"\xff"}', ()),
    "lone surrogate": (b'{"iss":"\\ud800"}', ("\ud800",)),
    "one character": ("A", ()),
    "not base64": ("é.", ()),
}


@pytest.mark.parametrize("name", GUESSES)
def test_unverified_issuer_is_guessed_from_the_text(name):
    claims, issuers = GUESSES[name]
    assert guess_issuers(unverified(claims)) == issuers


def test_what_is_shown_of_an_unverified_token_is_marked_escaped_and_bounded():
    token = UnverifiedToken("k\n" + "x" * 200, "ES`", "at+jwt", build.b64(b'{"iss":"a\\u009b"}'), b"", b"")
    shown = describe_unverified(token, guess_issuers(token))
    assert shown == f"unverified kid `k\\u{{a}}{'x' * 98}…`, alg `ES\\u{{60}}`, iss `a\\u{{9b}}`"
