"""What the shell needs from the outside, as Protocols: adapters implement them, tests have their own."""

from collections.abc import Collection, Hashable, Mapping
from typing import Protocol

from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.model import BoundTask, Digest, Matched
from agen_authz.core.pinning.catalogue import Sighting
from agen_authz.core.pinning.definition import Definition
from agen_authz.core.pinning.record import Listing, Noted, PinRecord
from agen_authz.core.reason import Reason
from agen_authz.core.response.step import ResponseOutcome


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Seconds since the epoch, UTC; may step."""

    def elapsed(self) -> float:
        """Seconds since some fixed moment; never steps back."""


class Entropy(Protocol):
    """Gives values that cannot be guessed."""

    def draw(self, size_bytes: int) -> bytes:
        """Return fresh random bytes."""


class KeySource(Protocol):
    """Keeps the published keys of every provider."""

    def find_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        """Find the key in memory that has this `kid` and is good for this algorithm (RFC 7517 section 4.5).

        An empty `kid` means that the token names none: then the only key without a `kid` that fits the algorithm.
        None if there is no such key, if several keys fit, or if the keys are too stale to be believed.
        """

    async def fetch_key(self, provider: str, kid: str, algorithm: str) -> PublicKey | None:
        """Find a key as `find_key` does, asking the provider once more if needed; None if it is not published.

        Raises:
            Unavailable: the provider did not answer (`PROVIDER_UNAVAILABLE`), or may not be asked just now
                (`KEY_UNSETTLED`): it is not known whether the key is published.
        """


class AuditSink(Protocol):
    """Takes evidence."""

    def emit(self, line: bytes) -> bool:
        """Write one event (a line of JSON) now, if there is room; False if there is not, and nothing is written.

        Raises:
            Unavailable: the event cannot be written.
        """

    async def emit_in_turn(self, line: bytes, owner: Hashable) -> None:
        """Write one event on the event loop, once there is room and it is its owner's turn.

        How long that takes is bounded by the caller. How many events wait is bounded here: if one more comes, the
        newest event of the owner who has the most leaves.

        Raises:
            Unavailable: the event cannot be written, or had to leave.
        """


class DecisionMetrics(Protocol):
    """Counts decisions; every label comes from a closed set."""

    def count_decision(self, decision: str, reason: Reason, server: str, seconds: float) -> None:
        """Count one decision and how long it took."""

    def count_matches(self, matched: tuple[Matched, ...]) -> None:
        """Count policies that applied to a call, or could not be evaluated for it."""


class ResponseMetrics(Protocol):
    """Counts responses that Process inspected."""

    def count_response(self, server: str, outcome: ResponseOutcome) -> None:
        """Count one response; `server` is empty if it is not known whose it was."""

    def count_unread(self, server: str) -> None:
        """Count a response of which something passed without being inspected."""

    def count_masking_incomplete(self, server: str, count: int) -> None:
        """Count messages that were withheld because something was left after masking."""


class MaskingMetrics(Protocol):
    """Counts values that data protection found; detectors are those of the catalogue and of the configuration."""

    def count_masked(self, detector: str, style: str, server: str, count: int) -> None:
        """Count values that an enforced rule masked."""

    def count_masked_shadow(self, detector: str, style: str, server: str, count: int) -> None:
        """Count values that a rule in shadow would have masked."""

    def count_unruled(self, detector: str, server: str, count: int) -> None:
        """Count values that a sample of what no rule covers shows."""

    def count_copy(self, server: str, outcome: str) -> None:
        """Count a copy of a response that passed as it is: `found`, `clean`, `dropped` or `unread`."""


class AuditMetrics(Protocol):
    """Counts the events of an audit sink."""

    def count_audit_event(self, sink: str, outcome: str) -> None:
        """Count one audit event: `written` or `failed`."""


class KeyMetrics(Protocol):
    """Counts the fetches of providers' keys."""

    def count_jwks_refresh(self, provider: str, outcome: str) -> None:
        """Count one attempt to fetch a provider's keys: `ok`, `failed` or `malformed`."""


class DriftMetrics(Protocol):
    """Counts what is noticed of tool definitions."""

    def count_tool_drift(self, server: str, kind: str, count: int = 1) -> None:
        """Count definitions that were seen for the first time, by kind (`core.pinning.change.Kind`); `pushed_out`
        counts those that the store had to let go for them."""

    def set_tools_unmapped(self, server: str, count: int) -> None:
        """Show how many of the tools that a server lists no access rule names."""


class CatalogueStore(Protocol):
    """Keeps the definitions of tools: what was seen, what is approved, and by whom.

    Every method raises Unavailable if the store did not answer.
    """

    async def read_version(self) -> int:
        """Read the version, which grows with every change that `list_tools` shows."""

    async def list_tools(self, known: Mapping[Digest, Definition]) -> Listing:
        """List all that is kept; definitions that are `known` are taken from there."""

    async def note_seen(self, server: str, sightings: Collection[Sighting], now: float) -> Noted:
        """Note the definitions of one list in one step, each tool's as the one that was seen last.

        When they were seen is noted again after a minute (`SETTLED_S`). Definitions that are not approved are bounded
        by tool and by server (`core.pinning.record`): the oldest go.
        """

    async def approve(self, server: str, name: str, digest: Digest, by: str, now: float) -> bool:
        """Approve a definition and record who did; False if it is not kept whole, or approved already."""

    async def withdraw(self, server: str, name: str, digest: Digest, by: str, now: float) -> bool:
        """Withdraw an approval and record who did; False if the definition is not approved."""

    async def forget(self, server: str, name: str, by: str, now: float) -> bool:
        """Forget all that is kept of a tool and record who did; False if nothing is kept."""

    async def list_untold(self) -> tuple[PinRecord, ...]:
        """List the first hundred records that are not marked as told, the oldest first."""

    async def mark_told(self, ids: Collection[int]) -> None:
        """Mark records as told: an event names each."""


class TaskStore(Protocol):
    """Remembers whom tasks belong to, and which tool made them.

    Every method raises Unavailable if the store did not answer.
    """

    async def bind(self, server: str, task_id: str, task: BoundTask, now: float) -> bool:
        """Bind a task in one step; False if it is another caller's, or another tool's, by now.

        It stays bound for `TASK_KEPT_S` from the last time that it was bound. If there is no room, the caller with the
        most tasks loses the oldest.
        """

    async def find(self, server: str, task_id: str, now: float) -> BoundTask | None:
        """Find what is known of a task; None if it is bound to no caller."""


class Store(Protocol):
    """What must survive a restart."""

    async def remember(self, defaults: Mapping[str, str]) -> Mapping[str, str]:
        """Keep each value unless its name is there already, in one step; return what is kept.

        Raises:
            Unavailable: the store did not answer.
        """

    async def remember_only(self, prefix: str, defaults: Mapping[str, str]) -> Mapping[str, str]:
        """As `remember`, and forget in the same step whatever else has a name that begins with `prefix`.

        Raises:
            Unavailable: the store did not answer.
        """

    async def recall(self, names: Collection[str]) -> Mapping[str, str]:
        """Return what is kept under these names; a name under which nothing is kept is left out.

        Raises:
            Unavailable: the store did not answer.
        """

    async def close(self) -> None:
        """Close the store."""
