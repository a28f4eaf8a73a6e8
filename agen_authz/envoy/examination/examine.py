"""The examination of one file, from its text to a report; total: no text makes it raise."""

from agen_authz.envoy.examination.catalog import load_defects
from agen_authz.envoy.examination.envoy import examine_envoy
from agen_authz.envoy.examination.inventory import Inventory
from agen_authz.envoy.examination.manifest import examine_manifests, is_manifest
from agen_authz.envoy.examination.report import Report
from agen_authz.envoy.examination.sheet import Sheet
from agen_authz.envoy.examination.source import read_source
from agen_authz.envoy.examination.spot import Spot

DEFAULT_REQUEST_BYTES = 1 << 20


def examine(text: str, request_bytes: int = DEFAULT_REQUEST_BYTES) -> Report:
    """Examine one file; `request_bytes` is what Check reads of a body.

    A file in which nothing says how Check is asked has a finding, and so has all that could not be read.
    """
    report = Report(load_defects())
    sheet = Sheet(report, request_bytes)
    source = read_source(text)
    top = Spot(None, (), 1)
    for unread in source.unread:
        report.passed_over.append(f"line {unread.line}: {unread.why}")
        sheet.add("unread", Spot(None, (), unread.line))
    inventory = Inventory()
    manifests = []
    for node in source.documents:
        document = Spot(node, (), node.line)
        if is_manifest(document):
            manifests.append(document)
        elif node.value is not None and not inventory.take(document):
            # Perhaps an Envoy's configuration that we do not know: never passed over in silence.
            sheet.add("nothing-examined", document)
    examine_envoy(sheet, inventory)
    examine_manifests(sheet, manifests)
    if not report.examined and not report.findings:
        sheet.add("nothing-examined", top)
    report.findings.sort()
    return report
