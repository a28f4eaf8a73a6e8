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
    """

    config: Handed
    metadata_key: bytes

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
    """Take nothing new, finish what is in flight within so many seconds, and end."""

    grace_s: float


ToWorker: TypeAlias = Begin | Apply | Ask | Drain


# ---- to the supervisor ---------------------------------------------------------------------------------------


class Serving(Struct, frozen=True, tag=True):
    """The worker listens and serves by this configuration."""

    version: str


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


ToSupervisor: TypeAlias = Serving | Unstartable | Applied | Status
