"""Small pure builders of what tests talk about: keys, tokens, configured values, requests, CheckRequest bytes."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec import structs

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.header import look_at
from agen_authz.core.identity.audience import spell_audiences
from agen_authz.core.identity.jwk import KeySet, PublicKey, parse_jwks
from agen_authz.core.model import (
    Call,
    ClaimPaths,
    Envelope,
    Era,
    Issuer,
    Owner,
    Principal,
    Provider,
    Request,
    Resource,
    Shape,
    Subject,
    Target,
    TargetKind,
)
from agen_authz.core.policy.access import AccessRule, AccessTable, Basis, compile_access
from agen_authz.core.session import sign_session

NOW = 1_800_000_000.0
ISSUER, OTHER_ISSUER = "https://idp.example.com", "https://other.example.com"
CRM_URL, BILLING_URL = "https://mcp.example.com/crm/mcp", "https://mcp.example.com/billing/mcp"
ORIGIN = "https://app.example.com"
KID = "k1"
MODERN, LEGACY = "2026-07-28", "2025-11-25"
TRACE_KEY = b"k" * 32
SESSION_KEY = b"s" * 32
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"

CLAIM_PATHS = ClaimPaths(
    subject=(("sub",),),
    roles=(("roles",),),
    permissions=(("permissions",),),
    groups=(("groups",),),
    email=(("email",),),
    email_verified=(("email_verified",),),
    client=(("client_id",), ("azp",)),
    scopes=(("scope",), ("scp",)),
    tenant=(("tenantId",),),
    country=(("country",),),
)


def replace_claims(**changes: Any) -> ClaimPaths:
    """Map some claims otherwise."""
    return replace(CLAIM_PATHS, **changes)


# ---- keys and tokens -------------------------------------------------------------------------------------


@cache
def rsa_key(name: str = "rsa") -> rsa.RSAPrivateKey:
    """Make an RSA key, the same one for the same name."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key(name: str = "ec", curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    """Make an EC key, the same one for the same name."""
    curves = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    return ec.generate_private_key(curves[curve])


@cache
def ed_key(name: str = "ed") -> ed25519.Ed25519PrivateKey:
    """Make an Ed25519 key, the same one for the same name."""
    return ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, kid: Any = KID, **members: Any) -> dict[str, Any]:
    """Write the public half of a key as a JWK; a `kid` of None is left out."""
    kinds: dict[type, Any] = {rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm}
    public = key.public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm: Any = kinds[rsa.RSAPrivateKey]
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm = jwt.algorithms.ECAlgorithm
    else:
        algorithm = jwt.algorithms.OKPAlgorithm
    written: dict[str, Any] = algorithm.to_jwk(public, as_dict=True)
    return {**written, **({} if kid is None else {"kid": kid}), **members}


def jwks(*members: Any) -> bytes:
    """Write a JWK Set."""
    return json.dumps({"keys": list(members)}).encode()


def public_key(key: Any, kid: str | None = KID) -> PublicKey:
    """Read one key as a provider would have published it."""
    keys = parse_jwks(jwks(jwk(key, kid)))
    assert isinstance(keys, KeySet)
    return keys.keys[0]


def b64(raw: bytes) -> str:
    """Write base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """Write the claims of a good access token for `crm`; a change to None leaves the claim out."""
    written = {
        "iss": ISSUER,
        "sub": "ann",
        "aud": CRM_URL,
        "exp": NOW + 300,
        "iat": NOW - 10,
        "client_id": "desk",
        "scope": "mcp:tools",
        "roles": ["analyst"],
        "jti": "t1",
        **changes,
    }
    return {name: value for name, value in written.items() if value is not None}


def sign_raw(header: bytes, payload: bytes, key: Any, algorithm: str) -> str:
    """Sign any two byte strings as a compact JWS."""
    signing_input = f"{b64(header)}.{b64(payload)}"
    signature = jwt.get_algorithm_by_name(algorithm).sign(signing_input.encode(), key)
    return f"{signing_input}.{b64(signature)}"


