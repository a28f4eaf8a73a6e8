"""Configuration becomes the values that requests are decided by."""

from dataclasses import replace
from pathlib import Path

import pytest

from agen_authz.build.ruleset import (
    build_access,
    build_provider,
    build_resource,
    build_rules,
    discovered_issuer,
    parse_claim_path,
)
from agen_authz.config import load
from agen_authz.core.http.context import Perimeter
from agen_authz.core.model import Target, TargetKind
from agen_authz.core.policy.access import Granted, NotGranted, Unmapped
from agen_authz.core.signature import SignedTarget, Signer, SigningKey
from tests import builders
from tests.config.test_mistakes import GOOD


def config_of(tmp_path: Path, old: str = "", new: str = ""):
    file = tmp_path / "agen.yaml"
    file.write_text(GOOD.replace(old, new, 1) if old else GOOD, "utf-8")
    return load(file, environ={}).config


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("roles", ("roles",)),
        ("realm_access.roles", ("realm_access", "roles")),
        ("/https:~1~1example.com~1roles", ("https://example.com/roles",)),
        ("/a~0b/c", ("a~b", "c")),
    ],
)
def test_claim_path_is_dotted_or_a_json_pointer(written, path):
    assert parse_claim_path(written) == path


def test_names_may_be_the_keys_of_an_object(tmp_path):
    written = "claims: {tenant: tenantId, roles: {path: [a.b, /https:~1~1x.example~1r], keys: true}, groups: {path: g}}"
    config = config_of(tmp_path, "claims: {tenant: tenantId}", written)
    paths = build_provider(config.providers[0]).claims
    assert (paths.roles, paths.groups, paths.keyed) == (
        (("a", "b"), ("https://x.example/r",)),
        (("g",),),
        frozenset({"roles"}),
    )


def test_issuer_with_a_tenant_is_discovered_at_the_first_one(tmp_path):
    old = "    issuer: https://id.example.com/\n    claims: {tenant: tenantId}\n    tenants: any\n"
    new = (
        "    issuer: 'https://id.example.com/{tenantid}/v2.0'\n    claims: {tenant: tid}\n    tenants: [t2, t1]\n"
        "    advertised_issuer: https://id.example.com/any\n"
    )
    template, plain = config_of(tmp_path, old, new).providers[0], config_of(tmp_path).providers[0]
    assert [discovered_issuer(each) for each in (template, plain)] == [
        "https://id.example.com/t2/v2.0",
        "https://id.example.com/",
    ]


@pytest.mark.parametrize(
    ("url", "authorities", "path", "query", "metadata"),
    [
        ("https://a.example/x/mcp", {"a.example", "a.example:443"}, "/x/mcp", None, "https://a.example{}/x/mcp"),
        ("https://a.example:8443/x", {"a.example:8443"}, "/x", None, "https://a.example:8443{}/x"),
        ("http://127.0.0.1:10000/x", {"127.0.0.1:10000"}, "/x", None, "http://127.0.0.1:10000{}/x"),
        ("http://[::1]/x", {"[::1]", "[::1]:80"}, "/x", None, "http://[::1]{}/x"),
        ("https://a.example", {"a.example", "a.example:443"}, "/", None, "https://a.example{}"),
        ("https://a.example/x?t=1", {"a.example", "a.example:443"}, "/x", "t=1", "https://a.example{}/x?t=1"),
    ],
)
def test_resource_is_what_its_url_says(tmp_path, url, authorities, path, query, metadata):
    config = config_of(tmp_path, "https://mcp.example.com/crm/mcp", url)
    built = build_resource(config, config.resources[0], {"corp": builders.provider(name="corp")})
    assert (built.authorities, built.path, built.query) == (frozenset(authorities), path, query)
    assert built.metadata_url == metadata.format("/.well-known/oauth-protected-resource")


# What a client compares with the URL that it was given, it must find letter by letter (RFC 9728 section 3.3).
def test_default_port_is_accepted_and_not_shown(tmp_path):
    config = config_of(tmp_path, "https://mcp.example.com/crm/mcp", "https://mcp.example.com:443/crm/mcp")
    built = build_resource(config, config.resources[0], {"corp": builders.provider(name="corp")})
    metadata = "https://mcp.example.com/.well-known/oauth-protected-resource/crm/mcp"
    assert (built.url, built.metadata_url) == ("https://mcp.example.com/crm/mcp", metadata)
    assert built.authorities == frozenset({"mcp.example.com", "mcp.example.com:443"})


def test_audiences_are_the_url_and_what_is_configured_in_every_spelling(tmp_path):
    config = config_of(tmp_path, "https://mcp.example.com/crm/mcp", "https://a.example\n    audiences: [crm]")
    built = build_resource(config, config.resources[0], {"corp": builders.provider(name="corp")})
    assert built.audiences == frozenset({"https://a.example", "https://a.example/", "crm"})


