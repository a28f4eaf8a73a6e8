"""What the check of one file has at hand."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agen_authz.envoy.check.report import Report
from agen_authz.envoy.check.spot import Spot

NAMESPACE = "envoy.filters.http.ext_authz"
# Headers that backends trust, or that Check must be able to remove (design: headers to the backend).
TRUSTED_HEADERS = (
    "agen-issuer", "agen-subject", "agen-tenant", "agen-client", "agen-roles", "agen-permissions", "agen-resource",
    "agen-request-id", "authorization", "content-digest", "signature", "signature-input",
    "last-event-id", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id",
)  # fmt: skip
_OURS = re.compile(
    r"agen[-_]|mcp[-_]|authorization\Z|content[-_]digest\Z|last[-_]event[-_]id\Z|signature(?:[-_]input)?\Z"
)


def is_trusted(header: str) -> bool:
    """True if a backend, or Check, relies on this header."""
    return _OURS.match(header.lower()) is not None


@dataclass(slots=True)
class Sheet:
    """The report, and what the file has besides the place that is checked.

    Args:
        is_patch: what is checked is laid over settings that are not here, so that nothing is missing.
        request_bytes: what Check reads of a body.
        off_word: what Check says when a response needs no inspection, if it is known.
    """

    report: Report
    request_bytes: int
    off_word: str | None = None
    clusters: Mapping[str, Spot] = field(default_factory=dict)
    endpoints: Mapping[str, Sequence[Spot]] = field(default_factory=dict)
    routes: Mapping[str, Spot] = field(default_factory=dict)
    is_patch: bool = False

    def add(self, defect_id: str, spot: Spot) -> None:
        """Note one finding."""
        self.report.add(defect_id, spot)

    def want(self, defect_id: str, spot: Spot, *, is_good: bool) -> None:
        """Note one finding unless all is well; what a patch does not write is not a finding."""
        if not is_good and (spot.is_written or not self.is_patch):
            self.add(defect_id, spot)