def sign(payload: Mapping[str, Any], *, key: Any = None, algorithm: str = "ES256", **header: Any) -> str:
    """Sign claims; the header may be changed, a change to None leaves the member out."""
    written = {"alg": algorithm, "typ": "at+jwt", "kid": KID, **header}
    kept = {name: value for name, value in written.items() if value is not None}
    return sign_raw(json.dumps(kept).encode(), json.dumps(payload).encode(), key or ec_key(), algorithm)


# ---- what is configured ----------------------------------------------------------------------------------


def provider(**changes: Any) -> Provider:
    """Build a provider."""
    return replace(
        Provider(
            name="idp",
            issuer=Issuer(ISSUER),
            advertised_issuer="https://login.example.com",
            algorithms=frozenset({"RS256", "ES256"}),
            token_types=frozenset({"at+jwt", "jwt"}),
            leeway_s=30.0,
            max_token_age_s=None,
            tenants=None,
            roles=None,
            claims=CLAIM_PATHS,
        ),
        **changes,
    )


def resource(**changes: Any) -> Resource:
    """Build the resource `crm`; its audience is its url, unless `audiences` says otherwise."""
    changes.setdefault("audiences", spell_audiences([changes.get("url", CRM_URL)]))
    return replace(
        Resource(
            name="crm",
            url=CRM_URL,
            scheme="https",
            authorities=frozenset({"mcp.example.com", "mcp.example.com:443"}),
            path="/crm/mcp",
            query=None,
            providers={ISSUER: provider()},
            audiences=spell_audiences([CRM_URL]),
            clients=None,
            require_tenant=False,
            scopes=("mcp:tools",),
            origins=frozenset({ORIGIN}),
            admits_unmapped=False,
            methods={},
            resumable=False,
            forward_token=False,
            forward_headers=frozenset(),
            metadata_url="https://mcp.example.com/.well-known/oauth-protected-resource/crm/mcp",
        ),
        **changes,
    )


def billing(**changes: Any) -> Resource:
    """Build the resource `billing`, with another provider."""
    other = provider(name="other", issuer=Issuer(OTHER_ISSUER), advertised_issuer=OTHER_ISSUER)
    return resource(
        **{
            "name": "billing",
            "url": BILLING_URL,
            "path": "/billing/mcp",
            "providers": {OTHER_ISSUER: other},
            "scopes": (),
            "metadata_url": "https://mcp.example.com/.well-known/oauth-protected-resource/billing/mcp",
            **changes,
        }
    )


def access(*rules: AccessRule, basis: Basis = Basis.ROLES) -> AccessTable:
    """Compile rules; without any, those of the analysts and admins of `crm`."""
    return compile_access(
        basis,
        rules
        or (
            AccessRule(
                "analysts read",
                (
                    (TargetKind.TOOL, "crm/get_*"),
                    (TargetKind.RESOURCE, "crm/customer://**"),
                    (TargetKind.PROMPT, "crm/summarize"),
                ),
                frozenset({"analyst"}),
            ),
            AccessRule(
                "admins",
                (
                    (TargetKind.TOOL, "crm/delete_customer"),
                    (TargetKind.RESOURCE, "crm/vault://**"),
                    (TargetKind.PROMPT, "crm/purge"),
                ),
                frozenset({"admin"}),
            ),
        ),
    )


# ---- who asks, and what ----------------------------------------------------------------------------------


def principal(**changes: Any) -> Principal:
    """Build the caller whom `claims()` are about."""
    return replace(
        Principal(
            provider="idp",
            issuer=Issuer(ISSUER),
            subject=Subject("ann"),
            client="desk",
            tenant="",
            roles=("analyst",),
            permissions=(),
            groups=(),
            scopes=("mcp:tools",),
            email="",
            email_verified=False,
            country="",
            acr="",
            amr=(),
            auth_time=None,
            issued_at=NOW - 10,
            expires=NOW + 300,
            token_id="t1",
            claims=claims(),
        ),
        **changes,
    )


def message(method: str = "tools/call", params: Any = None, **changes: Any) -> dict[str, Any]:
    """Write a JSON-RPC request; a change to None leaves the member out."""
    if params is None and method == "tools/call":
        params = {"name": "get_customer", "arguments": {"id": 1}}
    written = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params, **changes}
    return {name: value for name, value in written.items() if value is not None}


