"""What a target of the fuzzer is."""

from collections.abc import Callable
from dataclasses import dataclass


class Finding(AssertionError):
    """What was promised of every input does not hold for this one."""


@dataclass(frozen=True, slots=True)
class Target:
    """One entry point and what must hold of it for any bytes.

    Args:
        check: raises Finding, or whatever the code under test raises, for an input that breaks a promise.
        corpus: the folder of its seeds; targets with inputs of one form share one.
        max_bytes: how long an input may become.
    """

    name: str
    check: Callable[[bytes], None]
    corpus: str
    max_bytes: int = 4096


def expect(holds: bool, promise: str) -> None:
    """Raise a Finding where a promise does not hold."""
    if not holds:
        raise Finding(promise)
