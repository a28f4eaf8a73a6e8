"""A worker that inspects responses: it has the rule set and the metadata key of the worker that decides."""

import asyncio
import contextlib
from dataclasses import dataclass

from agen_authz.adapters.metrics import Family, PrometheusMetrics
from agen_authz.app.listening import build_process_engine
from agen_authz.app.state import OpenStore, join_state
from agen_authz.app.worker.rules import build_worker_rules
from agen_authz.config import Loaded
from agen_authz.core.ruleset import RuleSet
from agen_authz.ports import AuditSink
from agen_authz.servers.grpcio_stream import StreamServicer
from agen_authz.servers.ops import Readiness
from agen_authz.servers.process_engine import ProcessEngine, RefusingServicer

# After so long without a stream none is expected: what Check allowed before it ended has been answered.
_QUIET_S = 1.0


@dataclass(slots=True)
class ProcessWorker:
    """Everything that runs in it."""

    version: str
    rules: RuleSet
    engine: ProcessEngine
    metrics: PrometheusMetrics
    state: OpenStore
    sink: AuditSink
    is_serving: bool = False

    async def start(self) -> None:
        """Listen and serve; `run.Worker.start`."""
        await self.engine.start()
        await self.engine.set_serving(True)
        self.is_serving = True

    async def apply(self, loaded: Loaded) -> None:
        """Inspect by another configuration from now on; `run.Worker.apply`."""
        # In a thread: thousands of rules take seconds.
        self.rules = await asyncio.to_thread(build_worker_rules, loaded, self.state)
        self.version = loaded.version
        self.metrics.set_policy_version(loaded.version)

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
        return self.metrics.collect()

    def check_readiness(self) -> Readiness:
        """Report whether streams are accepted."""
        return Readiness(self.is_serving, {})

    async def close(self) -> None:
        """Let go of everything."""
        await self.engine.stop(0)
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
    state = await join_state(loaded)
    rules = build_worker_rules(loaded, state)
    metrics.set_policy_version(loaded.version)
    engine = build_process_engine(loaded.config, index, _build_servicer())
    return ProcessWorker(loaded.version, rules, engine, metrics, state, sink)


def _build_servicer() -> StreamServicer:
    """Build what answers streams."""
    return RefusingServicer()
