"""The worker that decides: which engine, what operators are told, and what a reload changes."""

import hmac
from dataclasses import replace
from pathlib import Path

import pytest

from agen_authz.adapters.clock import SystemEntropy
from agen_authz.adapters.metrics import render_families
from agen_authz.app.state import join_state, migrate_state, open_state
from agen_authz.app.worker.check import CheckWorker, assemble_check
from agen_authz.config import Loaded, load
from agen_authz.core.errors import ConfigError, Unavailable
from agen_authz.servers.grpcio_engine import GrpcioEngine
from agen_authz.servers.native_engine import NativeEngine
from tests import builders as build
from tests.adapters.database import STEPS
from tests.adapters.web import running_web
from tests.config.test_mistakes import GOOD

pytestmark = pytest.mark.loopback

# Nobody listens there: a sidecar starts anyway, and denies until its provider answers.
ISSUER = "http://127.0.0.1:9/"


def loaded_with(tmp_path: Path, *changes: tuple[str, str]) -> Loaded:
    text = GOOD.replace(
        "https://id.example.com/\n", f"{ISSUER}\n    insecure_issuer: true\n    jwks: {{timeout: 200ms}}\n"
    )
    text = text.replace("authz: 127.0.0.1:9191", "authz: 127.0.0.1:9191\n  check_timeout: 300ms")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "agen.yaml"
    file.write_text(f"{text}store: {{url: 'sqlite:///{tmp_path}/agen.db'}}\n", "utf-8")
    return load(file, environ={})


async def assemble(loaded: Loaded) -> CheckWorker:
    """Build the worker on a store that was made ready."""
    state = await open_state(loaded, SystemEntropy())
    await state.store.close()
    return await assemble_check(loaded, b"m" * 32)


async def test_keys_of_an_issuer_with_a_tenant_are_those_of_the_first_listed_one(tmp_path):
    template = (
        ("http://127.0.0.1:9/\n", "'http://127.0.0.1:9/{tenantid}'\n    advertised_issuer: http://127.0.0.1:9/any\n"),
        ("claims: {tenant: tenantId}\n    tenants: any", "claims: {tenant: tid}\n    tenants: [t2, t1]"),
    )
    sidecar = await assemble(loaded_with(tmp_path, *template))
    await sidecar.close()
    assert [each.issuer for each in sidecar.keys.providers] == ["http://127.0.0.1:9/t2"]


@pytest.mark.parametrize(
    ("policy", "keeps_claims"),
    [
        ("policies: [{name: p, state: shadow, then: deny, when: ['user.claims.team == \"x\"']}]\n", True),
        (
            "tenants: {acme: {policies: [{name: p, state: enforce, then: deny, when: ['has(user.claims.team)']}]}}\n",
            True,
        ),
        ("policies: [{name: p, state: disabled, then: deny, when: ['user.claims.team == \"x\"']}]\n", False),
        ("policies: [{name: p, state: enforce, then: deny, when: ['user.subject == \"x\"']}]\n", False),
    ],
    ids=["shadow", "of a tenant", "disabled", "another variable"],
)
async def test_claims_are_kept_where_a_condition_reads_them(tmp_path, policy, keeps_claims):
    sidecar = await assemble(loaded_with(tmp_path, ("access:\n", f"{policy}access:\n")))
    await sidecar.close()
    assert sidecar.servicer._current[0].keeps_claims is keeps_claims


@pytest.mark.parametrize(
    ("server", "engine"),
    [
        ("authz: 127.0.0.1:9191", NativeEngine),
        ("engine: native\n  authz: 127.0.0.1:9191", NativeEngine),
        ("engine: grpcio\n  authz: 127.0.0.1:9191", GrpcioEngine),
        ("authz: unix:///run/agen/authz.sock", NativeEngine),
        ("insecure_plaintext: true\n  authz: 0.0.0.0:9191", GrpcioEngine),
        ("tls: {cert_file: a, key_file: b, client_ca_file: c}\n  authz: 127.0.0.1:9191", GrpcioEngine),
    ],
)
async def test_engine_follows_the_address(tmp_path, server, engine):
    sidecar = await assemble(loaded_with(tmp_path, ("authz: 127.0.0.1:9191", server)))
    await sidecar.close()
    assert isinstance(sidecar.engine, engine)


