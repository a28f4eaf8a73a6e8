"""Masking: what of a response is personal, a card's or secret, and what takes its place.

    row.py check.py catalog/     what detectors look for
    selection.py scanner.py      which of them, compiled
    view.py joined.py encoded.py word.py form.py shape.py phone.py trail.py written.py search.py  how a text is searched
    rule.py style.py             what a rule asks for, and how a value is masked
    document.py mask.py body.py  how a message is taken apart, masked and written again

`detect` and `mask_body` may be imported by others.
"""

from agen_authz.core.masking.body import Masked, Profile, mask_body
from agen_authz.core.masking.detect import Match, detect, list_detected, prepare_detection
from agen_authz.core.masking.mask import INCOMPLETE, MaskedMessage, mask_message
from agen_authz.core.masking.plan import Plan, make_plan
from agen_authz.core.masking.rule import Receipt, Rule, Unmaskable
from agen_authz.core.masking.selection import Custom, Detectors, UnknownDetector, find_id

__all__ = [
    "INCOMPLETE",
    "Custom",
    "Detectors",
    "Masked",
    "MaskedMessage",
    "Match",
    "Plan",
    "Profile",
    "Receipt",
    "Rule",
    "UnknownDetector",
    "Unmaskable",
    "detect",
    "find_id",
    "list_detected",
    "make_plan",
    "mask_body",
    "mask_message",
    "prepare_detection",
]
