"""Allowed requests of a signed resource: what the backend gets, and that it gets nothing without a signature."""

import re
from base64 import b64encode
from collections.abc import Mapping

import pytest

from agen_authz.core.header import chooses_reading
from agen_authz.core.http.route import Route
from agen_authz.core.model import Allow
from agen_authz.core.signature import (
    IDENTITY_HEADERS,
    MANDATORY,
    SIGNATURE_HEADERS,
    SignedTarget,
    Signer,
    SigningKey,
    compute_signature,
    digest_content,
    render_lines,
)
from agen_authz.core.stage import Judged, Read
from agen_authz.wire.ext_authz import render_check
from agen_authz.wire.identity import render_principal
from agen_authz.wire.template import Templates
from tests import builders as build
from tests.check.rig import Rig, Seen
from tests.reached import reach

SECRET = b"s" * 32
TARGET = SignedTarget("https", "mcp.example.com", "/mcp", None)
NAMES = (*IDENTITY_HEADERS, *SIGNATURE_HEADERS)


def signed_rig(*components: str, **changes) -> Rig:
    signer = Signer(
        SigningKey("crm-1", SECRET), TARGET, resource_header='"crm"', components=components,
        is_resumable=changes.get("resumable", False),
    )  # fmt: skip
    return Rig(resources=(build.resource(is_signed=True, **changes), build.billing()), signers={"crm": signer})


def base_of(seen: Seen, method: str, arriving: Mapping[str, str]) -> str:
    """Build what is signed of what the backend gets; `arriving` are the client's headers that choose how to read."""
    sent = dict(seen.headers)
    values = {"@method": method, "@path": "/mcp", "@query": "?", **{name: sent[name] for name in NAMES}, **arriving}
    parameters = sent["signature-input"].removeprefix("agen=")
    names = (*MANDATORY, *sorted(arriving))
    return render_lines((name, values[name]) for name in names) + f'"@signature-params": {parameters}'


def assert_signed(seen: Seen, body: bytes, headers: Mapping[str, str], method: str = "POST") -> None:
    sent = dict(seen.headers)
    arriving = {
        name: sent.get(name, headers[name]) for name in headers if chooses_reading(name) and name not in seen.removed
    }
    signature = b64encode(compute_signature(base_of(seen, method, arriving), SECRET)).decode()
    assert (sent["content-digest"], sent["signature"]) == (digest_content(body), f"agen=:{signature}:")


def test_allowed_post_is_signed_over_what_the_backend_gets():
    rig, body = signed_rig(), build.encode(build.message())
    headers = build.headers_for(build.sign(build.claims()), build.message())
    seen = rig.check(build.check_request(headers, body))
    assert seen.is_allowed
    assert_signed(seen, body, headers)


SESSION = {"mcp-session-id": build.session()}


@pytest.mark.parametrize("resumable", [True, False])
def test_place_in_a_stream_is_signed_if_the_backend_gets_it(resumable):
    headers = build.headers_for(build.sign(build.claims()), build.message()) | {"last-event-id": "ev-41"}
    body = build.encode(build.message())
    seen = signed_rig(resumable=resumable).check(build.check_request(headers, body))
    assert ("last-event-id" in seen.removed) is not resumable
    assert ('"last-event-id"' in dict(seen.headers)["signature-input"]) is resumable
    assert_signed(seen, body, headers)


@pytest.mark.parametrize("write", [build.message, build.modern], ids=["legacy", "modern"])
def test_headers_that_choose_how_to_read_are_signed_if_the_backend_gets_them(write):
    document = write(params={"name": "get_customer", "arguments": {"region": "eu"}})
    headers = build.headers_for(build.sign(build.claims()), document) | SESSION
    headers |= {"mcp-param-region": "eu", "content-encoding": "identity", "mcp-later": "1"}
    body = build.encode(document)
    seen = signed_rig().check(build.check_request(headers, body))
    assert seen.is_allowed
    is_modern = write is build.modern
    assert {"mcp-session-id", "mcp-later"} & set(seen.removed) == {"mcp-later", *(SESSION if is_modern else ())}
    assert_signed(seen, body, headers)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_request_without_a_body_signs_the_digest_of_nothing(method):
    headers = {**build.headers_for(build.sign(build.claims())), **SESSION}
    seen = signed_rig().check(build.check_request(headers, b"", method=method))
    assert seen.is_allowed
    assert_signed(seen, b"", headers, method)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_headers_of_a_message_do_not_reach_the_backend_without_one(method):
    told = {"mcp-method": "tools/call", "mcp-name": "get_customer", "mcp-param-region": "eu"}
    headers = {**build.headers_for(build.sign(build.claims())), **SESSION, **told}
    seen = signed_rig().check(build.check_request(headers, b"", method=method))
    assert (seen.is_allowed, set(told) - set(seen.removed)) == (True, set())
    assert_signed(seen, b"", headers, method)


def test_every_signature_has_its_own_nonce():
    rig = signed_rig()
    inputs = [dict(rig.post(build.message()).headers)["signature-input"] for _ in range(3)]
    nonces = [re.findall(r'nonce="(\w{32})"', each) for each in inputs]
    assert len({nonce for (nonce,) in nonces}) == 3


def test_own_headers_of_the_client_are_overwritten_and_not_removed():
    forged = dict.fromkeys(SIGNATURE_HEADERS, "forged")
    seen = signed_rig().post(build.message(), headers=forged)
    assert not set(seen.removed) & set(NAMES) and "forged" not in dict(seen.headers).values()


def test_unsigned_resource_drops_a_clients_signature():
    seen = Rig().post(build.message(), headers=dict.fromkeys(SIGNATURE_HEADERS, "forged"))
    assert seen.is_allowed and set(SIGNATURE_HEADERS) <= set(seen.removed)


def test_component_that_cannot_be_signed_denies():
    rig = signed_rig("x-kept", forward_headers=frozenset({"x-kept"}))
    seen = rig.post(build.message(), headers={"x-kept": "é"})
    assert (seen.is_allowed, seen.reason) == (False, "header_malformed")


def test_denied_call_is_not_signed():
    seen = signed_rig().post(build.message(params={"name": "no_such_tool"}))
    assert not seen.is_allowed and not set(dict(seen.headers)) & set(SIGNATURE_HEADERS)


def test_resource_without_its_signer_denies():
    seen = Rig(resources=(build.resource(is_signed=True),)).post(build.message())
    assert (seen.is_allowed, seen.told) == (False, "internal_error")


def test_allow_without_a_signature_is_not_rendered():
    route = Route(build.resource(is_signed=True), is_metadata=False)
    read = reach(build.request(), route, render_principal(build.principal()), build.call())
    assert isinstance(read, Read)
    with pytest.raises(ValueError, match="without a signature"):
        render_check(Judged(read, Allow(())), Templates("off"))
