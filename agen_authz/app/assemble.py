"""One sidecar from one configuration: adapters are built here and passed to what needs them."""

import asyncio
import logging
from dataclasses import dataclass, replace
from pathlib import Path

from prometheus_client import CollectorRegistry

from agen_authz.adapters.audit import StdoutSink
from agen_authz.adapters.clock import SystemClock, SystemEntropy
from agen_authz.adapters.jwks import JwksSource, ProviderKeys
from agen_authz.adapters.metrics import PrometheusMetrics
from agen_authz.adapters.sessions import MemorySessions
from agen_authz.app import garbage
from agen_authz.app.cut import note_end
from agen_authz.app.evidence import tell_at_the_end
from agen_authz.app.shadow import note_shadow
from agen_authz.app.state import OpenStore, open_state
from agen_authz.build.ruleset import build_rules, discovered_issuer
from agen_authz.config import Config, Loaded, read_proxies, unbuilt, weakened
from agen_authz.config import model as conf
from agen_authz.config.model import Server
from agen_authz.core.digest import off_word
from agen_authz.core.errors import ConfigError
from agen_authz.core.ruleset import RuleSet
from agen_authz.outside import Ports
from agen_authz.servers.engine import Engine, Listener, TlsFiles, is_local
from agen_authz.servers.ext_authz import CheckServicer
from agen_authz.servers.grpcio_engine import GrpcioEngine
from agen_authz.servers.native_engine import NativeEngine
from agen_authz.servers.ops import Readiness
from agen_authz.token_cache import TokenCache
from agen_authz.waiting import Bulkhead
from agen_authz.wire.template import Templates

_LOG = logging.getLogger(__name__)
_STDOUT = 1


@dataclass(slots=True)
class Sidecar:
    """Everything that runs; `is_serving` is what `/readyz` says of the sidecar itself."""

    version: str
    engine: Engine
    servicer: CheckServicer
    metrics: PrometheusMetrics
    keys: JwksSource
    state: OpenStore
    sessions: MemorySessions
    resources: tuple[conf.Resource, ...]
    sink: StdoutSink
    is_serving: bool = False
    had_keys: bool = False
    last_reload: str = "none yet"

    def check_readiness(self) -> Readiness:
        """Report whether calls are accepted, the state of each provider's keys, and the result of the last reload.

        A new sidecar waits until one provider of each resource has had keys. A reload never takes readiness away:
        its new resources would stop those that work, on every replica at once.
        """
        keyless = self._list_keyless()
        self.had_keys = self.had_keys or not keyless
        parts = {"server": "serving" if self.is_serving else "not serving", "policy_set": self.version}
        parts |= {"reload": self.last_reload, "sessions": self.sessions.describe()}
        parts |= {f"provider {name}": said for name, said in self.keys.describe().items()}
        parts |= {f"resource {name}": "no provider of it has had keys yet" for name in keyless}
        return Readiness(self.is_serving and self.had_keys, parts)

    def _list_keyless(self) -> list[str]:
        without = self.keys.list_without_keys()
        return [each.name for each in self.resources if without.issuperset(each.providers)]

    def note_reload(self, outcome: str, kept: str = "configuration decides") -> None:
        """Count a reload, and remember how it went; `reload.Reloadable.note_reload`."""
        self.metrics.count_policy_reload(outcome)
        self.last_reload = outcome if outcome == "ok" else f"{outcome}: the last good {kept}, see the log"

    async def apply(self, loaded: Loaded) -> None:
        """Decide by another configuration from now on; `reload.Reloadable.apply`."""
        config, keys, old_keys = loaded.config, self.keys, self.keys
        wanted = _key_settings(loaded)
        if wanted != old_keys.providers:
            keys = JwksSource(wanted, clock=SystemClock(), metrics=self.metrics, proxies=read_proxies())
            keys.carry_over(old_keys)
        # Whatever fails fails before anything has changed. In a thread: thousands of rules take seconds.
        rules = await asyncio.to_thread(_build_rules, loaded, self.state)
        tokens, templates, waiting = _remember(rules, config)
        ports = replace(self.servicer.ports, keys=keys, tokens=tokens, templates=templates, waiting=waiting)
        await note_end(loaded, self.state.store)
        if keys is not old_keys:
            await keys.start()
        self.keys, self.resources = keys, config.resources
        self.servicer.swap(rules, ports)
        self.version = loaded.version
        await note_shadow(config, self.state.store, SystemClock().now())
        _announce(loaded, self.metrics)
        if keys is not old_keys:
            # Calls that began under the old set may still wait for its provider.
            await asyncio.sleep(config.server.check_timeout)
            await old_keys.close()

    def let_go(self) -> None:
        """Free what is left of the configuration before; `reload.Reloadable.let_go`."""
        garbage.sweep()

    async def close(self) -> None:
        """Let go of everything, in the order that nothing misses what it needs."""
        await self.engine.stop(0)
        await tell_at_the_end(self.servicer.ports)
        self.sink.close()
        await self.keys.close()
        await self.state.store.close()


