"""What is signed, spelt out; the rest of RFC 9421 is held to its own example and to foreign implementations."""

import hmac
import re
from base64 import b64decode, b64encode

import pytest

from agen_authz.core.errors import Malformed
from agen_authz.core.reason import Reason
from agen_authz.core.signature import (
    Signed,
    SignedTarget,
    Signer,
    SigningKey,
    derive,
    digest_content,
    render_signed_text,
    spell_component,
)
from tests import builders as build

SECRET = b"s" * 32
TARGET = SignedTarget("https", "mcp.example.com", "/mcp", None)
CALLER = "".join(
    f'"agen-{name}": {value}\n'
    for name, value in {
        "issuer": '"https://idp"', "subject": '"ann"', "tenant": '""', "client": '"desk"', "roles": '"a", "b"',
        "permissions": "",
    }.items()
)  # fmt: skip
COVERED = (
    '"@method" "@path" "@query" "content-digest" "agen-issuer" "agen-subject" "agen-tenant" "agen-client" '
    '"agen-roles" "agen-permissions" "agen-resource" "agen-request-id"'
)


def signer(*components: str, target: SignedTarget = TARGET, expires_s: int = 60) -> Signer:
    key = SigningKey("crm-1", SECRET)
    return Signer(key, target, resource_header='"crm"', components=components, expires_s=expires_s)


def sign(by: Signer, *, is_modern: bool = False, **changes) -> Signed | Malformed:
    return by.sign(build.request(b"{}", **changes), CALLER, "r1", created=1000, nonce="n1", is_modern=is_modern)


def expected(base_head: str, covered: str, lines: str = "", digest: str = digest_content(b"{}")) -> Signed:
    parameters = f'({covered});created=1000;expires=1060;nonce="n1";keyid="crm-1";alg="hmac-sha256";tag="agen-authz"'
    base = (
        f'{base_head}"content-digest": {digest}\n{CALLER}"agen-resource": "crm"\n"agen-request-id": "r1"\n'
        f'{lines}"@signature-params": {parameters}'
    )
    signature = hmac.digest(SECRET, base.encode("ascii"), "sha256")
    encoded = b64encode(signature).decode("ascii")
    return Signed(digest, f"agen={parameters}", f"agen=:{encoded}:")


HEAD = '"@method": POST\n"@path": /mcp\n"@query": ?\n'


def test_request_is_signed_over_what_every_backend_checks():
    assert sign(signer(), headers={}) == expected(HEAD, COVERED)


# ---- what chooses how the body is read ---------------------------------------------------------------------

READING = {
    "mcp-session-id": "s1",
    "mcp-protocol-version": "2025-11-25",
    "mcp-param-region": "eu",
    "mcp-name": " get ",
    "mcp-method": "tools/call",
    "content-type": "application/json",
    "content-encoding": "identity",
}


def signed_reading(method="POST", *, is_modern=False, by=None, **headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()} or READING
    signed = sign(by or signer(), headers={"accept": "x", **given}, method=method, is_modern=is_modern)
    assert isinstance(signed, Signed)
    return re.findall(r'"([a-z@-]+)"(?=[ )])', signed.signature_input)[12:]


def test_what_chooses_how_the_body_is_read_is_signed_in_alphabetical_order():
    names = sorted(READING)
    lines = "".join(f'"{name}": {READING[name].strip()}\n' for name in names)
    covered = " ".join([COVERED, *(f'"{name}"' for name in names)])
    assert sign(signer(), headers=READING) == expected(HEAD, covered, lines)


