"""How responses are masked: one plan for each choice of rules, made once and remembered.

A plan follows from the rules' names and the configuration, and each tenant's keys are its own. It belongs to one set of
rules: a reload makes new ones.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from agen_authz.core.masking.mask import mask_message
from agen_authz.core.masking.plan import Plan, make_plan, unite
from agen_authz.core.masking.row import Preset, Style
from agen_authz.core.masking.rule import Receipt, Rule
from agen_authz.core.masking.selection import Detectors
from agen_authz.core.masking.style import Masker
from agen_authz.core.memory import Memory
from agen_authz.core.model import Inspection, Json
from agen_authz.core.response.protect import Mask
from agen_authz.core.ruleset import RuleSet

_MAX_PLANS = 1024
# Of a configured rule, names are not empty; so no rule has one of these.
_UNKNOWN, _SAMPLE = "", "unruled_sample"
_ALL = Detectors.preset(*(each.value for each in Preset))


class Masks:
    """Makes masks, and remembers their plans."""

    __slots__ = ("_plans", "_sample", "_unknown")

    def __init__(self) -> None:
        self._plans: Memory[tuple[str, tuple[str, ...]], Plan] = Memory(_MAX_PLANS)
        self._unknown: Plan | None = None
        self._sample: Plan | None = None

    def count_plans(self) -> int:
        """Count the plans that are remembered."""
        return len(self._plans)

    def of_call(self, inspection: Inspection, rules: RuleSet) -> Mask | None:
        """Make the mask of a call; None if no rule is about it.

        Raises:
            KeyError: the rules do not have one that decided the call, which is a defect.
        """
        names = inspection.protections
        if not names:
            return None
        tenant = inspection.principal.tenant
        key = (rules.version, names)
        plan = self._plans.find(key)
        if plan is None:
            plan = self._plans.keep(key, _make_plan(names, rules))
        return _bind(replace(plan, masker=Masker(rules.masking_keys, tenant)))

    def prepare(self, rules: RuleSet) -> None:
        """Compile what these rules search for, which takes half a second; nothing if there are none."""
        if rules.protection_rules:
            self._plans.keep((rules.version, ()), _make_plan((), rules))

    def of_unknown(self) -> Mask:
        """Make the mask of a call that is not known: every preset, redacted."""
        if self._unknown is None:
            rule = Rule(_UNKNOWN, _ALL, default=Style.REDACT)
            self._unknown = make_plan([rule], Masker(None, ""))
        return _bind(self._unknown)

    def of_samples(self) -> Mask:
        """Make what finds everything that a preset is about, and changes nothing; compiled when it is first used."""
        return self._mask_sample

    def _mask_sample(self, message: dict[str, Json]) -> tuple[Json, Sequence[Receipt]]:
        if self._sample is None:
            rule = Rule(_SAMPLE, _ALL, is_enforced=False)
            self._sample = make_plan([rule], Masker(None, ""))
        masked = mask_message(message, self._sample)
        return masked.message, masked.receipts


def _make_plan(names: tuple[str, ...], rules: RuleSet) -> Plan:
    asked = [rules.protection_rules[name] for name in names]
    return make_plan(asked, Masker(None, ""), among=unite(rules.protection_rules.values()))


def _bind(plan: Plan) -> Mask:
    def mask(message: dict[str, Json]) -> tuple[Json, Sequence[Receipt]]:
        masked = mask_message(message, plan)
        return masked.message, masked.receipts

    return mask