async def assemble(loaded: Loaded) -> Sidecar:
    """Build a sidecar; it does not listen yet.

    Raises:
        ConfigError: the configuration asks for what is not built yet, or the store refuses it.
    """
    config = loaded.config
    problems = unbuilt(loaded)
    if problems:
        raise ConfigError(tuple(problems))
    clock, entropy = SystemClock(), SystemEntropy()
    metrics = PrometheusMetrics(CollectorRegistry())
    state = await open_state(loaded, entropy)
    await note_shadow(config, state.store, clock.now())
    _announce(loaded, metrics)
    keys = JwksSource(_key_settings(loaded), clock=clock, metrics=metrics, proxies=read_proxies())
    await keys.start()
    sessions = MemorySessions(config.limits.sessions, clock)
    metrics.watch_sessions(sessions.count)
    sink = StdoutSink(_STDOUT, metrics, config.limits.in_flight)
    rules = _build_rules(loaded, state)
    ports = Ports(clock, entropy, keys, sessions, sink, metrics, *_remember(rules, config))
    servicer = CheckServicer(rules, ports)
    engine = _build_engine(config, servicer)
    return Sidecar(loaded.version, engine, servicer, metrics, keys, state, sessions, config.resources, sink)


def _announce(loaded: Loaded, metrics: PrometheusMetrics) -> None:
    weak = weakened(loaded.config)
    for setting in weak:
        _LOG.warning("a setting makes the protection weaker than the default", extra={"setting": setting})
    metrics.set_weakened(tuple(weak))
    metrics.set_policy_version(loaded.version)


def _build_rules(loaded: Loaded, state: OpenStore) -> RuleSet:
    return build_rules(
        loaded.config,
        version=loaded.version,
        digest_key=state.digest_key,
        off_word=off_word(loaded.secrets.metadata_key),
        signing_keys=loaded.secrets.signing_keys,
        compiled=loaded.conditions,
    )


def _remember(rules: RuleSet, config: Config) -> tuple[TokenCache, Templates, Bulkhead]:
    """Build what is remembered under one RuleSet only: tokens were verified for its providers and resources."""
    limits = config.limits
    return (
        TokenCache(limits.token_cache, limits.token_cache_bytes),
        Templates(rules.off_word),
        Bulkhead(limits.in_flight),
    )


def _key_settings(loaded: Loaded) -> tuple[ProviderKeys, ...]:
    return tuple(
        ProviderKeys(
            name=provider.name,
            issuer=discovered_issuer(provider),
            jwks_uri=provider.jwks_uri,
            allows_loopback_http=provider.insecure_issuer,
            refresh_s=provider.jwks.refresh,
            keep_stale_s=provider.jwks.keep_stale,
            cooldown_s=provider.jwks.cooldown,
            timeout_s=provider.jwks.timeout,
            ca=loaded.secrets.provider_cas.get(provider.name),
        )
        for provider in loaded.config.providers
    )


def build_tls_files(server: Server) -> TlsFiles | None:
    """Name the files of the listener's certificates; None where it speaks plain text."""
    if server.tls is None:
        return None
    return TlsFiles(*(Path(name) for name in (server.tls.cert_file, server.tls.key_file, server.tls.client_ca_file)))


def _build_engine(config: Config, servicer: CheckServicer) -> Engine:
    server, limits = config.server, config.limits
    tls = build_tls_files(server)
    listener = Listener(server.authz, limits.request_bytes, limits.in_flight, tls)
    engine = server.engine
    if engine == "auto":
        engine = "native" if tls is None and is_local(server.authz) else "grpcio"
    if engine == "native":
        return NativeEngine(listener, servicer)
    return GrpcioEngine(listener, servicer)
