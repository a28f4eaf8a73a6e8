"""What an approver sees of a call's parameters: personal, card and secret values masked, unless the flow shows them.

Every preset is searched for, each value masked in its detector's own style. Values at the flow's `show_arguments` stay
as they are. What cannot be inspected to its end is not shown at all.
"""

from collections.abc import Iterable

from msgspec import Struct

from agen_authz.core.errors import Malformed
from agen_authz.core.masking import Detectors, Receipt, Rule, Unmaskable, make_plan, mask_message
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style import Masker
from agen_authz.core.model import Json
from agen_authz.core.strict_json import parse_json

_PRESETS = ("pii", "phi", "gdpr", "pci", "secrets")
_ARGUMENTS = "arguments"
_MAX_DEPTH = 250


class ShownParameters(Struct, frozen=True):
    """Parameters as an approver may see them.

    Args:
        receipts: what was masked, with pointers from the root of the parameters.
    """

    params: Json
    receipts: tuple[Receipt, ...] = ()


def read_parameters(raw: bytes) -> Json | Malformed:
    """Read kept parameters."""
    return parse_json(raw, _MAX_DEPTH)


def show_parameters(
    params: Json, show_arguments: Iterable[str] = (), *, style: Style | None = None
) -> ShownParameters | None:
    """Mask parameters for approvers; None if they cannot be inspected to their end.

    Args:
        show_arguments: JSON pointers into the arguments whose values stay as they are.
        style: how every value is masked; None for each detector's own style.
    """
    exempt = tuple((_ARGUMENTS, *_split(pointer)) for pointer in show_arguments)
    rule = Rule("approval", Detectors.preset(*_PRESETS), default=style, exempt=exempt)
    try:
        masked = mask_message(params, make_plan((rule,), Masker(None, "")), is_message=False)
    except Unmaskable:
        return None
    return ShownParameters(masked.message, masked.receipts)


def _split(pointer: str) -> tuple[str, ...]:
    """Split a JSON pointer into its steps (RFC 6901 section 4)."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
