"""What is owed for every decision, and where it is met."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agen_authz.core.signature import Signer
from agen_authz.obligations.crowd import Crowd
from agen_authz.ports import AuditSink, Clock, Entropy, SessionTable
from agen_authz.wire.event import Recording


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where obligations are met."""

    clock: Clock
    entropy: Entropy
    sessions: SessionTable
    audit: AuditSink
    crowd: Crowd = field(default_factory=Crowd)


@dataclass(frozen=True, slots=True)
class Duties:
    """What is owed for every decision: requests to some resources are signed, and there is an event of each.

    Args:
        denials_per_second: how many requests without a verified caller have an event each; the rest are counted.
    """

    recording: Recording
    signers: Mapping[str, Signer]
    denials_per_second: int
