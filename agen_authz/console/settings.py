"""What the console is given: settings that stay, rules that a reload replaces, and what is outside of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from msgspec import Struct

from agen_authz.console.history import History
from agen_authz.core.approval.flow import Flow
from agen_authz.core.approval.table import Terms
from agen_authz.core.model import Digest, Provider, Revoked
from agen_authz.core.pinning.catalogue import Catalogue
from agen_authz.ports import Clock, Entropy, KeySource
from agen_authz.ports.approval import ApprovalMetrics, ApprovalStore, SessionStore
from agen_authz.ports.sign_in import IdentityProvider
from agen_authz.wire.approval_event import EventTerms


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """What stays while the console runs.

    Args:
        base_url: `approvals.base_url`: https, or http on loopback.
        client_id: of the console, at the provider.
        session_s: how long a session lasts.
        key: a secret of at least 32 bytes; what the store keeps of sessions is encrypted with keys that come from it.
    """

    base_url: str
    client_id: str
    session_s: float
    key: bytes

    @property
    def origin(self) -> str:
        """Scheme and authority, as browsers write them."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def authority(self) -> str:
        """Host and port, as in the `Host` header."""
        return urlsplit(self.base_url).netloc

    @property
    def prefix(self) -> str:
        """The path that all pages are below, without a slash at its end; empty for the root."""
        return urlsplit(self.base_url).path.rstrip("/")

    @property
    def is_secure(self) -> bool:
        """False on http, which is allowed on loopback only: browsers keep no `Secure` cookie there."""
        return self.base_url.startswith("https://")


class PolicyView(Struct, frozen=True):
    """A policy as people wrote it.

    Args:
        selectors: what it names, such as `billing/refund`; empty for everything.
        conditions: CEL, all of which must hold.
        flow: of `require_approval`, or empty.
        tenant: whose own policy it is, or empty.
        digest: of the policy and its flow, as a request's binding has it; empty if not known.
    """

    name: str
    state: str
    effect: str
    selectors: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    flow: str = ""
    message: str = ""
    tenant: str = ""
    digest: Digest = Digest("")


@dataclass(frozen=True, slots=True)
class ConsoleRules:
    """What a reload of the configuration replaces.

    Args:
        flows: by name.
        event: what is the same in every audit event.
        pinning: `tools.pinning`.
        unmapped: by server, the tools that no access rule names.
    """

    provider: Provider
    flows: Mapping[str, Flow]
    terms: Terms
    event: EventTerms
    policies: tuple[PolicyView, ...] = ()
    revoked: Revoked = field(default_factory=Revoked)
    pinning: str = "off"
    unmapped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


async def _no_parts() -> Mapping[str, str]:
    return {}


async def _no_events() -> Sequence[bytes] | None:
    return None


def _no_history() -> History | None:
    return None


@dataclass(frozen=True, slots=True)
class ConsolePorts:
    """What is outside of the console.

    Args:
        record: writes one audit event; raises Unavailable if it cannot be written.
        catalogue: what is known of tools now.
        health: the state of each part now, by its name; `ok` if nothing is wrong.
        events: the last few hundred lines of the audit log, the oldest first; None if they are not kept for the
            console.
        history: what was counted over time; None if it is not noted.
        pin: approves a definition of a tool (server, name, digest, who); False if that is not possible any more. None
            if tools are not approved here. `catalogue` shows the approval once it is done.
    """

    approvals: ApprovalStore
    sessions: SessionStore
    identity: IdentityProvider
    keys: KeySource
    clock: Clock
    entropy: Entropy
    rules: Callable[[], ConsoleRules]
    record: Callable[[bytes], Awaitable[None]]
    metrics: ApprovalMetrics
    catalogue: Callable[[], Catalogue]
    health: Callable[[], Awaitable[Mapping[str, str]]] = _no_parts
    events: Callable[[], Awaitable[Sequence[bytes] | None]] = _no_events
    history: Callable[[], History | None] = _no_history
    pin: Callable[[str, str, Digest, str], Awaitable[bool]] | None = None
