"""Configuration becomes the RuleSet; `build_rules` is the whole of it, the others build its parts."""

import math
from collections.abc import Mapping
from ipaddress import ip_network
from typing import TypedDict
from urllib.parse import urlsplit

from agen_authz.build.approval import build_approvals
from agen_authz.build.policy import NOT_COMPILED, Compiled, build_policies
from agen_authz.build.protection import build_masking_keys, build_protection_rules, build_protections
from agen_authz.config import Config
from agen_authz.config import model as conf
from agen_authz.config.part.authority import authorities_of, url_of
from agen_authz.config.part.scope import name_of, request_of
from agen_authz.config.secret import SigningKeys
from agen_authz.core.http.context import Network, Perimeter
from agen_authz.core.http.route import build_routes, metadata_path
from agen_authz.core.identity.audience import spell_audiences
from agen_authz.core.identity.jws import spell_type
from agen_authz.core.masking import prepare_detection
from agen_authz.core.masking.rule import Rule
from agen_authz.core.masking.style import MaskingKeys
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import ANY_TENANT, ClaimPaths, Issuer, Provider, Resource, Revoked, TargetKind
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.policy.access import AccessRule, AccessTable, Basis, compile_access
from agen_authz.core.policy.table import PolicyTable
from agen_authz.core.ruleset import RuleSet
from agen_authz.core.session import derive_session_key
from agen_authz.core.signature import SignedTarget, Signer, SigningKey
from agen_authz.wire.identity import render_text


def build_rules(
    config: Config,
    *,
    version: str,
    digest_key: bytes,
    off_word: str,
    metadata_key: bytes,
    signing_keys: Mapping[str, SigningKeys] | None,
    masking_keys: SigningKeys = (),
    compiled: Compiled = NOT_COMPILED,
) -> RuleSet:
    """Build everything that a request is decided by.

    Args:
        version, digest_key, off_word, metadata_key: as in `RuleSet`.
        signing_keys: of each resource, the first signs; None for authors, who sign nothing.
        masking_keys: the first masks.
    """
    resources = _build_resources(config)
    return RuleSet(
        version=version,
        resources=resources,
        routes=build_routes(resources.values()),
        access=build_access(config),
        limits=build_limits(config),
        revoked=build_revoked(config),
        perimeter=build_perimeter(config),
        signers={} if signing_keys is None else _build_signers(config, signing_keys),
        digest_key=digest_key,
        session_key=derive_session_key(digest_key),
        metadata_key=metadata_key,
        off_word=off_word,
        denials_per_second=config.audit.denials_per_second,
        timeout_s=config.server.check_timeout,
        filters_lists=config.tools.filter_lists,
        pinning=Pinning(config.tools.pinning),
        checks_arguments=_checks_arguments(config),
        approvals=build_approvals(config, digest_key),
        **_build_conditional(config, masking_keys, compiled),
    )


def _build_resources(config: Config) -> dict[str, Resource]:
    providers = {provider.name: build_provider(provider) for provider in config.providers}
    return {resource.name: build_resource(config, resource, providers) for resource in config.resources}


class _Conditional(TypedDict):
    policies: PolicyTable
    keeps_claims: bool
    protections: PolicyTable
    protection_rules: Mapping[str, Rule]
    masking_keys: MaskingKeys | None
    unruled_sample: float


def _build_conditional(config: Config, masking_keys: SigningKeys, compiled: Compiled) -> _Conditional:
    """Build what depends on conditions, and what these read."""
    policies, protections = build_policies(config, compiled), build_protections(config, compiled)
    if "detected" in policies.reads | protections.reads:
        # A call would wait half a second for it, and all others with it.
        prepare_detection()
    return _Conditional(
        policies=policies,
        keeps_claims="user.claims" in policies.reads | protections.reads,
        protections=protections,
        protection_rules=build_protection_rules(config),
        masking_keys=build_masking_keys(masking_keys),
        unruled_sample=config.unruled_sample,
    )


def _checks_arguments(config: Config) -> bool:
    said = config.tools.arguments
    return config.tools.pinning == "enforce" if said is None else said == "check"


def build_limits(config: Config) -> BodyLimits:
    """Collect the bounds of a request body."""
    return BodyLimits(
        request_bytes=config.limits.request_bytes,
        json_depth=config.limits.json_depth,
        json_values=config.limits.json_values,
        admits_text=config.server.insecure_accept_text_bodies,
    )


def _build_signers(config: Config, signing_keys: Mapping[str, SigningKeys]) -> dict[str, Signer]:
    signed = [resource for resource in config.resources if resource.signing_keys is not None]
    return {resource.name: build_signer(config, resource, signing_keys[resource.name]) for resource in signed}


def build_signer(config: Config, resource: conf.Resource, keys: SigningKeys) -> Signer:
    """Build what signs one resource's requests, with the first of its keys."""
    parts, (identifier, secret) = urlsplit(resource.url), keys[0]
    return Signer(
        SigningKey(identifier, secret),
        SignedTarget(parts.scheme, parts.netloc, resource.upstream_path or parts.path or "/", _query_of(resource.url)),
        resource_header=render_text(resource.name),
        components=config.signing.components,
        expires_s=math.ceil(config.signing.expires),
        forwarded=(name.lower() for name in resource.forward_headers),
        is_resumable=resource.resumable,
    )


def _query_of(url: str) -> str | None:
    return url.partition("?")[2] if "?" in url else None


