"""Detection by itself: what is in a text, or in the arguments of a call."""

from msgspec import Struct

from agen_authz.core.masking.document import Document
from agen_authz.core.masking.layout import Layouts
from agen_authz.core.masking.rule import Unmaskable
from agen_authz.core.masking.scanner import get_scanner
from agen_authz.core.masking.search import Found, search
from agen_authz.core.masking.selection import Detectors
from agen_authz.core.masking.work import Allowance
from agen_authz.core.memory import remember
from agen_authz.core.model import Json


class Match(Struct, frozen=True):
    """A value in a text.

    Args:
        start, end: its place, in characters.
        detector: the detector's id, or the name of a custom pattern.
        score: how sure it is, from 0.5 to 1.
    """

    start: int
    end: int
    detector: str
    score: float


def detect(text: str, detectors: Detectors, *, path: tuple[str, ...] = (), region: str | None = None) -> list[Match]:
    """Find the values in a text; one place may be a value of several detectors.

    Args:
        path: the names of the JSON members that the text is in, outermost first.
        region: where national telephone numbers are of (ISO 3166-1, two letters).

    Raises:
        Unmaskable: the search would cost too much.
    """
    return [Match(each.start, each.end, each.detector, each.score) for each in find(text, detectors, path, region)]


def find(text: str, detectors: Detectors, path: tuple[str, ...] = (), region: str | None = None) -> list[Found]:
    """As `detect`, with what told of each value."""
    scanner = get_scanner(detectors)
    trail = scanner.fields.root
    for name in path:
        trail = scanner.fields.step(trail, name)
    work, region = Allowance(len(text)), None if region is None else region.upper()
    return search(scanner, [text], [trail], work, region=region)


def list_detected(value: Json, budget: int) -> frozenset[str] | None:
    """List which detectors of the presets find something in a JSON value; None if looking would cost too much.

    Args:
        budget: how many characters of texts may be looked at.
    """
    layouts = _get_layouts()
    try:
        document = Document(value, layouts, layouts.root, is_message=False)
        chars = sum(map(len, document.texts))
        if chars > budget or document.deep or document.binary:
            return None
        found = search(get_scanner(Detectors.every()), document.texts, document.trails, Allowance(chars, is_brief=True))
    except Unmaskable:
        return None
    return frozenset(each.detector for each in found)


def prepare_detection() -> None:
    """Compile what `list_detected` looks for, which takes half a second."""
    _get_layouts()


@remember(1)
def _get_layouts() -> Layouts:
    return Layouts(get_scanner(Detectors.every()))
