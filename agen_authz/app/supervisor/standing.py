"""What the states of the workers mean for the sidecar as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agen_authz.servers.ops import Readiness

# Workers are asked every second.
SILENT_S = 3.0


class Duty(StrEnum):
    """What a worker is for."""

    CHECK = "check"
    PROCESS = "process"
    CONSOLE = "console"


# Without the console calls are decided and inspected as before; no call can be approved.
_NEEDED = frozenset({Duty.CHECK, Duty.PROCESS})


def spell_name(duty: Duty, index: int) -> str:
    """Name a worker: `check`, `process`, `process-2`."""
    return duty.value if not index else f"{duty.value}-{index + 1}"


def read_name(name: str) -> tuple[Duty, int]:
    """Read duty and index, as `spell_name` writes them."""
    duty, _, number = name.partition("-")
    return Duty(duty), int(number or 1) - 1


class WorkerState(StrEnum):
    """Where a worker is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    DRAINING = "draining"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one worker is.

    Args:
        version: of the configuration that it serves by.
        silent_s: how many seconds ago it answered last.
        restarts: how often it was started again.
        is_ready: what it said of itself, and `parts`: what its parts said.
        pid: of its process; 0 if none is there.
    """

    name: str
    duty: Duty
    state: WorkerState
    version: str = ""
    silent_s: float = 0.0
    restarts: int = 0
    is_ready: bool = False
    parts: Mapping[str, str] | None = None
    pid: int = 0

    @property
    def is_up(self) -> bool:
        """True if it serves and answers the supervisor."""
        return self.state is WorkerState.SERVING and self.silent_s <= SILENT_S


def judge(standings: Sequence[Standing], version: str, reload: str) -> Readiness:
    """Judge the sidecar: ready if Check is, and at least one worker that inspects responses; the console is shown.

    Args:
        version: of the configuration that the supervisor has handed out last.
        reload: how the last reload went.
    """
    ready = {each.duty for each in standings if each.is_up and each.is_ready}
    parts = {"server": "not serving", "policy_set": version, "reload": reload}
    for each in standings:
        if each.duty is Duty.CHECK and each.state is not WorkerState.ENDED:
            parts |= each.parts or {}
    parts |= {f"worker {each.name}": _describe(each, version) for each in standings}
    return Readiness(ready >= _NEEDED, parts)


def _describe(one: Standing, version: str) -> str:
    told = one.state.value
    if one.silent_s > SILENT_S and one.state is not WorkerState.ENDED:
        told = f"{told}, but has not answered for {one.silent_s:.0f} s"
    elif one.state is WorkerState.SERVING and not one.is_ready:
        told = "not ready"
    if one.version and one.version != version:
        told = f"{told}, by policy set {one.version}: it could not apply {version}, see the log"
    return told if not one.restarts else f"{told}, started again {one.restarts} times"
