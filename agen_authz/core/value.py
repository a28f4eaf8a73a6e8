"""Values that are made anew for every request."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """Make a dataclass that the type checker holds to be frozen, without what freezing costs at run time.

    A frozen dataclass sets each field through `object.__setattr__`: three times the time of a plain one, for
    some forty fields of each request (docs/performance.md). What is built once stays `@dataclass(frozen=True)`.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
