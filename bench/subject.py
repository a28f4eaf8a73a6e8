"""What is measured: the whole decision on a request as Envoy sends it, without network, store or provider."""

import json
import time
from base64 import urlsafe_b64encode
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.adapters.clock import SystemClock, SystemEntropy
from agen_authz.catalogue import CurrentCatalogue
from agen_authz.core.approval.asking import ApprovalRules
from agen_authz.core.approval.table import Terms
from agen_authz.core.cel.condition import Condition
from agen_authz.core.http.context import Perimeter
from agen_authz.core.http.route import build_routes
from agen_authz.core.identity.audience import spell_audiences
from agen_authz.core.identity.jwk import KeySet, PublicKey, parse_jwks
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import ClaimPaths, Effect, Issuer, Provider, Resource, Revoked, State, TargetKind
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.policy.access import AccessRule, Basis, compile_access
from agen_authz.core.policy.table import Policy, compile_policies, environment
from agen_authz.core.ruleset import RuleSet
from agen_authz.core.signature import SignedTarget, Signer, SigningKey
from agen_authz.outside import CheckMetrics, Ports
from agen_authz.ports import AuditSink
from agen_authz.servers.ext_authz import CheckServicer
from agen_authz.token_cache import TokenCache
from agen_authz.waiting import Bulkhead
from agen_authz.wire.template import Templates

ISSUER, URL, KID = "https://id.example.com", "https://mcp.example.com/crm/mcp", "bench"
_PRIVATE = ec.derive_private_key(20261123, ec.SECP256R1())
_CLAIMS = ("roles", "permissions", "groups", "email", "email_verified", "client_id", "scope", "tenantId", "country")


