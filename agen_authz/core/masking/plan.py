"""Several data-protection rules at once, as one response is masked by them: the strictest style of each detector."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from agen_authz.core.masking.catalog import CATALOG
from agen_authz.core.masking.layout import Layouts
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Pointer, Rule
from agen_authz.core.masking.scanner import Scanner, get_scanner
from agen_authz.core.masking.search import Found
from agen_authz.core.masking.selection import Detectors
from agen_authz.core.masking.style import Masker, settle
from agen_authz.core.masking.token_value import name_of
from agen_authz.core.memory import remember

# What no rule names, and every rule masks: text that is nested or encoded too deeply, and what is not text.
ALWAYS = ("nested", "encoded", "binary")
_STRICTNESS = {style: place for place, style in enumerate(Style)}
_NAMES = frozenset(map(name_of, (*CATALOG, *ALWAYS)))


class Treatment(Struct, frozen=True):
    """How a value of one detector is masked, and by which rule."""

    rule: str
    style: Style
    exempt: tuple[Pointer, ...] = ()


class Plan(Struct, frozen=True, eq=False):
    """How the messages of one response are masked.

    Args:
        enforced: by detector, the strictest choice first.
        watched: the same of rules in shadow.
        passes_binary: True if every enforced rule lets binary pass.
        names: what masked values have in brackets; a value in brackets may be anything else.
    """

    scanner: Scanner
    layouts: Layouts
    masker: Masker
    enforced: dict[str, tuple[Treatment, ...]]
    watched: dict[str, tuple[Treatment, ...]]
    passes_binary: bool
    names: frozenset[str]

    def choose(self, detector: str, pointer: Pointer) -> Treatment | None:
        """Choose how a value is masked; None if it is not, or is exempt."""
        return _choose(self.enforced.get(detector, ()), pointer)

    def watch(self, detector: str, pointer: Pointer) -> Treatment | None:
        """Choose the rule in shadow that would have masked a value."""
        return _choose(self.watched.get(detector, ()), pointer)

    def order(self, found: Iterable[Found]) -> list[Found]:
        """Put values that may overlap in order: the surest, the longest, and what is masked most strictly first."""

        def rank(each: Found) -> tuple[float, int, int, int]:
            choices = self.enforced.get(each.detector)
            strictness = _strictness(choices[0]) if choices else -1
            return -each.score, each.start - each.end, each.start, -strictness

        return sorted(found, key=rank)

    @property
    def masks(self) -> bool:
        """True if there is an enforced rule."""
        return bool(self.enforced)


def unite(rules: Iterable[Rule]) -> Detectors:
    """Choose every detector of some rules."""
    detectors = Detectors()
    for rule in rules:
        ids = detectors.ids | rule.detectors.ids
        detectors = Detectors(ids, tuple(dict.fromkeys((*detectors.customs, *rule.detectors.customs))))
    return detectors


def make_plan(rules: Sequence[Rule], masker: Masker, among: Detectors | None = None) -> Plan:
    """Make the plan of rules that apply together.

    Args:
        among: what is searched for, at least what the rules name; None for just that. Rules of one configuration look
            for the same, so that it is compiled once.
    """
    detectors = unite(rules) if among is None else among
    enforced = [rule for rule in rules if rule.is_enforced]
    return Plan(
        scanner=get_scanner(detectors),
        layouts=_get_layouts(detectors),
        masker=masker,
        enforced=_list_choices(enforced),
        watched=_list_choices([rule for rule in rules if not rule.is_enforced]),
        passes_binary=all(rule.passes_binary for rule in enforced),
        names=_NAMES | {name_of(each.name) for each in detectors.customs},
    )


@remember(64)
def _get_layouts(detectors: Detectors) -> Layouts:
    return Layouts(get_scanner(detectors))


def _list_choices(rules: Sequence[Rule]) -> dict[str, tuple[Treatment, ...]]:
    found: dict[str, list[Treatment]] = {}
    for rule in rules:
        names = (*rule.detectors.ids, *(each.name for each in rule.detectors.customs))
        for name in names:
            found.setdefault(name, []).append(Treatment(rule.name, _style_of(name, rule), rule.exempt))
        for name in ALWAYS:
            found.setdefault(name, []).append(Treatment(rule.name, Style.REDACT))
    return {name: tuple(sorted(choices, key=_strictness, reverse=True)) for name, choices in found.items()}


def _strictness(choice: Treatment) -> int:
    return _STRICTNESS[choice.style]


def _style_of(name: str, rule: Rule) -> Style:
    row = CATALOG.get(name)
    own = Style.REDACT if row is None else row.style
    return settle(name, rule.styles.get(name) or rule.default or own)


def _choose(choices: tuple[Treatment, ...], pointer: Pointer) -> Treatment | None:
    return next((each for each in choices if not any(_matches(exempt, pointer) for exempt in each.exempt)), None)


def _matches(exempt: Pointer, pointer: Pointer) -> bool:
    """True if a value is at an exempt place, or below it."""
    if len(pointer) < len(exempt):
        return False
    return all(step in ("*", there) for step, there in zip(exempt, pointer, strict=False))
