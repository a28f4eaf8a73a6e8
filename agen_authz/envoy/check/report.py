"""What a check found."""

from dataclasses import dataclass, field
from enum import StrEnum

from agen_authz.config.reading.tree import spell
from agen_authz.envoy.check.spot import Spot


class Severity(StrEnum):
    """How bad it is."""

    OPEN = "open"  # a call can pass unseen or altered
    WEAK = "weak"  # a protection is missing; another one still stands
    NOTE = "note"  # worth knowing
    HINT = "hint"  # nothing passes by it: what others may lose under attack or load; no finding


@dataclass(frozen=True, slots=True)
class Defect:
    """One kind of finding: what may happen, and what to do about it."""

    severity: Severity
    risk: str
    cure: str


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One defect, where it was found."""

    line: int
    id: str
    place: str
    severity: Severity
    risk: str
    cure: str


@dataclass(slots=True)
class Report:
    """Findings, hints, what was checked, and what of the file was none of our business."""

    defects: dict[str, Defect]
    findings: list[Finding] = field(default_factory=list)
    hints: list[Finding] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    _seen: set[Finding] = field(default_factory=set)

    def add(self, defect_id: str, spot: Spot) -> None:
        """Note one finding, once per place."""
        defect = self.defects[defect_id]
        found = Finding(spot.line, defect_id, spell(spot.path), defect.severity, defect.risk, defect.cure)
        if found not in self._seen:
            self._seen.add(found)
            (self.hints if found.severity is Severity.HINT else self.findings).append(found)
