"""`http-message-signatures` of PyPI, which we did not write: it accepts what we sign, and we read what it signs.

What it says of a header of zero length: it signs and verifies one as it is, `"agen-roles": ` with nothing behind.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.signature import QUERY_PARAM, digest_content, spell_component
from tests.signing.ours import identity_of, render_signature, verifier_of
from tests.signing.ours import verify as verify_ours
from tests.signing.vectors import ACCEPTED, Vector, load, load_for_any_library

GOOD = load(ACCEPTED)
by_name = pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector.name)
SIGNATURE_FIELDS = {"signature", "signature-input"}


@dataclass
class Message:
    """A request in the shape that the library reads."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class Verifier(HTTPMessageVerifier):
    """The library's verifier, with its check of the time at a time of our choice."""

    now = 0

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        created, expires = sig_input.params["created"], sig_input.params["expires"]
        if not created <= self.now <= expires:
            raise InvalidSignature("not now")


def message_of(vector: Vector, *, without: frozenset[str] | set[str] = frozenset()) -> Message:
    headers = {name: value for name, value in vector.headers if name not in without}
    return Message(vector.method, f"{vector.scheme}://{vector.header('host')}{vector.target}", headers)


def verify(vector: Vector) -> dict[str, str]:
    """Let the library verify a vector; return what it found covered."""
    keys = MappingKeyResolver(public_keys=vector.keys, private_keys={})
    verifier = Verifier(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=keys)
    verifier.now = vector.now
    required = tuple(spell_component(name) for name in vector.mandatory)
    (result,) = verifier.verify(
        message_of(vector), body=vector.body, expect_tag="agen-authz", expect_label="agen", require_components=required
    )
    return dict(result.covered_components)


@by_name
def test_it_accepts_what_we_sign(vector):
    lines = [line.partition(": ") for line in vector.signed_text.split("\n")]
    assert verify(vector) == {name: value for name, _, value in lines}


@pytest.mark.parametrize("vector", load_for_any_library(), ids=lambda vector: vector.name)
def test_it_refuses_what_is_to_be_refused(vector):
    with pytest.raises(InvalidSignature):
        verify(vector)


def foreign_sign(vector: Vector, components: tuple[str, ...]) -> Message:
    """Let the library sign a vector's request with its first key, in its own order of parameters."""
    keyid, secret = next(iter(vector.keys.items()))
    message = message_of(vector, without=SIGNATURE_FIELDS)
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.HMAC_SHA256,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={keyid: secret}),
    )
    created = datetime.fromtimestamp(vector.now - 5, UTC)
    signer.sign(
        message,
        key_id=keyid,
        created=created,
        expires=created + timedelta(seconds=60),
        nonce="0123456789abcdef0123456789abcdef",
        label="agen",
        tag="agen-authz",
        covered_component_ids=[spell_component(name) for name in components],
        use_existing_digest=True,
    )
    return message


@by_name
def test_we_compute_what_it_signed(vector):
    signed = foreign_sign(vector, vector.covered)
    parameters = signed.headers["Signature-Input"].removeprefix("agen=")
    assert signed.headers["Signature"] == render_signature(vector, parameters, next(iter(vector.keys.values())))


@by_name
def test_our_verifier_accepts_what_it_signed(vector):
    signed = foreign_sign(vector, vector.covered)
    headers = {name.lower(): value for name, value in signed.headers.items()}
    assert verify_ours(verifier_of(vector), vector.with_headers(headers)) == identity_of(vector)


@by_name
def test_digests_are_the_same(vector):
    assert ContentDigest.create(vector.body) == digest_content(vector.body) == vector.header("content-digest")


PARAMETER = f'{QUERY_PARAM};name="x"'


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=20))
def test_query_parameters_are_written_alike(text):
    query = f"x={''.join(f'%{byte:02X}' for byte in text.encode('utf-8'))}"
    vector = replace(GOOD[0], target=f"/crm/mcp?{query}", covered=(PARAMETER,))
    signed = foreign_sign(vector, (PARAMETER,))
    parameters = signed.headers["Signature-Input"].removeprefix("agen=")
    assert signed.headers["Signature"] == render_signature(vector, parameters, vector.keys["crm-1"])
