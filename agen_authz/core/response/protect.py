"""Data protection of one message: it is masked, what was masked is noted, and what cannot be masked is withheld."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct

from agen_authz.core.arguments.graph import BadSchema
from agen_authz.core.arguments.schema import Schema
from agen_authz.core.masking.rule import Receipt, Unmaskable
from agen_authz.core.model import Json
from agen_authz.core.reason import Reason
from agen_authz.core.response.message import MaskedValues, Passed, Withheld
from agen_authz.core.response.output import fit_output

Mask: TypeAlias = Callable[[dict[str, Json]], tuple[Json, Sequence[Receipt]]]
"""Masks one message: returns it, or the given one if nothing was changed, and what was masked. Raises Unmaskable."""


def list_no_schemas() -> Sequence[Schema | BadSchema]:
    """List the schemas of a response whose tool is not known."""
    return ()


class Safeguard(Struct, frozen=True):
    """How the messages of one response are protected.

    Args:
        list_schemas: lists what the results of the tool must fit, compiled; none if anything fits.
    """

    mask: Mask
    list_schemas: Callable[[], Sequence[Schema | BadSchema]] = list_no_schemas


def protect(passed: Passed, safeguard: Safeguard) -> Passed | Withheld:
    """Mask a message that passes otherwise; total."""
    message = passed.message
    if not isinstance(message, dict):
        return Withheld(Reason.UNMASKABLE, "not an object")
    try:
        masked, receipts = safeguard.mask(message)
    except Unmaskable as exc:
        is_defect = exc.detail.startswith(Reason.MASKING_INCOMPLETE.value)
        return Withheld(Reason.MASKING_INCOMPLETE if is_defect else Reason.UNMASKABLE, exc.detail)
    if not receipts:
        return Passed(masked, passed.notes)
    if masked is not message and isinstance(masked, dict):
        masked = fit_output(message, masked, safeguard.list_schemas, receipts)
    return Passed(masked, (*passed.notes, MaskedValues(tuple(receipts))))
