"""Where a value is, written for people: a JSON pointer (RFC 6901) whose names are masked like values."""

from agen_authz.core.masking.layout import is_suspect
from agen_authz.core.masking.node import DocumentSpot
from agen_authz.core.masking.scanner import Scanner
from agen_authz.core.masking.search import search
from agen_authz.core.masking.work import Allowance


class PointerWriter:
    """Writes the pointers of one message."""

    __slots__ = ("_scanner", "_steps", "_work")

    def __init__(self, scanner: Scanner, work: Allowance) -> None:
        self._scanner, self._work = scanner, work
        # Names that were looked at, as they are written.
        self._steps: dict[str, str] = {}

    def hide(self, name: str, detector: str) -> None:
        """Let a name be written as what it is a value of: of a copy nothing would be found in it by itself."""
        self._steps[name] = f"[{detector.upper()}]"

    def write(self, spot: DocumentSpot) -> str:
        """Write where a spot is."""
        return "".join(f"/{self._write_step(step)}" for step in spot.list_steps())

    def _write_step(self, step: str | int) -> str:
        if isinstance(step, int):
            return str(step)
        written = self._steps.get(step)
        if written is None and not is_suspect(step):
            return step
        if written is None:
            found = search(self._scanner, [step], [self._scanner.fields.root], self._work)
            written = f"[{found[0].detector.upper()}]" if found else step.replace("~", "~0").replace("/", "~1")
            self._steps[step] = written
        return written
