"""What the tour is made of: scenes, how each must end, and what is shown of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from agen_authz.demo.plan import Plan


@dataclass(frozen=True, slots=True)
class Ending:
    """How a scene ended, in a word or two, and lines to show below it."""

    outcome: str
    lines: tuple[str, ...] = ()


Act: TypeAlias = Callable[[Plan], Awaitable[Ending]]


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that a caller, a server or an operator does, how it must end, and why."""

    told: str
    act: Act
    expected: str
    why: str
