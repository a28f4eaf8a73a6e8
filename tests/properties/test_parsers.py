"""Every parser is total: any input gives a value or a refusal, never anything else."""

import json
import math
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.errors import Malformed, Rejected
from agen_authz.core.http.context import Perimeter, read_context
from agen_authz.core.identity.jwk import parse_jwks
from agen_authz.core.identity.jws import UnverifiedToken, read_bearer, read_token
from agen_authz.core.identity.token import VerifiedToken, admit_principal, verify_token
from agen_authz.core.message.jsonrpc import Message, read_message
from agen_authz.core.message.mcp import BodyLimits, parse
from agen_authz.core.message.target import is_prompt_name, is_resource_uri, is_tool_name
from agen_authz.core.model import Call, Context, Principal, RawToken, Request, Revoked
from agen_authz.core.reason import REFUSALS, Reason
from agen_authz.core.strict_json import drop_backslashes, parse_json, parse_plain, parse_strictly
from agen_authz.wire.ext_authz import read_check
from tests import builders as build
from tests.examples import examples

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
LIMITS = BodyLimits(request_bytes=10_000, json_depth=32)


def depth_of(value: Any) -> int:
    if isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max((depth_of(item) for item in inner), default=0)
    return 0


def is_strict(value: Any) -> bool:
    if isinstance(value, dict):
        return all(is_strict(key) and is_strict(item) for key, item in value.items())
    if isinstance(value, list):
        return all(is_strict(item) for item in value)
    if isinstance(value, str):
        return not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return -(2**63) <= value < 2**64
    return not isinstance(value, float) or math.isfinite(value)


SPELLINGS = (
    {"separators": (",", ":"), "ensure_ascii": False},
    {"separators": (", ", ": "), "ensure_ascii": False},
    {"separators": (", ", ": "), "ensure_ascii": True},
    {"separators": (" ,", ":"), "ensure_ascii": False},
    {"indent": 1, "ensure_ascii": False},
)
PIECES = st.sampled_from(
    ['"a"', '"a b"', '" a"', '"1 2"', '"a, "', '"a: "', '"\\u0061"', ":", ": ", ",", ", ", " ", "{", "}", "[", "]",
     "1", "1.0", "1e2", "-0", "-0.0", "0.10", "18446744073709551615", "18446744073709551616", "9007199254740993",
     "1e400", "null", "true", '"\\ud800"', '"é"', '"\\n"', '"\\/"', "5e-324", "1E5", "100.0", '"":0', "\n", "NaN"]
)  # fmt: skip


@given(JSON, st.sampled_from(SPELLINGS))
def test_whatever_is_read_plainly_is_read_strictly_as_the_same(value, spelling):
    assert_one_reading(json.dumps(value, **spelling).encode("utf-8", "surrogatepass"))


@given(st.lists(PIECES, max_size=12).map("".join) | st.lists(PIECES, max_size=8).map(lambda p: "{" + "".join(p) + "}"))
@example('{"a":1,"a":1}')
@example('{"a, b":1,"a,b":2}')
def test_odd_text_that_is_read_plainly_is_read_strictly_as_the_same(text):
    assert_one_reading(text.encode("utf-8"))


def assert_one_reading(raw: bytes) -> None:
    plain = parse_plain(raw)
    # `repr` tells 1 from 1.0 and True, and 0.0 from -0.0.
    assert plain is None or repr(plain[0]) == repr(parse_strictly(raw, drop_backslashes(raw)))


@given(st.binary(max_size=300), st.integers(1, 8))
@example(b"[" * 10_000, 64)
@example(b'{"a":' * 10_000, 64)
@example(b'"' + b"\\" * 9_999, 64)
@example(b"[" * 30 + b'"' + b"[" * 10_000, 20)
def test_parse_json_is_total(raw, depth):
    value = parse_json(raw, depth)
    if isinstance(value, Malformed):
        assert value.reason.value.startswith("json_")
    else:
        assert is_strict(value) and depth_of(value) <= depth


@given(JSON, st.integers(0, 6), st.sampled_from([None, 1]))
def test_parse_json_reads_what_the_standard_library_wrote_or_says_why_not(value, depth, indent):
    raw = json.dumps(value, indent=indent).encode()
    read = parse_json(raw, depth)
    if is_strict(value) and depth_of(value) <= depth:
        assert read == value
    else:
        assert isinstance(read, Malformed)


@given(st.lists(st.sampled_from(["{", "}", "[", "]", '"', "\\", ":", ",", "a", "1"]), max_size=60).map("".join))
def test_depth_is_never_underestimated(text):
    value = parse_json(text.encode(), 3)
    assert isinstance(value, Malformed) or depth_of(value) <= 3


@given(JSON)
def test_read_message_is_total(document):
    assert isinstance(read_message(document), Message | Malformed)


@given(st.binary(max_size=500))
def test_read_check_is_total(raw):
    assert isinstance(read_check(raw), Request | Malformed)


TEXT = st.text(max_size=12)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id", "x"]),
    st.sampled_from(["application/json", build.MODERN, build.LEGACY, "tools/call", "=?base64?YQ==?=", ""]) | TEXT,
)


@given(TEXT, TEXT, TEXT, HEADERS, st.lists(st.tuples(TEXT, TEXT, st.binary(max_size=8)), max_size=4))
def test_read_check_of_any_message_is_total(method, path, host, headers, pairs):
    message = pb.CheckRequest()
    http = message.attributes.request.http
    http.method, http.path, http.host = method, path, host
    for name, value in headers.items():
        http.headers[name] = value
    for key, value, raw_value in pairs:
        http.header_map.headers.add(key=key, value=value, raw_value=raw_value)
    read = read_check(message.SerializeToString())
    names = [key for key, _, _ in pairs] or list(headers)
    assert isinstance(read, Request) == bool(method and path and host and "" not in names)