def test_session_of_the_modern_era_does_not_reach_the_backend_and_is_not_signed():
    assert set(READING) - set(signed_reading(is_modern=True)) == {"mcp-session-id"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_method_and_name_are_signed_with_a_message_only(method):
    assert set(READING) - set(signed_reading(method)) == {"mcp-method", "mcp-name", "mcp-param-region"}


def test_mcp_header_is_signed_if_it_is_forwarded():
    assert signed_reading(mcp_later="1") == []
    forwarding = Signer(SigningKey("crm-1", SECRET), TARGET, resource_header='"crm"', forwarded=["mcp-later"])
    assert signed_reading(mcp_later="1", by=forwarding) == ["mcp-later"]


def test_component_that_is_signed_anyway_is_signed_once():
    assert signed_reading(content_type="a", by=signer("content-type", "mcp-name")) == ["content-type"]


@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("value", ["a\tb", "é", "a\nb"], ids=["tab", "not ASCII", "line end"])
def test_header_that_chooses_and_cannot_be_signed_denies(name, value):
    assert sign(signer(), headers={name: value}) == Malformed(Reason.HEADER_MALFORMED, name)
    seen = sign(signer(), headers={name: "a"}, repeated=frozenset({name}))
    assert seen == Malformed(Reason.HEADER_REPEATED, name)


# ---- what a resource adds ----------------------------------------------------------------------------------


def test_digest_is_of_the_exact_bytes():
    assert digest_content(b"") == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"


def test_query_of_the_resource_is_signed():
    by = signer(target=SignedTarget("https", "mcp.example.com", "/mcp", "v=1"))
    assert sign(by, headers={}) == expected('"@method": POST\n"@path": /mcp\n"@query": ?v=1\n', COVERED)


def test_components_are_signed_where_the_request_has_them():
    by = signer("@authority", "x-tenant", "x-absent", "accept")
    headers = {"accept": "application/json", "x-tenant": " get "}
    lines = '"@authority": mcp.example.com\n"x-tenant": get\n"accept": application/json\n'
    covered = f'{COVERED} "@authority" "x-tenant" "accept"'
    assert sign(by, headers=headers) == expected(HEAD, covered, lines)


def test_components_that_the_request_lacks_are_not_signed():
    assert sign(signer("x-absent"), headers={}) == expected('"@method": POST\n"@path": /mcp\n"@query": ?\n', COVERED)


@pytest.mark.parametrize(
    ("value", "reason"),
    [("a\nb", Reason.HEADER_MALFORMED), ("é", Reason.HEADER_MALFORMED), ("a\tb", Reason.HEADER_MALFORMED)],
    ids=["line end", "not ASCII", "tab"],
)
def test_value_that_may_not_arrive_as_it_was_read_is_not_signed(value, reason):
    assert sign(signer("x-a"), headers={"x-a": value}) == Malformed(reason, "x-a")


def test_repeated_header_is_not_signed():
    seen = sign(signer("x-a"), headers={"x-a": "1"}, repeated=frozenset({"x-a"}))
    assert seen == Malformed(Reason.HEADER_REPEATED, "x-a")


WHOLE = SignedTarget("https", "MCP.example.com:443", "/mcp", "a=1&b=%C3%A9+x&c=1&c=2&d")
DERIVED = {
    "@method": "POST",
    "@scheme": "https",
    "@authority": "mcp.example.com",
    "@path": "/mcp",
    "@query": "?a=1&b=%C3%A9+x&c=1&c=2&d",
    "@request-target": "/mcp?a=1&b=%C3%A9+x&c=1&c=2&d",
    "@target-uri": "https://mcp.example.com/mcp?a=1&b=%C3%A9+x&c=1&c=2&d",
    '@query-param;name="b"': "%C3%A9%20x",
    '@query-param;name="d"': "",
    '@query-param;name="c"': None,
    '@query-param;name="z"': None,
    "@status": None,
}


@pytest.mark.parametrize("component", DERIVED)
def test_component_is_derived_as_the_rfc_says(component):
    assert derive(component, "POST", WHOLE) == DERIVED[component]


@pytest.mark.parametrize(
    ("target", "component", "value"),
    [
        (SignedTarget("https", "h", "", None), "@path", "/"),
        (SignedTarget("https", "h", "/", None), "@query", "?"),
        (SignedTarget("https", "h", "/", ""), "@target-uri", "https://h/?"),
        (SignedTarget("http", "h:80", "/", None), "@authority", "h"),
        (SignedTarget("http", "h:443", "/", None), "@authority", "h:443"),
        (SignedTarget("ws", "h", "/", None), "@authority", "h"),
        (SignedTarget("https", "h", "/", None), '@query-param;name="a"', None),
        (SignedTarget("https", "h", "/", "x=a~b*c+d"), '@query-param;name="x"', "a%7Eb*c%20d"),
        (SignedTarget("https", "h", "/", "a~b=1"), '@query-param;name="a%7Eb"', "1"),
    ],
)
def test_edges_of_derived_components(target, component, value):
    assert derive(component, "GET", target) == value


def test_identifier_has_its_parameters_behind_the_name():
    assert [spell_component(name) for name in ("@path", '@query-param;name="a"', "x-a")] == [
        '"@path"',
        '"@query-param";name="a"',
        '"x-a"',
    ]


def test_signed_text_ends_with_its_parameters():
    assert render_signed_text([("@path", "/"), ("x-a", "1")], '("@path" "x-a")') == (
        '"@path": /\n"x-a": 1\n"@signature-params": ("@path" "x-a")'
    )


def test_key_shows_its_bytes_nowhere():
    assert "ssss" not in repr(SigningKey("k", SECRET))


def test_signature_is_of_its_key():
    other = Signer(SigningKey("crm-1", b"t" * 32), TARGET, resource_header='"crm"')
    first, second = sign(signer()), sign(other)
    assert isinstance(first, Signed) and isinstance(second, Signed)
    assert first.signature_input == second.signature_input and first.signature != second.signature
    assert len(b64decode(first.signature.removeprefix("agen=:").removesuffix(":"))) == 32
