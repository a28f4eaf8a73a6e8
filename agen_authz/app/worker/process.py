"""A worker that inspects responses: it has the rule set and the metadata key of the worker that decides."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from agen_authz.adapters.clock import SystemClock
from agen_authz.adapters.metrics import Family, PrometheusMetrics
from agen_authz.app.listening import build_process_engine
from agen_authz.app.state import OpenStore, join_state
from agen_authz.app.worker.assign import Assigner
from agen_authz.app.worker.masks import Masks
from agen_authz.app.worker.rules import build_worker_rules
from agen_authz.catalogue import CurrentCatalogue, prepare_schemas
from agen_authz.config import Config, Loaded
from agen_authz.core.arguments.approved import SchemaCompiler
from agen_authz.core.errors import Unavailable
from agen_authz.core.pinning.catalogue import Catalogue
from agen_authz.core.response.body import ResponseLimits
from agen_authz.obligations.learn import DriftPorts, report_unmapped, tell_pins
from agen_authz.obligations.mask import MaskingPorts
from agen_authz.obligations.watch import Watcher
from agen_authz.ports import AuditSink
from agen_authz.servers.ext_proc import ProcessPorts, ProcessRules, ProcessServicer
from agen_authz.servers.ops import Readiness
from agen_authz.servers.process_engine import ProcessEngine

_LOG = logging.getLogger(__name__)
# After so long without a stream none is expected: what Check allowed before it ended has been answered.
_QUIET_S = 1.0
_PERIOD_S = 1.0


@dataclass(slots=True)
class ProcessWorker:
    """Everything that runs in it."""

    version: str
    assigner: Assigner
    servicer: ProcessServicer
    engine: ProcessEngine
    metrics: PrometheusMetrics
    state: OpenStore
    sink: AuditSink
    metadata_key: bytes
    # One worker of all tells what operators pinned.
    tells_pins: bool
    is_serving: bool = False
    tasks: "tuple[asyncio.Task[None], ...]" = ()

    async def start(self) -> None:
        """Listen and serve; `run.Worker.start`."""
        # Before it serves: in the first second the thread that compiles would hold up whatever waits for the store.
        await asyncio.to_thread(self.assigner.masks.prepare, self.assigner.rules[0])
        runs = (self.assigner.ports.current.watch(), self.look_after(), self.assigner.watcher.run())
        self.tasks = tuple(map(asyncio.create_task, runs))
        await self.engine.start()
        await self.engine.set_serving(True)
        self.is_serving = True

    async def apply(self, loaded: Loaded) -> None:
        """Inspect by another configuration from now on; `run.Worker.apply`."""
        # In a thread: thousands of rules take seconds.
        rules = await asyncio.to_thread(build_worker_rules, loaded, self.state, self.metadata_key)
        masks = Masks()
        await asyncio.to_thread(masks.prepare, rules)
        # Calls that were decided before are still answered: their rules stay until the next reload.
        kept = (rules, *(each for each in self.assigner.rules[:1] if each.version != rules.version))
        self.assigner = replace(self.assigner, rules=kept, limits=_limits_of(loaded.config), masks=masks)
        self.servicer.swap(ProcessRules(rules.off_word, self.assigner.assign))
        self.version = loaded.version
        self.metrics.set_policy_version(loaded.version)

    async def look_after(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Report what the catalogue shows, by the clock, until cancelled; a defect is logged, and it continues."""
        while True:
            try:
                report_unmapped(self.assigner.rules[0], self.assigner.ports)
                if self.tells_pins:
                    await tell_pins(self.version, self.assigner.ports)
            except Unavailable:
                # The next time tells it; the store and the sink report their own failures.
                pass
            except Exception:  # noqa: BLE001 the top of a background task: it is logged, and the task continues
                _LOG.exception("a defect stopped the report of what is known of tools; the next one is in a second")
            await sleep(_PERIOD_S)

    async def drain(self, grace_s: float) -> None:
        """Say NOT_SERVING, answer what still comes, and end once no stream has been open for a moment."""
        self.is_serving = False
        await self.engine.set_serving(False)
        ends = asyncio.get_running_loop().time() + grace_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.engine.wait_quiet(min(_QUIET_S, grace_s / 4))
        await self.engine.stop(max(0.0, ends - asyncio.get_running_loop().time()))

    def collect(self) -> tuple[Family, ...]:
        """Read what was counted; `run.Worker.collect`."""
        self.metrics.set_in_flight("process", self.engine.count_in_flight())
        return self.metrics.collect()

    def check_readiness(self) -> Readiness:
        """Report whether streams are accepted, and what is known of tools."""
        return Readiness(self.is_serving, {"tools": self.assigner.ports.current.describe()})

    async def close(self) -> None:
        """Let go of everything."""
        await self.engine.stop(0)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.state.store.close()


async def assemble_process(
    loaded: Loaded, index: int, metadata_key: bytes, metrics: PrometheusMetrics, sink: AuditSink
) -> ProcessWorker:
    """Build the worker of this index, counted from 0; it does not listen yet.

    Args:
        metadata_key: what authenticates the metadata that Check sends.
        sink: where events go; the worker that decides writes them.

    Raises:
        ConfigError: the store cannot be used.
    """
    state, clock = await join_state(loaded), SystemClock()
    rules = build_worker_rules(loaded, state, metadata_key)
    outputs = SchemaCompiler(part="outputSchema")
    # Without a rule no result is masked, so no schema is needed. After a reload they are compiled when they are.
    current = CurrentCatalogue(
        state.catalogue, clock, partial(prepare_schemas, outputs) if rules.protection_rules else _leave
    )
    await current.refresh()
    ports = DriftPorts(current, state.catalogue, sink, metrics, clock)
    masking = MaskingPorts(sink, metrics, clock)
    assigner = Assigner((rules,), _limits_of(loaded.config), ports, state.tasks, masking, Watcher(masking), outputs)
    servicer = ProcessServicer(ProcessRules(rules.off_word, assigner.assign), ProcessPorts(clock, metrics))
    metrics.set_policy_version(loaded.version)
    engine = build_process_engine(loaded.config, index, servicer)
    return ProcessWorker(
        version=loaded.version,
        assigner=assigner,
        servicer=servicer,
        engine=engine,
        metrics=metrics,
        state=state,
        sink=sink,
        metadata_key=metadata_key,
        tells_pins=index == 0,
    )


def _leave(_: Catalogue) -> None:
    """Prepare nothing."""


def _limits_of(config: Config) -> ResponseLimits:
    limits = config.limits
    return ResponseLimits(limits.response_bytes, limits.json_depth)