def build_revoked(config: Config) -> Revoked:
    """Collect what is refused at once."""
    revoked = config.revoked
    return Revoked(frozenset(revoked.kids), frozenset(revoked.subjects), frozenset(revoked.jti))


def build_provider(provider: conf.Provider) -> Provider:
    """Build one provider; `any` in its lists becomes None."""
    return Provider(
        name=provider.name,
        issuer=Issuer(provider.issuer),
        advertised_issuer=provider.advertised_issuer or provider.issuer,
        algorithms=frozenset(provider.algorithms),
        token_types=frozenset(map(spell_type, provider.token_types)),
        leeway_s=provider.leeway,
        max_token_age_s=provider.max_token_age,
        tenants=_reach(provider.tenants),
        roles=_reach(provider.roles),
        claims=_build_claims(provider.claims),
    )


def discovered_issuer(provider: conf.Provider) -> str:
    """Return the issuer whose discovery document names the keys: the first tenant's if the issuer is a template."""
    return (
        provider.issuer.replace(ANY_TENANT, provider.tenants[0])
        if isinstance(provider.tenants, tuple)
        else provider.issuer
    )


def _reach(names: object) -> frozenset[str] | None:
    if names is None or names == "any":
        return None
    assert isinstance(names, list | tuple)  # noqa: S101 the model admits a list, the word any, or nothing
    return frozenset(names)


def _build_claims(claims: conf.Claims) -> ClaimPaths:
    written = {name: getattr(claims, name) for name in conf.Claims.model_fields}
    keyed = frozenset(name for name, value in written.items() if isinstance(value, conf.NamePath) and value.keys)
    return ClaimPaths(**{name: _claim_paths(value) for name, value in written.items()}, keyed=keyed)


def _claim_paths(written: object) -> tuple[tuple[str, ...], ...]:
    if written is None:
        return ()
    if isinstance(written, conf.NamePath):
        written = written.path
    paths = (written,) if isinstance(written, str) else written
    assert isinstance(paths, list | tuple)  # noqa: S101 the model admits a string or a list of them
    return tuple(parse_claim_path(path) for path in paths)


def parse_claim_path(written: str) -> tuple[str, ...]:
    """Take a dotted path, or a JSON pointer (RFC 6901) where it starts with `/`, apart."""
    if written.startswith("/"):
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in written[1:].split("/"))
    return tuple(written.split("."))


def build_resource(config: Config, resource: conf.Resource, providers: Mapping[str, Provider]) -> Resource:
    """Build one resource from its url and its other keys."""
    parts = urlsplit(resource.url)
    path = parts.path or "/"
    named = [providers[name] for name in resource.providers]
    return Resource(
        name=resource.name,
        url=url_of(parts),
        scheme=parts.scheme,
        authorities=authorities_of(parts),
        path=path,
        query=_query_of(resource.url),
        providers={provider.issuer: provider for provider in named},
        audiences=spell_audiences((url_of(parts), *resource.audiences)),
        clients=None if resource.clients is None else frozenset(resource.clients),
        # If tenants have policies, a caller without a tenant would escape them.
        require_tenant=resource.require_tenant or config.tenants is not None,
        scopes=tuple(map(name_of, resource.scopes)),
        origins=frozenset(resource.origins),
        admits_unmapped=resource.unmapped == "authenticated",
        methods={method: said == "allow" for method, said in resource.methods.items()},
        resumable=resource.resumable,
        forward_token=resource.forward_token,
        forward_headers=frozenset(name.lower() for name in resource.forward_headers),
        metadata_url=url_of(parts._replace(path=metadata_path(path))),
        is_signed=resource.signing_keys is not None,
        scope_requests=_scope_requests(config, resource),
    )


def _scope_requests(config: Config, resource: conf.Resource) -> dict[str, str]:
    # What policies ask for besides may be granted, and is then asked for again with the rest.
    tenants = (config.tenants or {}).values()
    policies = [*config.policies, *(policy for tenant in tenants for policy in tenant.policies)]
    demands = [policy.step_up for policy in policies if policy.step_up is not None]
    scopes = [*(demand.scope for demand in demands if demand.scope is not None), *resource.scopes]
    asked = {name_of(scope): request_of(scope) for scope in scopes}
    return {name: request for name, request in asked.items() if request != name}


def build_access(config: Config) -> AccessTable:
    """Compile the access rules."""
    return compile_access(Basis(config.access.mapping), [_build_rule(rule) for rule in config.access.rules])


def _build_rule(rule: conf.AccessRule) -> AccessRule:
    selectors = [
        (kind, selector)
        for kind, written in (
            (TargetKind.TOOL, rule.tools),
            (TargetKind.RESOURCE, rule.resources),
            (TargetKind.PROMPT, rule.prompts),
        )
        for selector in written or ()
    ]
    needs_all = rule.allow_all is not None
    keys = rule.allow_all if needs_all else rule.allow
    return AccessRule(rule.name, tuple(selectors), frozenset(keys or ()), needs_all)


def build_perimeter(config: Config) -> Perimeter:
    """Collect what is configured about the way to us."""
    return Perimeter(
        trusted_proxies=_networks(config.trusted_proxies),
        country_header=None if config.country_header is None else config.country_header.lower(),
        networks={name: _networks(ranges) for name, ranges in config.networks.items()},
    )


def _networks(written: list[str] | tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(cidr) for cidr in written)