async def test_readiness_shows_the_state_of_every_part(tmp_path):
    loaded = loaded_with(tmp_path)
    sidecar = await assemble(loaded)
    await sidecar.close()
    assert sidecar.check_readiness().parts == {
        "server": "not serving",
        "policy_set": loaded.version,
        "tools": "0 tools",
        "provider corp": f"no keys yet: {ISSUER}.well-known/openid-configuration: connection refused",
        "resource crm": "no provider of it has had keys yet",
        "resource billing": "no provider of it has had keys yet",
    }
    rows = set(render_families(sidecar.collect())[0].decode().splitlines())
    assert rows >= {
        'agen_weakened{setting="resources.insecure_unsigned"} 1.0',
        'agen_calls_in_flight{rpc="check"} 0.0',
        'agen_jwks_keys{provider="corp"} 0.0',
        'agen_audit_queue_depth{sink="stdout"} 0.0',
        f'agen_audit_queue_limit{{sink="stdout"}} {float(loaded.config.limits.in_flight)}',
    }


async def test_ready_once_a_provider_of_each_resource_had_keys_and_no_reload_takes_that_away(tmp_path):
    async with running_web() as web:
        first = loaded_with(tmp_path, (ISSUER, web.url))
        sidecar = await assemble(first)
        sidecar.is_serving = True
        seen = [sidecar.check_readiness().is_ready]
        web.publish(build.jwk(build.ec_key()))
        await sidecar.apply(loaded_with(tmp_path, (ISSUER, web.url), ("timeout: 200ms", "timeout: 300ms")))
        seen.append(sidecar.check_readiness().is_ready)
        await sidecar.apply(loaded_with(tmp_path))
        readiness = sidecar.check_readiness()
        seen.append(readiness.is_ready)
        sidecar.is_serving = False
        seen.append(sidecar.check_readiness().is_ready)
        await sidecar.close()
    assert seen == [False, True, True, False]
    assert readiness.parts["resource crm"] == "no provider of it has had keys yet"


async def test_reload_keeps_keys_of_unchanged_providers_and_asks_changed_ones_again(tmp_path):
    sidecar = await assemble(loaded_with(tmp_path))
    keys = sidecar.keys
    changed = loaded_with(tmp_path, ("allow: [analyst]", "allow: [support]"))
    await sidecar.apply(changed)
    assert (sidecar.keys is keys, sidecar.version) == (True, changed.version)
    other = loaded_with(tmp_path, ("timeout: 200ms", "timeout: 100ms"))
    await sidecar.apply(other)
    await sidecar.close()
    assert (sidecar.keys is keys, sidecar.version) == (False, other.version)


async def test_store_remembers_the_first_mapping_and_one_key(tmp_path):
    first = await open_state(loaded_with(tmp_path), SystemEntropy())
    second = await open_state(loaded_with(tmp_path), SystemEntropy())
    await first.store.close()
    await second.store.close()
    assert first.digest_key == second.digest_key
    with pytest.raises(ConfigError) as caught:
        await open_state(loaded_with(tmp_path, ("mapping: roles", "mapping: permissions")), SystemEntropy())
    (problem,) = caught.value.problems
    assert (problem.path, "`roles`" in problem.message, "new store" in problem.cure) == ("access.mapping", True, True)


async def test_worker_joins_a_store_that_was_made_ready_and_no_other(tmp_path):
    loaded = loaded_with(tmp_path)
    await migrate_state(loaded)
    with pytest.raises(ConfigError, match="was not made ready"):
        await join_state(loaded)
    first = await open_state(loaded, SystemEntropy())
    joined = await join_state(loaded)
    await first.store.close()
    await joined.store.close()
    assert joined.digest_key == first.digest_key


async def test_key_of_the_store_keys_digests_too(tmp_path):
    key = tmp_path / "store.key"
    key.write_bytes(b"k" * 32)
    loaded = loaded_with(tmp_path)
    loaded.file.write_text(
        loaded.file.read_text("utf-8").replace("store: {", f"store: {{encryption_key_file: {key}, "), "utf-8"
    )
    keyed = await open_state(load(loaded.file, environ={}), SystemEntropy())
    await keyed.store.close()
    assert keyed.digest_key == hmac.digest(b"k" * 32, b"agen.digest", "sha256")


async def test_store_is_migrated_on_its_own_too(tmp_path):
    loaded = loaded_with(tmp_path)
    assert await migrate_state(loaded) == STEPS
    assert await migrate_state(loaded) == []


async def test_bound_of_a_call_of_the_store_is_not_the_bound_of_the_start(tmp_path):
    # No machine opens a database in a tenth of a millisecond.
    loaded = loaded_with(tmp_path)
    limits = loaded.config.limits.model_copy(update={"store_timeout": 0.0001})
    hasty = replace(loaded, config=loaded.config.model_copy(update={"limits": limits}))
    state = await open_state(hasty, SystemEntropy())
    with pytest.raises(Unavailable):
        await state.store.remember({"later": "x"})
    await state.store.close()
    assert len(state.digest_key) == 32
