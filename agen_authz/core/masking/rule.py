"""What a data-protection rule asks of a response, and what is left as evidence of it."""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from agen_authz.core.masking.row import Style
from agen_authz.core.masking.selection import Detectors

Pointer: TypeAlias = tuple[str, ...]
"""The steps of a JSON pointer (RFC 6901), unescaped; in `exempt` a step `*` stands for any one."""


class Rule(Struct, frozen=True):
    """One data-protection rule, as a response is masked by it.

    Args:
        name: the rule's name.
        is_enforced: False for a rule in shadow, whose matches are counted and reported, and left as they are.
        styles: by detector; `default` for the others; None leaves each detector its own.
        exempt: values that are not masked.
        passes_binary: True if images, audio and blobs that are not text may pass.
        passes_unreadable: True if a body that cannot be inspected may pass.
    """

    name: str
    detectors: Detectors
    is_enforced: bool = True
    styles: Mapping[str, Style] = {}
    default: Style | None = None
    exempt: tuple[Pointer, ...] = ()
    passes_binary: bool = False
    passes_unreadable: bool = False


class Receipt(Struct, frozen=True):
    """What was masked at one place, or would have been by a rule in shadow; never a value.

    Args:
        pointer: where, from the message's root (RFC 6901); keys in it are masked like values.
        count: how many values there were.
    """

    rule: str
    detector: str
    style: Style
    pointer: str
    count: int = 1
    is_enforced: bool = True


class Unmaskable(Exception):
    """What was to be masked could not be inspected to its end; `detail` says why, and holds no value."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
