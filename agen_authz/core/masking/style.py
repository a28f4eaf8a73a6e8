"""How one value that was found is masked: the text that takes its place, in each style.

    redact      [CREDIT_CARD]                        the detector's name
    partial     j***@example.com, J*** S****         what is shown depends on what it is (style_shown.py)
    last4       ***-**-1234                          fewer of a short value
    generalize  1990, 90+, 123**, 192.0.2.0/24       what has no coarser form is redacted (style_coarse.py)
    hash        EMAIL_ and twenty letters            the same for the same value, within a tenant (token_value.py)
    tokenize    tok_email_ and letters               as `hash`, and a holder of the key can read it
    drop        nothing                              the member is left out

What a style cannot do it does not do halfway: the value is redacted. So are, without keys, `hash` and `tokenize`.
"""

import re
from collections.abc import Iterable, Set

from msgspec import Struct

from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style_coarse import generalize
from agen_authz.core.masking.style_kind import kind_of
from agen_authz.core.masking.style_shown import show_last4, show_partial
from agen_authz.core.masking.style_written import is_written
from agen_authz.core.masking.token_value import MaskingKeys, name_of, reveal, write_pseudonym, write_token

__all__ = ["Masker", "MaskingKeys", "is_masked", "is_shown", "reveal", "settle", "strictest"]

# Sensitive authentication data, which is not kept or sent on in any form (PCI DSS 4.0.1 requirement 3.3.1).
_ALWAYS_DROPPED = frozenset(("card_track", "cvv", "card_pin"))
_REST_OF_CARD = re.compile(r"[ -]?\*[* -]{0,24}[0-9]{0,4}(?![0-9*])")
_STRICTNESS = {style: place for place, style in enumerate(Style)}


def strictest(styles: Iterable[Style]) -> Style:
    """Return the strictest of some styles; DROP if there are none."""
    return max(styles, key=_STRICTNESS.__getitem__, default=Style.DROP)


def settle(detector_id: str, style: Style) -> Style:
    """Return the style that a detector's values are masked in if this one is asked for."""
    return Style.DROP if detector_id in _ALWAYS_DROPPED else style


def is_masked(
    value: str, detector_id: str | None = None, style: Style = Style.PARTIAL, names: Set[str] = frozenset()
) -> bool:
    """True if a whole value is what masking wrote, in this style or in a stricter one; so it need not be masked again.

    Args:
        value: the whole value.
        detector_id: the detector that found it. Without it some forms do not count, for they may be anything: an age,
            a coordinate.
        style: as it is asked for; a PARTIAL value is not masked for a rule that redacts.
        names: the detectors' names, in capitals, that a masked value may have; empty for any name of this form.
    """
    kind = None if detector_id is None else kind_of(detector_id)
    written = is_written(value, kind, names)
    asked = style if detector_id is None else settle(detector_id, style)
    return written is not None and _STRICTNESS[written] >= _STRICTNESS[asked]


def is_shown(text: str, start: int, end: int) -> bool:
    """True if a part of a text is what a masked card in it shows: digits before stars."""
    rest = _REST_OF_CARD.match(text, end)
    return rest is not None and is_masked(text[start : rest.end()], "credit_card")


class Masker(Struct, frozen=True):
    """Masks the values of one response.

    Args:
        keys: of `hash` and `tokenize`, or None.
        tenant: whose response it is: another tenant's pseudonyms and tokens are others.
    """

    keys: MaskingKeys | None
    tenant: str

    def mask(self, value: str, detector_id: str, style: Style) -> str:
        """Return the text that takes a value's place; empty for DROP, and for a value that is empty."""
        settled = settle(detector_id, style)
        if settled is Style.DROP or not value:
            return ""
        return self._write(value, detector_id, settled) or f"[{name_of(detector_id)}]"

    def _write(self, value: str, detector_id: str, style: Style) -> str | None:
        key = self.keys.keys[0] if self.keys is not None and self.keys.keys else None
        match style:
            case Style.PARTIAL:
                return show_partial(value, kind_of(detector_id))
            case Style.LAST4:
                return show_last4(value, kind_of(detector_id))
            case Style.GENERALIZE:
                return generalize(value, kind_of(detector_id))
            case Style.TOKENIZE if key is not None:
                return write_token(value, detector_id, key, self.tenant)
            case Style.HASH if key is not None:
                return write_pseudonym(value, detector_id, key, self.tenant)
            case _:
                return None