class HeldKeys:
    """The one published key."""

    def __init__(self) -> None:
        numbers = _PRIVATE.public_key().public_numbers()
        x, y = (_b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        document = {"keys": [{"kty": "EC", "crv": "P-256", "kid": KID, "x": x, "y": y}]}
        keys = parse_jwks(json.dumps(document).encode())
        assert isinstance(keys, KeySet)
        self._keys = keys

    def find_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        return self._keys.find(kid, algorithm)

    async def fetch_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        return None


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def build_servicer(audit: AuditSink, metrics: CheckMetrics, rules: int = 10, policies: int = 2) -> CheckServicer:
    """Build Check with so many access rules, of which one names the tool that is called."""
    paths = [((name,),) for name in _CLAIMS]
    roles, permissions, groups, email, verified, client, scopes, tenant, country = paths
    provider = Provider(
        name="bench", issuer=Issuer(ISSUER), advertised_issuer=ISSUER, algorithms=frozenset({"ES256"}),
        token_types=frozenset({"at+jwt"}), leeway_s=30.0, max_token_age_s=None, tenants=None, roles=None,
        claims=ClaimPaths(
            subject=(("sub",),), roles=roles, permissions=permissions, groups=groups, email=email,
            email_verified=verified, client=client, scopes=scopes, tenant=tenant, country=country,
        ),
    )  # fmt: skip
    resource = Resource(
        name="crm", url=URL, scheme="https", authorities=frozenset({"mcp.example.com"}), path="/crm/mcp", query=None,
        providers={ISSUER: provider}, audiences=spell_audiences([URL]), clients=None, require_tenant=False,
        scopes=("mcp:tools",), origins=frozenset(), admits_unmapped=False, methods={}, resumable=False,
        forward_token=False, forward_headers=frozenset(), metadata_url="https://mcp.example.com/.well-known/oauth-protected-resource/crm/mcp",
        is_signed=True,
    )  # fmt: skip
    others = [_rule(f"r{index}", f"crm/tool_{index}_*", f"role-{index}") for index in range(rules - 1)]
    access = compile_access(Basis.ROLES, [*others, _rule("reads", "crm/get_*", "analyst")])
    target = SignedTarget("https", "mcp.example.com", "/mcp", None)
    signer = Signer(SigningKey("crm-2026-11", b"s" * 32), target, resource_header='"crm"')
    rule_set = RuleSet(
        version="bench", resources={"crm": resource}, access=access, policies=compile_policies(_policies(policies)),
        routes=build_routes([resource]),
        limits=BodyLimits(1 << 20, 64),
        revoked=Revoked(), perimeter=Perimeter(), signers={"crm": signer}, digest_key=b"k" * 32,
        session_key=b"s" * 32, metadata_key=b"m" * 32, filters_lists=True, pinning=Pinning.OBSERVE,
        checks_arguments=False, protections=compile_policies([]), protection_rules={}, masking_keys=None,
        unruled_sample=0.0, approvals=ApprovalRules({}, Terms(900.0, 3600.0), 20, 0.0, URL, b"a" * 32),
        off_word="off-0123456789abcdef", denials_per_second=50, timeout_s=1.0, keeps_claims=True,
    )  # fmt: skip
    clock = SystemClock()
    # No call is about a task, and the catalogue is never read.
    unasked: Any = None
    ports = Ports(
        clock, SystemEntropy(), HeldKeys(), audit, metrics, CurrentCatalogue(unasked, clock),
        unasked, TokenCache(20_000, 64 << 20),
        Templates(rule_set.off_word), Bulkhead(1024),
    )  # fmt: skip
    return CheckServicer(rule_set, ports)


def _policies(count: int) -> list[Policy]:
    """Write policies of which two are about the call: an amount that is high, and where the caller is."""
    if count == 0:
        return []
    others = [_policy(f"p{index}", (f"crm/tool_{index}_*",), "args.amount > 5.0") for index in range(count - 2)]
    return [
        *others,
        _policy("amount", ("crm/get_*",), "args.amount > 1000.0"),
        _policy("office", ("crm/*",), '"office" in request.networks'),
    ]


def _policy(name: str, selectors: tuple[str, ...], *conditions: str) -> Policy:
    compiled = [environment().compile(text) for text in conditions]
    ready = tuple(each for each in compiled if isinstance(each, Condition))
    named = tuple((TargetKind.TOOL, selector) for selector in selectors)
    return Policy(name, State.ENFORCE, Effect.DENY, named, ready)


def _rule(name: str, selector: str, role: str) -> AccessRule:
    return AccessRule(name, ((TargetKind.TOOL, selector),), frozenset({role}))


def build_token() -> str:
    """Sign an access token as a provider would."""
    now = int(time.time())
    claims = {
        "iss": ISSUER, "sub": "alice", "aud": URL, "exp": now + 3600, "iat": now, "client_id": "agent", "jti": "j-1",
        "scope": "mcp:tools", "roles": ["analyst", "reader"], "permissions": ["a", "b"], "tenantId": "acme",
    }  # fmt: skip
    return jwt.encode(claims, _PRIVATE, "ES256", headers={"kid": KID, "typ": "at+jwt"})


def build_check_request(arguments: dict[str, object] | None = None, token: str | None = None) -> bytes:
    """Build a CheckRequest of about 1.6 KB: ES256 token, tools/call with 400 bytes of arguments, 17 headers."""
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    if arguments is None:
        arguments = {"customer_id": "c-1001", "note": "x" * 325, "amount": 12.5, "fields": ["name", "company", 3]}
    params = {"name": "get_customer", "arguments": arguments, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    request = pb.CheckRequest()
    http = request.attributes.request.http
    http.method, http.path, http.host, http.raw_body = "POST", "/crm/mcp", "mcp.example.com", body
    headers = {
        ":method": "POST", ":path": "/crm/mcp", ":authority": "mcp.example.com", ":scheme": "https",
        "authorization": f"Bearer {token or build_token()}", "content-type": "application/json",
        "content-length": str(len(body)), "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "get_customer",
        "user-agent": "bench/1", "x-forwarded-for": "10.0.0.1", "x-forwarded-proto": "https", "x-request-id": "r-1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "accept-encoding": "gzip",
    }  # fmt: skip
    for name, value in headers.items():
        http.header_map.headers.add(key=name, raw_value=value.encode())
    request.attributes.source.address.socket_address.address = "10.0.0.1"
    return request.SerializeToString()