BODIES = st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode())


@given(st.sampled_from(["POST", "GET", "DELETE"]), HEADERS, BODIES, st.booleans())
def test_parse_is_total(method, headers, body, is_text):
    request = build.request(body, method=method, headers=headers, has_text_body=is_text)
    read = parse(request, "crm", LIMITS)
    assert isinstance(read, Call) or REFUSALS[read.reason].code != 0


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=70), st.text(max_size=30))
def test_read_token_is_total(header, payload, signature, text):
    raw = ".".join(build.b64(part) for part in (header, payload, signature))
    assert isinstance(read_token(RawToken(raw)), UnverifiedToken | Rejected)
    assert isinstance(read_token(RawToken(text)), UnverifiedToken | Rejected)


@given(st.text(max_size=40))
def test_read_bearer_is_total(text):
    raw = read_bearer(text)
    assert isinstance(raw, Rejected) or raw.isascii()


ALGORITHMS = st.sampled_from(["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "HS256", "none", "", "x"])
KEYS = st.sampled_from([build.ec_key, build.rsa_key, build.ed_key])


@given(ALGORITHMS, KEYS, st.binary(max_size=300), st.binary(max_size=20))
def test_no_signature_of_chance_verifies(algorithm, key, signature, signing_input):
    token = UnverifiedToken(build.KID, algorithm, "at+jwt", build.b64(b"{}"), signing_input, signature)
    everything = build.provider(algorithms=frozenset({"ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "HS256"}))
    assert isinstance(verify_token(token, build.public_key(key()), everything), Rejected)


CLAIMS = st.dictionaries(
    st.sampled_from(
        [
            *("sub", "aud", "exp", "nbf", "iat", "roles", "permissions", "scope", "scp", "client_id"),
            *("azp", "tenantId", "jti", "acr", "amr", "auth_time", "cnf", "nonce"),
        ]
    ),
    JSON | st.sampled_from([build.CRM_URL, "ann", build.NOW + 10, ["analyst"]]),
)


@given(CLAIMS, st.floats(allow_nan=False, allow_infinity=False))
def test_verify_token_is_total_and_admits_only_what_is_for_us_and_now(claims, now):
    written = {"iss": build.ISSUER, **claims}
    encoded = build.b64(json.dumps(written).encode())
    unsigned = UnverifiedToken(build.KID, "EdDSA", "at+jwt", encoded, b"x", build.ed_key().sign(b"x"))
    provider = build.provider(algorithms=frozenset({"EdDSA"}))
    verified = verify_token(unsigned, build.public_key(build.ed_key()), provider)
    assert isinstance(verified, VerifiedToken | Rejected)
    if isinstance(verified, VerifiedToken):
        admitted = admit_principal(verified, provider, build.resource(), revoked=Revoked(), now=now)
        if isinstance(admitted, Principal):
            audience = claims["aud"]
            assert build.CRM_URL in ([audience] if isinstance(audience, str) else audience)
            assert now < claims["exp"] + 30 and admitted.subject == claims["sub"] != ""


MEMBERS = st.dictionaries(
    st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use", "key_ops", "d"]),
    JSON
    | st.sampled_from(["RSA", "EC", "OKP", "oct", "P-256", "P-384", "Ed25519", "sig", "enc", "RS256", "AQAB", "AQ"])
    | st.binary(max_size=66).map(build.b64),
)


@given(st.lists(MEMBERS, max_size=4))
def test_parse_jwks_is_total(members):
    keys = parse_jwks(json.dumps({"keys": members}).encode())
    if isinstance(keys, Malformed):
        assert keys.reason in (
            Reason.JSON_DUPLICATE_KEY,
            Reason.JSON_KEY_TWIN,
            Reason.JSON_SURROGATE,
            Reason.JSON_NUMBER,
            Reason.JSON_DEPTH,
        )
    else:
        assert all(key.kid == kid and algorithm in key.algorithms for (kid, algorithm), key in keys.by_name.items())


@given(st.binary(max_size=100))
def test_parse_jwks_of_any_bytes_is_total(raw):
    parse_jwks(raw)


@given(st.text(max_size=40) | st.text(alphabet="ab:/.%2eEfF5cC;?#@\\{}é", max_size=40).map(lambda text: "a:" + text))
@examples(3)
def test_accepted_names_have_nothing_that_could_be_normalised(text):
    if is_tool_name(text):
        assert text.isascii() and ".." not in text.split("/")
    if is_prompt_name(text):
        assert text.isprintable()
    if is_resource_uri(text):
        lowered = text.lower()
        path = text.partition("#")[0].partition("?")[0]
        assert not any(part in lowered for part in ("%2e", "%2f", "%5c", "\\", " "))
        assert not any(segment in (".", "..") for segment in path.partition(":")[2].split("/"))
        assert text.isprintable()


ADDRESSES = st.sampled_from(["10.0.0.1", "192.0.2.7", "::1", "::ffff:10.0.0.1", "x", "", "10.0.0.1:80"]) | TEXT


@given(ADDRESSES, st.lists(ADDRESSES, max_size=5), TEXT)
def test_read_context_is_total(peer, hops, agent):
    request = build.request(headers={"x-forwarded-for": ",".join(hops), "user-agent": agent}, peer=peer)
    assert isinstance(read_context(request, Perimeter()), Context)
