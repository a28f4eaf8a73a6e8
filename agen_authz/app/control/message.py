"""What the supervisor tells a worker, and what a worker tells the supervisor: two closed unions.

Secrets go this way and no other: not in arguments or variables, which other processes of the same user can read.
"""

from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from agen_authz.adapters.metrics import Family
from agen_authz.config import Loaded, Secrets, load_again
from agen_authz.core.errors import Problem
from agen_authz.core.reason import Reason


class Handed(Struct, frozen=True):
    """A configuration that the supervisor has read and checked, and every worker loads from these bytes."""

    file: str
    raw: bytes
    secrets: Secrets

    def __repr__(self) -> str:
        """Show nothing of what it holds."""
        return "Handed()"

    def load(self) -> Loaded:
        """Load it again, as `config.load_again`."""
        return load_again(Path(self.file), self.raw, self.secrets)


def hand(loaded: Loaded) -> Handed:
    """Make what workers are handed."""
    return Handed(str(loaded.file), loaded.raw, loaded.secrets)


# ---- to a worker ---------------------------------------------------------------------------------------------


class Begin(Struct, frozen=True, tag=True):
    """Build everything, and serve. The first message.

    Args:
        metadata_key: what the supervisor drew; `server.metadata_key_file` comes before it.
        is_again: True if another worker was in its place before, which may have been cut off while it wrote.
    """

    config: Handed
    metadata_key: bytes
    is_again: bool = False

    def __repr__(self) -> str:
        """Show nothing of what it holds."""
        return "Begin()"


class Apply(Struct, frozen=True, tag=True):
    """Decide by another configuration; answered with `Applied` of the same number."""

    number: int
    config: Handed


class Ask(Struct, frozen=True, tag=True):
    """Say how you are; answered with `Status` of the same number."""

    number: int


class Drain(Struct, frozen=True, tag=True):
    """Take nothing new, and finish what is in flight within so many seconds; answered with `Drained`."""

    grace_s: float


class End(Struct, frozen=True, tag=True):
    """Let go of everything, and end."""


# ---- both ways: from another worker to the one that decides, and the answer back -------------------------------


class Write(Struct, frozen=True, tag=True):
    """Write an event for me; answered with `Written` of the same number.

    Args:
        line: without its end.
        owner: whose turn it takes.
    """

    number: int
    line: bytes
    owner: str


class Withdraw(Struct, frozen=True, tag=True):
    """Do not write it any more, if it is not written yet; not answered."""

    number: int


class Written(Struct, frozen=True, tag=True):
    """The result of `Write`.

    Args:
        is_written: False if the event is not evidence.
        is_counted: True if the worker that was to write it has counted that.
    """

    number: int
    is_written: bool
    is_counted: bool = True


class Recall(Struct, frozen=True, tag=True):
    """Show me the last events; answered with `Recalled` of the same number."""

    number: int


class Recalled(Struct, frozen=True, tag=True):
    """The last lines that were written, without their ends, the oldest first; None if they are not known."""

    number: int
    lines: tuple[bytes, ...] | None


ToWorker: TypeAlias = Begin | Apply | Ask | Drain | End | Write | Withdraw | Written | Recall | Recalled


# ---- to the supervisor ---------------------------------------------------------------------------------------


class Serving(Struct, frozen=True, tag=True):
    """The worker listens and serves by this configuration; `pid` is that of its process."""

    version: str
    pid: int = 0


class Unstartable(Struct, frozen=True, tag=True):
    """The worker cannot start with this configuration, and ends."""

    problems: tuple[Problem, ...]


class Applied(Struct, frozen=True, tag=True):
    """The result of `Apply`; the last good configuration stays if there are problems.

    Args:
        version: of the configuration that decides now.
        problems: why it cannot take effect.
        unavailable: what did not answer (Reason and name), if that is all: the same may succeed later.
    """

    number: int
    version: str
    problems: tuple[Problem, ...] = ()
    unavailable: tuple[Reason, str] | None = None


class Status(Struct, frozen=True, tag=True):
    """How a worker is: whether it is ready, what its parts say of themselves, and all that it has counted."""

    number: int
    is_ready: bool
    parts: dict[str, str]
    families: tuple[Family, ...]


class Drained(Struct, frozen=True, tag=True):
    """Nothing is in flight any more; the worker continues until `End`."""


ToSupervisor: TypeAlias = (
    Serving | Unstartable | Applied | Status | Drained | Write | Withdraw | Written | Recall | Recalled
)
