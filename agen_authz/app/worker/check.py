"""The worker that decides: adapters are built here and passed to what needs them."""

import asyncio
import logging
from dataclasses import dataclass, replace
from functools import partial

from prometheus_client import CollectorRegistry

from agen_authz.adapters.audit import StdoutSink
from agen_authz.adapters.clock import SystemClock, SystemEntropy
from agen_authz.adapters.jwks import JwksSource
from agen_authz.adapters.metrics import Family, KeyAge, PrometheusMetrics
from agen_authz.app.cut import note_end
from agen_authz.app.evidence import tell_at_the_end, tell_by_the_clock
from agen_authz.app.listening import build_check_engine
from agen_authz.app.shadow import note_shadow
from agen_authz.app.state import OpenStore, join_state
from agen_authz.app.worker.keys import list_provider_keys
from agen_authz.app.worker.rules import build_worker_rules
from agen_authz.catalogue import CurrentCatalogue, prepare_schemas
from agen_authz.config import Config, Loaded, read_proxies, weakened
from agen_authz.config import model as conf
from agen_authz.core.arguments.approved import SchemaCompiler
from agen_authz.core.ruleset import RuleSet
from agen_authz.outside import Ports
from agen_authz.servers.engine import Engine
from agen_authz.servers.ext_authz import CheckServicer
from agen_authz.servers.ops import Readiness
from agen_authz.token_cache import TokenCache
from agen_authz.waiting import Bulkhead
from agen_authz.wire.template import Templates

_LOG = logging.getLogger(__name__)
_STDOUT = 1
# How long health checks say NOT_SERVING before new calls are refused, so that Envoy can go elsewhere.
_NOTICE_S = 1.0


@dataclass(slots=True)
class CheckWorker:
    """Everything that runs in it; `is_serving` is what `/readyz` says of Check itself."""

    version: str
    engine: Engine
    servicer: CheckServicer
    metrics: PrometheusMetrics
    keys: JwksSource
    state: OpenStore
    resources: tuple[conf.Resource, ...]
    sink: StdoutSink
    metadata_key: bytes
    is_serving: bool = False
    had_keys: bool = False
    tasks: "tuple[asyncio.Task[None], ...]" = ()

    async def start(self) -> None:
        """Listen and serve; `run.Worker.start`."""
        ports = self.servicer.ports
        self.tasks = tuple(map(asyncio.create_task, (tell_by_the_clock(ports), ports.catalogue.watch())))
        await self.engine.start()
        await self.engine.set_serving(True)
        self.is_serving = True

    async def drain(self, grace_s: float) -> None:
        """Say NOT_SERVING, keep answering for a moment, then refuse what is new and finish what is in flight."""
        self.is_serving = False
        await self.engine.set_serving(False)
        await asyncio.sleep(min(_NOTICE_S, grace_s / 4))
        self.servicer.drain()
        await self.engine.stop(grace_s)

    def collect(self) -> tuple[Family, ...]:
        """Read what was counted; `run.Worker.collect`."""
        self.metrics.set_in_flight("check", self.engine.count_in_flight())
        self.metrics.set_audit_queue("stdout", self.sink.count_waiting(), self.sink.places)
        self.metrics.set_keys(tuple(KeyAge(*each) for each in self.keys.list_ages()))
        return self.metrics.collect()

    def check_readiness(self) -> Readiness:
        """Report whether calls are accepted, and the state of each provider's keys.

        A new worker waits until one provider of each resource has had keys. A reload never takes readiness away:
        its new resources would stop those that work, on every replica at once.
        """
        keyless = self._list_keyless()
        self.had_keys = self.had_keys or not keyless
        parts = {"server": "serving" if self.is_serving else "not serving", "policy_set": self.version}
        parts["tools"] = self.servicer.ports.catalogue.describe()
        parts |= {f"provider {name}": said for name, said in self.keys.describe().items()}
        parts |= {f"resource {name}": "no provider of it has had keys yet" for name in keyless}
        return Readiness(self.is_serving and self.had_keys, parts)

    def _list_keyless(self) -> list[str]:
        without = self.keys.list_without_keys()
        return [each.name for each in self.resources if without.issuperset(each.providers)]

    async def apply(self, loaded: Loaded) -> None:
        """Decide by another configuration from now on; `run.Worker.apply`."""
        config, keys, old_keys = loaded.config, self.keys, self.keys
        wanted = list_provider_keys(loaded)
        if wanted != old_keys.providers:
            keys = JwksSource(wanted, clock=SystemClock(), metrics=self.metrics, proxies=read_proxies())
            keys.carry_over(old_keys)
        # Whatever fails fails before anything has changed. In a thread: thousands of rules take seconds.
        rules = await asyncio.to_thread(build_worker_rules, loaded, self.state, self.metadata_key)
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

    async def close(self) -> None:
        """Let go of everything, in the order that nothing misses what it needs."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.engine.stop(0)
        await tell_at_the_end(self.servicer.ports)
        self.sink.close()
        await self.keys.close()
        await self.state.store.close()


async def assemble_check(loaded: Loaded, metadata_key: bytes, *, is_again: bool = False) -> CheckWorker:
    """Build the worker; it does not listen yet.

    Args:
        metadata_key: seals what Check sends to Process.
        is_again: True if another worker wrote events before, and may have ended in the middle of a line.

    Raises:
        ConfigError: the store cannot be used.
    """
    config = loaded.config
    clock, entropy = SystemClock(), SystemEntropy()
    metrics = PrometheusMetrics(CollectorRegistry())
    state = await join_state(loaded)
    await note_shadow(config, state.store, clock.now())
    _announce(loaded, metrics)
    keys = JwksSource(list_provider_keys(loaded), clock=clock, metrics=metrics, proxies=read_proxies())
    await keys.start()
    sink = StdoutSink(_STDOUT, metrics, config.limits.in_flight, may_be_cut=is_again)
    rules = build_worker_rules(loaded, state, metadata_key)
    schemas = SchemaCompiler()
    catalogue = CurrentCatalogue(state.catalogue, clock, partial(prepare_schemas, schemas))
    await catalogue.refresh()
    remembered = _remember(rules, config)
    ports = Ports(
        clock, entropy, keys, sink, metrics, catalogue, state.tasks, *remembered, schemas, approvals=state.approvals
    )
    servicer = CheckServicer(rules, ports)
    engine = build_check_engine(config, servicer)
    return CheckWorker(loaded.version, engine, servicer, metrics, keys, state, config.resources, sink, metadata_key)


def _announce(loaded: Loaded, metrics: PrometheusMetrics) -> None:
    weak = weakened(loaded.config)
    for setting in weak:
        _LOG.warning("a setting makes the protection weaker than the default", extra={"setting": setting})
    metrics.set_weakened(tuple(weak))
    metrics.set_policy_version(loaded.version)


def _remember(rules: RuleSet, config: Config) -> tuple[TokenCache, Templates, Bulkhead]:
    """Build what is remembered under one RuleSet only: tokens were verified for its providers and resources."""
    limits = config.limits
    return (
        TokenCache(limits.token_cache, limits.token_cache_bytes),
        Templates(rules.off_word),
        Bulkhead(limits.in_flight),
    )
