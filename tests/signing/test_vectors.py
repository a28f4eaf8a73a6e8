"""The vectors are what we sign, byte for byte, and each that is refused is refused for one reason."""

import hmac
import json
import re
from collections import Counter
from dataclasses import asdict

import pytest

from agen_authz.core.header import chooses_reading
from agen_authz.core.signature import (
    CALLER_HEADERS,
    DERIVED,
    IDENTITY_HEADERS,
    MANDATORY,
    QUERY_PARAM,
    Signed,
    SignedTarget,
    Signer,
    SigningKey,
    compute_signature,
    digest_content,
    render_lines,
    render_signed_text,
)
from agen_authz.wire.identity import render_identity, render_principal, render_text
from tests import builders as build
from tests.signing.ours import identity_of, lines_of
from tests.signing.vectors import ACCEPTED, FOLDER, REFUSED, Vector, load, signature_of

GOOD, BAD = load(ACCEPTED), load(REFUSED)
PARAMETERS = re.compile(r';created=(\d+);expires=(\d+);nonce="(.*?)";keyid="(.*?)";alg="hmac-sha256";tag="agen-authz"$')
CHECKS = {
    "headers", "signature-input", "tag", "algorithm", "key", "time", "components", "signature", "resource",
    "content-digest", "nonce",
}  # fmt: skip
by_name = pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector.name)


def sign(vector: Vector) -> Signed:
    """Sign a vector's request again, as the sidecar does."""
    match = PARAMETERS.search(vector.parameters)
    assert match is not None
    created, expires, nonce, keyid = match.groups()
    signer = Signer(
        SigningKey(keyid, vector.keys[keyid]),
        SignedTarget(vector.scheme, "not.used", vector.path, vector.query),
        resource_header=render_text(vector.resource),
        components=tuple(name for name in vector.covered if name not in MANDATORY and not chooses_reading(name)),
        expires_s=int(expires) - int(created),
        is_resumable=True,
    )
    request = build.request(
        vector.body, method=vector.method, authority=vector.header("host"), headers=dict(vector.headers)
    )
    lines = render_lines((name, vector.header(name)) for name in CALLER_HEADERS)
    signed = signer.sign(
        request, lines, vector.identity["request_id"], created=int(created), nonce=nonce, is_modern=False
    )
    assert isinstance(signed, Signed)
    return signed


@by_name
def test_signer_writes_the_same_headers(vector):
    assert sign(vector) == Signed(*(vector.header(name) for name in ("content-digest", "signature-input", "signature")))


@by_name
def test_signed_text_is_built_from_the_request(vector):
    assert render_signed_text(lines_of(vector), vector.parameters) == vector.signed_text
    assert compute_signature(vector.signed_text, *_secret(vector)) == signature_of(vector)


def _secret(vector: Vector) -> list[bytes]:
    return [secret for keyid, secret in vector.keys.items() if f'keyid="{keyid}"' in vector.parameters]


@by_name
def test_identity_headers_are_rendered_from_the_identity(vector):
    told = asdict(identity_of(vector))
    request_id, resource = told.pop("request_id"), told.pop("resource")
    caller = build.principal(**told)
    rendered = dict(render_identity(caller))
    rendered |= {"agen-resource": render_text(resource), "agen-request-id": render_text(request_id)}
    assert rendered == {name: vector.header(name) for name in IDENTITY_HEADERS}
    assert render_principal(caller).lines in f"{vector.signed_text}\n"


def test_vectors_that_are_accepted_cover_what_is_odd():
    assert {vector.method for vector in GOOD} == {"POST", "GET", "DELETE"}
    extra = {name for vector in GOOD for name in vector.covered} - set(MANDATORY)
    assert {name.partition(";")[0] for name in extra if name.startswith("@")} == {*DERIVED, QUERY_PARAM} - set(
        MANDATORY
    )
    values = {value for vector in GOOD for _, value in vector.headers}
    assert "" in values and '""' in values and any(value.startswith('%"') for value in values)
    assert any(vector.query for vector in GOOD) and any(b"\r\n" in vector.body for vector in GOOD)


def test_every_check_has_a_vector_that_it_alone_may_refuse():
    alone = Counter(vector.refused[0] for vector in BAD if len(vector.refused) == 1)
    assert set(alone) == CHECKS - {"headers"}
    assert sum(map(is_sound, BAD)) > len(BAD) / 2
    assert {check for vector in BAD for check in vector.refused} == CHECKS
    reading = {name for vector in GOOD for name in vector.covered if chooses_reading(name)}
    assert {name.partition("param-")[0] for name in reading} == {
        "content-encoding", "content-type", "last-event-id",
        "mcp-method", "mcp-name", "mcp-", "mcp-protocol-version", "mcp-session-id",
    }  # fmt: skip
    names = {vector.name for vector in BAD}
    assert {f"{name} is not covered" for name in {*MANDATORY, *reading}} <= names
    assert {f"{word} {name}" for word in ("other", "dropped") for name in reading} <= names


def is_sound(vector: Vector) -> bool:
    """True if a vector that is refused is signed with a known secret over what arrived."""
    names = {name for name, _ in vector.headers}
    return "signature" not in vector.refused and {"signature", "signature-input"} <= names


@pytest.mark.parametrize("vector", [one for one in BAD if is_sound(one)], ids=lambda vector: vector.name)
def test_vector_that_fails_another_check_is_signed_anyway(vector):
    secrets = [*vector.keys.values(), bytes(range(32, 64))]
    macs = {hmac.digest(secret, vector.signed_text.encode("latin-1"), "sha256") for secret in secrets}
    assert signature_of(vector) in macs


@pytest.mark.parametrize("vector", [one for one in BAD if one.refused == ("signature",)], ids=lambda one: one.name)
def test_vector_that_fails_its_signature_has_the_digest_of_its_body(vector):
    assert vector.header("content-digest") == digest_content(vector.body)


def test_names_are_unique():
    names = [entry["name"] for file in (ACCEPTED, REFUSED) for entry in json.loads((FOLDER / file).read_text("utf-8"))]
    assert [name for name, count in Counter(names).items() if count > 1] == []
