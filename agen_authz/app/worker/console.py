"""The worker that people meet: the console, messages to people, and requests for approval that end in time.

Without it calls are decided and inspected as before; no call can be approved.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from agen_authz.adapters.clock import SystemClock
from agen_authz.adapters.metrics import Family, PrometheusMetrics
from agen_authz.adapters.notify import AppriseNotifier, Destination, Mail, read_channels, read_mail
from agen_authz.app.http import HttpServer, bind, build_server
from agen_authz.app.state import join_state
from agen_authz.app.worker.pages import ConsoleMeans, Front, Pages, Supervisor, open_pages
from agen_authz.app.worker.rules import build_worker_rules
from agen_authz.catalogue import CurrentCatalogue
from agen_authz.config import Loaded
from agen_authz.core.ruleset import RuleSet
from agen_authz.ports import AuditSink
from agen_authz.servers.ops import Readiness
from agen_authz.wire.approval_event import EventTerms
from agen_authz.workers.approvals import TimePorts, TimeTerms, TimeWorker, run_approvals
from agen_authz.workers.message import Wording
from agen_authz.workers.outbox import OutboxPorts, OutboxTerms, OutboxWorker, run_outbox

_GRACE_S = 5
_NOTE_EVERY_S = 60.0
_PATH = "server.console"


@dataclass(slots=True)
class ConsoleWorker:
    """Everything that runs in it."""

    loaded: Loaded
    rules: RuleSet
    means: ConsoleMeans
    front: Front
    notifier: AppriseNotifier
    time: TimeWorker
    outbox: OutboxWorker
    runs: "tuple[asyncio.Task[None], ...]" = ()
    server: HttpServer | None = None
    serving: "asyncio.Task[None] | None" = None

    @property
    def version(self) -> str:
        """The version of the configuration that is in effect."""
        return self.loaded.version

    @property
    def sink(self) -> AuditSink:
        """Where its events go."""
        return self.means.sink

    async def start(self) -> None:
        """Listen and serve, and begin what runs by the clock; `run.Worker.start`."""
        config, means = self.loaded.config, self.means
        # Bound first: an address that is taken is reported before anything is asked.
        listener = None if config.console is None else bind(config.server.console, _PATH)
        self.front.pages = await self._open(self.loaded, self.rules)
        if listener is not None:
            self.server = build_server(self.front, grace_s=_GRACE_S)
            self.serving = asyncio.create_task(self.server.serve(sockets=[listener]))
        self.runs = (
            asyncio.create_task(means.catalogue.watch()),
            asyncio.create_task(run_approvals(self.time, _time_ports(means), asyncio.sleep)),
            asyncio.create_task(run_outbox(self.outbox, _outbox_ports(means, self.notifier), asyncio.sleep)),
            asyncio.create_task(self._note_history()),
        )

    async def _note_history(self) -> None:
        """Note what all workers have counted, by the clock, until cancelled."""
        supervisor, means = Supervisor(self.loaded.config.server.ops), self.means
        while True:
            text = await supervisor.read_metrics()
            if text is not None:
                means.history.note(text, means.clock.now())
            await asyncio.sleep(_NOTE_EVERY_S)

    async def apply(self, loaded: Loaded) -> None:
        """Serve by another configuration from now on; `run.Worker.apply`."""
        # Whatever fails fails before anything has changed. In a thread: thousands of rules take seconds.
        channels, mail = read_places(loaded)
        rules = await asyncio.to_thread(_build_rules, loaded, self.means)
        pages, before = await self._open(loaded, rules), self.front.pages
        self.front.pages = pages
        self.notifier.use(channels, mail)
        self.time.terms, self.outbox.terms = _time_terms(loaded, rules), _outbox_terms(loaded, rules)
        self.loaded, self.rules = loaded, rules
        self.means.metrics.set_policy_version(loaded.version)
        if before is not None:
            # Sign-ins that have begun under the old configuration may still wait for its provider.
            await asyncio.sleep(_GRACE_S)
            await before.close()

    async def _open(self, loaded: Loaded, rules: RuleSet) -> Pages | None:
        console = loaded.config.console
        return None if console is None else await open_pages(loaded, console, rules, self.means)

    def check_readiness(self) -> Readiness:
        """Report whether people are served; `run.Worker.check_readiness`."""
        parts = {"tools": self.means.catalogue.describe()}
        if self.front.pages is not None:
            parts |= {f"sign-in at {name}": said for name, said in self.front.pages.keys.describe().items()}
        return Readiness(bool(self.runs), parts)

    def collect(self) -> tuple[Family, ...]:
        """Read what was counted; `run.Worker.collect`."""
        return self.means.metrics.collect()

    async def drain(self, grace_s: float) -> None:
        """Finish the pages that people wait for; messages under way are left to the next process that leases them."""
        if self.server is not None and self.serving is not None:
            self.server.should_exit = True
            await asyncio.wait((self.serving,), timeout=grace_s)

    async def close(self) -> None:
        """Let go of everything."""
        await self.drain(0)
        tasks = [*self.runs, *(() if self.serving is None else (self.serving,))]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.notifier.close()
        if self.front.pages is not None:
            await self.front.pages.close()
        await self.means.state.store.close()


async def assemble_console(
    loaded: Loaded,
    metadata_key: bytes,
    metrics: PrometheusMetrics,
    sink: AuditSink,
    events: Callable[[], Awaitable[Sequence[bytes] | None]],
) -> ConsoleWorker:
    """Build the worker; it does not listen yet.

    Args:
        sink: where events go; the worker that decides writes them.
        events: reads the last ones, of all workers.

    Raises:
        ConfigError: the store cannot be used, or a file of URLs is not one.
    """
    channels, mail = read_places(loaded)
    state = await join_state(loaded)
    means = ConsoleMeans(state, CurrentCatalogue(state.catalogue, SystemClock()), metrics, sink, metadata_key, events)
    await means.catalogue.refresh()
    rules = _build_rules(loaded, means)
    notifier = AppriseNotifier(channels, mail)
    time = TimeWorker(_time_ports(means), _time_terms(loaded, rules))
    outbox = OutboxWorker(_outbox_ports(means, notifier), _outbox_terms(loaded, rules))
    metrics.set_policy_version(loaded.version)
    return ConsoleWorker(loaded, rules, means, Front(), notifier, time, outbox)


def read_places(loaded: Loaded) -> tuple[dict[str, tuple[Destination, ...]], Mail | None]:
    """Read where messages go: the channels of each flow, and the mail server.

    Raises:
        ConfigError: a file is not what it should be.
    """
    config, secrets = loaded.config, loaded.secrets
    files = {flow.name: flow.notify.urls_file for flow in config.approvals.flows}
    channels = {
        name: read_channels(file, secrets.flow_urls[name])
        for name, file in files.items()
        if file is not None and name in secrets.flow_urls
    }
    file = config.notifications.email_url_file
    mail = None if file is None or secrets.mail_url is None else read_mail(file, secrets.mail_url)
    return channels, mail


def _build_rules(loaded: Loaded, means: ConsoleMeans) -> RuleSet:
    return build_worker_rules(loaded, means.state, means.metadata_key)


def _time_ports(means: ConsoleMeans) -> TimePorts:
    state = means.state
    return TimePorts(state.approvals, state.sessions, means.record, means.clock, means.entropy, means.metrics)


def _time_terms(loaded: Loaded, rules: RuleSet) -> TimeTerms:
    held = rules.approvals
    event = EventTerms(rules.version, rules.digest_key)
    return TimeTerms(held.flows, held.terms, loaded.config.approvals.retention, event)


def _outbox_ports(means: ConsoleMeans, notifier: AppriseNotifier) -> OutboxPorts:
    state = means.state
    return OutboxPorts(state.outbox, state.approvals, notifier, means.clock, means.entropy, means.metrics)


def _outbox_terms(loaded: Loaded, rules: RuleSet) -> OutboxTerms:
    wording = Wording(rules.approvals.base_url, rules.approvals.flows)
    return OutboxTerms(wording, loaded.config.notifications.max_per_hour)
