"""The state of a tool, from what the store knows of it, and what each state means in each mode.

    state      what it means                                         off, observe   enforce
    pinned     the definition is approved                            passes         passes
    reworded   it differs from an approved one in wording only       passes         passes, with a notice
    changed    it differs from every approved one in more            passes         hidden, calls denied
    new        no definition of this tool was ever approved          passes         hidden, calls denied

A list has the definition at hand, and each caller may be listed another one. A call has none: the definition that was
seen last decides it. So if a server lists an approved definition to one caller and a changed one to another, calls are
denied until the approved one is listed again, or both are approved.
"""

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from agen_authz.core.model import Digest
from agen_authz.core.pinning.change import Kind, find_changes, is_more_than_wording
from agen_authz.core.pinning.definition import Definition
from agen_authz.core.reason import Reason


class Pinning(StrEnum):
    """The mode: `tools.pinning`."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"


class Pinned(Struct, frozen=True):
    """This definition is approved."""


class New(Struct, frozen=True):
    """No definition of this tool is approved."""


class Reworded(Struct, frozen=True):
    """It differs in wording from the approved definition of this digest."""

    since: Digest


class Changed(Struct, frozen=True):
    """It differs from every approved definition; `kinds` are those since the approved one that is nearest to it.

    `since` is None if they cannot be compared.
    """

    kinds: tuple[Kind, ...]
    since: Digest | None


PinState: TypeAlias = Pinned | New | Reworded | Changed

_WORDS: Mapping[type[PinState], str] = {Pinned: "pinned", New: "new", Reworded: "reworded", Changed: "changed"}
_REFUSED: Mapping[type[PinState], Reason] = {New: Reason.TOOL_UNPINNED, Changed: Reason.TOOL_CHANGED}


class Kept(Struct, frozen=True):
    """One definition of a tool as the store keeps it; times are seconds since the epoch.

    Args:
        definition: None if it is kept no longer, or was too long to be.
        approved_at: None if it is not approved.
    """

    digest: Digest
    first_seen: float
    last_seen: float
    definition: Definition | None
    approved_at: float | None = None
    approved_by: str = ""

    @property
    def is_approved(self) -> bool:
        """True if it is approved."""
        return self.approved_at is not None


class KeptTool(Struct, frozen=True):
    """All that the store keeps of one tool, or of a server's instructions.

    Args:
        name: as `definition.name_of` returns it.
        last_digest: of the definition that was seen last; the definition itself may be kept no longer.
    """

    server: str
    name: str
    last_digest: Digest
    last_seen: float
    definitions: tuple[Kept, ...]

    @property
    def approved(self) -> tuple[Kept, ...]:
        """The approved definitions, the one that was seen last first."""
        return tuple(sorted((each for each in self.definitions if each.is_approved), key=lambda kept: -kept.last_seen))

    @property
    def last(self) -> Kept | None:
        """The definition that was seen last, if it is kept."""
        return self.find(self.last_digest)

    def find(self, digest: Digest) -> Kept | None:
        """Find a definition by its digest; None if it is not kept."""
        return next((each for each in self.definitions if each.digest == digest), None)


def name_approved(tool: KeptTool) -> Digest:
    """Name all approved definitions of a tool, empty if there is none: which of them a caller saw is not known."""
    digests = sorted(each.digest for each in tool.definitions if each.is_approved)
    if len(digests) <= 1:
        return digests[0] if digests else Digest("")
    return Digest(hashlib.sha256("".join(digests).encode("ascii")).hexdigest())


def name_state(state: PinState) -> str:
    """Name a state in one word."""
    return _WORDS[type(state)]


def refuse(state: PinState, mode: Pinning) -> Reason | None:
    """Say why a tool in this state is hidden and its calls are denied; None if it passes."""
    return _REFUSED.get(type(state)) if mode is Pinning.ENFORCE else None


def judge(digest: Digest, definition: Definition | None, approved: Iterable[Kept]) -> PinState:
    """Judge one definition by the approved ones of its tool; the mildest difference counts.

    Args:
        definition: None if it is not known; then it can only be pinned by its digest.
    """
    known = tuple(approved)
    if any(each.digest == digest for each in known):
        return Pinned()
    if not known:
        return New()
    if definition is None:
        return Changed((Kind.FORGOTTEN,), None)
    compared = [
        (find_changes(each.definition, definition), each.digest) for each in known if each.definition is not None
    ]
    # INVARIANT: the digests differ. If no change is found, none is harmless.
    mildest = min(compared, key=lambda pair: (is_more_than_wording(pair[0]), len(pair[0])), default=None)
    if mildest is None:
        return Changed((Kind.FORGOTTEN,), None)
    kinds, since = mildest
    if kinds and not is_more_than_wording(kinds):
        return Reworded(since)
    return Changed(kinds or (Kind.OTHER,), since)