def modern(method: str = "tools/call", params: Any = None, **changes: Any) -> dict[str, Any]:
    """Write a JSON-RPC request of the modern era."""
    written = message(method, params, **changes)
    meta = {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}
    written["params"] = {"_meta": meta, **written.get("params", {})}
    return written


def encode(document: Any) -> bytes:
    """Write JSON as bytes."""
    return json.dumps(document).encode()


def request(body: bytes | None = None, **changes: Any) -> Request:
    """Build a request as `read_check` returns it; its headers are given whole."""
    headers = changes.pop("headers", {"content-type": "application/json"})
    return structs.replace(
        Request(
            method="POST",
            authority="mcp.example.com",
            path="/crm/mcp",
            headers=headers,
            names=look_at(tuple(headers)),
            repeated=frozenset(),
            raw_body=encode(message()) if body is None else body,
            has_text_body=False,
            is_partial=False,
            peer="192.0.2.1",
        ),
        **changes,
    )


def call(method: str = "tools/call", *targets: Target, **changes: Any) -> Call:
    """Build a legacy call of `crm`."""
    return structs.replace(
        Call(
            server="crm",
            envelope=Envelope(Era.LEGACY, Shape.REQUEST, 7),
            version=LEGACY,
            method=method,
            targets=targets,
        ),
        **changes,
    )


def session(backend_id: str = "s1", *, subject: str = "ann", server: str = "crm", issuer: str = ISSUER) -> str:
    """Make the session id that a client was given."""
    owner = Owner(Issuer(issuer), Subject(subject))
    made = sign_session(backend_id, server, owner, SESSION_KEY, declares_url=False)
    assert made is not None
    return made


def tool(name: str = "get_customer") -> Target:
    """Name a tool of `crm`."""
    return Target(TargetKind.TOOL, "crm", name)


# ---- what Envoy sends ------------------------------------------------------------------------------------


def check_request(
    headers: Mapping[str, str] | list[tuple[str, str]],
    body: bytes = b"",
    *,
    method: str = "POST",
    path: str = "/crm/mcp",
    host: str = "mcp.example.com",
    form: str = "headers",
    is_text: bool = False,
) -> bytes:
    """Write a CheckRequest as Envoy does.

    Args:
        form: `headers`, where Envoy joins repeats with commas, or `header_map`, where it keeps them apart.
        is_text: the body as Envoy hands it over without `pack_as_bytes`.
    """
    pairs = list(headers.items()) if isinstance(headers, Mapping) else headers
    pseudo = [(":method", method), (":path", path), (":authority", host), (":scheme", "https")]
    written = pb.CheckRequest()
    written.attributes.source.address.socket_address.address = "192.0.2.1"
    http = written.attributes.request.http
    http.method, http.path, http.host = method, path, host
    if form == "header_map":
        for name, value in [*pseudo, *pairs]:
            http.header_map.headers.add(key=name, raw_value=value.encode("latin-1"))
    else:
        for name, value in [*pseudo, *pairs]:
            http.headers[name] = f"{http.headers[name]},{value}" if name in http.headers else value
    if is_text:
        http.body = body.decode("utf-8", "replace").replace("\ufffd", "!")
    else:
        http.raw_body = body
    return written.SerializeToString()


def headers_for(token: str | None, document: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Write the headers of a legacy request, or of a modern one where the document is modern."""
    written = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    if token is not None:
        written["authorization"] = f"Bearer {token}"
    params = {} if document is None else document.get("params", {})
    if document is None or not isinstance(params, dict) or VERSION_KEY not in params.get("_meta", {}):
        return {**written, "mcp-protocol-version": LEGACY}
    written |= {"mcp-protocol-version": MODERN, "mcp-method": document["method"]}
    key = "uri" if document["method"] == "resources/read" else "name"
    name = params.get("taskId" if document["method"].startswith("tasks/") else key)
    return written | ({"mcp-name": name} if name is not None else {})
