"""The check of one file, from its text to a report; total: no text makes it raise."""

from collections.abc import Iterator

from agen_authz.envoy.check.defect import load_defects
from agen_authz.envoy.check.envoy import check_envoy
from agen_authz.envoy.check.inventory import Inventory
from agen_authz.envoy.check.manifest import check_manifests, find_embedded, read_manifests
from agen_authz.envoy.check.report import Report
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.source import read_source
from agen_authz.envoy.check.spot import Spot
from agen_authz.envoy.check.version import Version, check_version

DEFAULT_REQUEST_BYTES = 1 << 20


def check_file(
    text: str,
    request_bytes: int = DEFAULT_REQUEST_BYTES,
    *,
    off_word: str | None = None,
    version: Version | None = None,
) -> Report:
    """Check one file.

    Args:
        text: of the file.
        request_bytes: what Check reads of a body.
        off_word: what Check says when a response needs no inspection; None if it is not known.
        version: of the Envoy that the file is for, if it is known.

    A file in which nothing says how Check is asked has a finding, and so has all that could not be read.
    """
    report = Report(load_defects())
    sheet = Sheet(report, request_bytes, off_word)
    if version is not None:
        check_version(sheet, Spot(None, (), 1), version)
    inventory = Inventory()
    manifests: list[Spot] = []
    for document in _read_documents(sheet, text, Spot(None, (), 0)):
        # A document may hold both: `egctl` writes what it translated next to the translation.
        found = read_manifests(document)
        manifests.extend(found)
        if document.at("kind").is_written:
            continue
        if not inventory.take(document) and not found:
            # Perhaps an Envoy's configuration that we do not know: never passed over in silence.
            sheet.add("nothing-checked", document)
    _take_embedded(sheet, inventory, manifests)
    check_envoy(sheet, inventory)
    check_manifests(sheet, manifests)
    if not report.checked and not report.findings:
        sheet.add("nothing-checked", Spot(None, (), 1))
    report.findings.sort()
    return report


def _take_embedded(sheet: Sheet, inventory: Inventory, manifests: list[Spot]) -> None:
    for embedded in (text for manifest in manifests for text in find_embedded(manifest)):
        for document in _read_documents(sheet, embedded.text, embedded):
            if not inventory.take(document):
                sheet.add("nothing-checked", document)


def _read_documents(sheet: Sheet, text: str, place: Spot) -> Iterator[Spot]:
    """Read the documents of a text, of a file or of a place within one; the text of a block begins a line later."""
    source = read_source(text, place.line + 1)
    for unread in source.unread:
        sheet.report.passed_over.append(f"line {unread.line}: {unread.why}")
        sheet.add("unread", Spot(None, place.path, unread.line))
    for node in source.documents:
        if node.value is not None:
            yield Spot(node, place.path, node.line)