def test_rules_are_compiled_as_written(tmp_path):
    access = build_access(config_of(tmp_path))
    analyst = replace(builders.principal(), roles=("analyst",))
    stranger = replace(builders.principal(), roles=("stranger",))
    get, drop = (Target(TargetKind.TOOL, "crm", name) for name in ("get_x", "drop"))
    assert access.check(analyst, get) == Granted("read")
    assert access.check(stranger, get) == NotGranted()
    assert access.check(analyst, drop) == Unmapped()


def test_allow_all_needs_all(tmp_path):
    access = build_access(config_of(tmp_path, "allow: [analyst]", "allow_all: [analyst, mfa]"))
    get = Target(TargetKind.TOOL, "crm", "get_x")
    assert access.check(replace(builders.principal(), roles=("analyst",)), get) == NotGranted()
    assert access.check(replace(builders.principal(), roles=("mfa", "analyst")), get) == Granted("read")


def test_rules_hold_what_the_file_says(tmp_path):
    rules = build_rules(
        config_of(tmp_path), version="v", digest_key=b"k", off_word="off", metadata_key=b"m" * 32, signing_keys={}
    )
    assert (rules.timeout_s, rules.off_word) == (1.0, "off")
    assert rules.version == "v"
    assert isinstance(rules.perimeter, Perimeter)
    assert rules.resources.keys() == {"crm", "billing"}


def test_provider_says_what_it_may_speak_for(tmp_path):
    config = config_of(
        tmp_path,
        "tenants: any\n    roles: any",
        "tenants: [acme]\n    roles: [analyst]\n    token_types: [application/at+jwt]",
    )
    rules = build_rules(config, version="v", digest_key=b"k", off_word="off", metadata_key=b"m" * 32, signing_keys={})
    (provider,) = rules.resources["crm"].providers.values()
    assert (provider.tenants, provider.roles) == (frozenset({"acme"}), frozenset({"analyst"}))
    assert (provider.token_types, provider.advertised_issuer) == (frozenset({"at+jwt"}), "https://id.example.com/")


def test_first_key_signs_what_the_backend_sees(tmp_path):
    for name in ("new", "old"):
        (tmp_path / name).write_bytes(name.encode() * 20 + b"\n")
    keys = ", ".join(f"{{id: crm-{name}, secret_file: {tmp_path / name}}}" for name in ("new", "old"))
    file = tmp_path / "signed.yaml"
    signed = GOOD.replace("insecure_unsigned: true", f"upstream_path: /mcp\n    signing_keys: [{keys}]", 1)
    file.write_text(signed + "signing: {expires: 1500ms, components: ['@authority']}\n", "utf-8")
    loaded = load(file, environ={})
    secrets = loaded.secrets.signing_keys
    rules = build_rules(
        loaded.config, version="v", digest_key=b"k", off_word="off", metadata_key=b"m" * 32, signing_keys=secrets
    )
    target = SignedTarget("https", "mcp.example.com", "/mcp", None)
    by_hand = Signer(
        SigningKey("crm-new", b"new" * 20), target, resource_header='"crm"', components=("@authority",), expires_s=2
    )
    asked = (builders.request(), '"agen-issuer": "x"\n', "r")
    built = rules.signers["crm"].sign(*asked, created=1, nonce="n", is_modern=False)
    assert built == by_hand.sign(*asked, created=1, nonce="n", is_modern=False)
    assert [each.is_signed for each in rules.resources.values()] == [True, False]


def test_scopes_are_held_by_one_name_and_asked_for_by_another(tmp_path):
    scopes = "scopes: [mcp.read, {name: mcp.tools, request_as: 'api://id/mcp.tools'}]"
    demand = "step_up: {scope: {name: pay, request_as: 'api://id/pay'}}"
    plain = "step_up: {scope: mcp.read}"
    policies = "".join(
        f"  - {{name: p{index}, state: enforce, tools: ['crm/pay'], then: step_up, {each}}}\n"
        for index, each in enumerate((demand, plain))
    )
    file = tmp_path / "agen.yaml"
    text = GOOD.replace("insecure_unsigned: true", f"insecure_unsigned: true\n    {scopes}", 1)
    file.write_text(f"{text}policies:\n{policies}", "utf-8")
    config = load(file, environ={}).config
    rules = build_rules(
        config, version="v1", digest_key=b"k" * 32, off_word="off", metadata_key=b"m" * 32, signing_keys={}
    )
    crm, billing = (rules.resources[name] for name in ("crm", "billing"))
    assert (crm.scopes, billing.scopes) == (("mcp.read", "mcp.tools"), ())
    assert crm.scope_requests == {"mcp.tools": "api://id/mcp.tools", "pay": "api://id/pay"}
    assert billing.scope_requests == {"pay": "api://id/pay"}
