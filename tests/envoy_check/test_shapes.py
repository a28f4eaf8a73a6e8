"""Configurations as others build them: Envoy's published examples, Istio, Envoy Gateway, and `/config_dump`."""

from pathlib import Path

import pytest

from agen_authz.envoy.check import Severity, check_file

ROOT = Path(__file__).parents[2]
SHAPES = Path(__file__).parent / "shapes"

BARE_FILTER = {(21, "header-rules-missing"), (21, "headers-joined"), (21, "mutations-unvalidated")}
BARE_CONNECTION = {
    (8, "escaped-slashes"),
    (8, "merge-slashes"),
    (8, "normalize-path"),
    (8, "remote-address"),
    (8, "underscores"),
    (12, "backend-headers"),
    (17, "broad-match"),
    (19, "backend-envoy-headers"),
}
PUBLISHED = BARE_CONNECTION | BARE_FILTER | {(19, "proc-missing"), (21, "no-body"), (21, "status-on-error")}
ISTIO = {
    (7, "merge-slashes"),
    (7, "remote-address"),
    (7, "underscores"),
    (11, "escaped-slashes"),
    (12, "upgrade"),
    (13, "backend-headers"),
    (20, "broad-match"),
    (21, "stream-duration"),
    (22, "backend-envoy-headers"),
    (22, "proc-missing"),
    (36, "header-rules-missing"),
    (36, "headers-joined"),
    (36, "mutations-unvalidated"),
    (38, "clear-route-cache"),
    (44, "unread-cluster"),
    (45, "timeout-long"),
    (46, "status-on-error"),
}
EXPECTED = {
    "published-grpc.yaml": PUBLISHED | {(31, "authz-plaintext"), (31, "authz-resets")},
    "published-http.yaml": PUBLISHED | {(23, "http-authz")},
    "istio-listener.yaml": ISTIO | {(39, "enabled-by-metadata")},
    "istio-listener-everything.yaml": ISTIO,
    "istio-mesh.yaml": {
        (9, "status-on-error"),
        (9, "timeout-missing"),
        (12, "body-as-text"),
        (12, "partial-body"),
        (14, "proc-missing"),
        (17, "istio-rules"),
        (34, "script-after"),
        (42, "route-disabled"),
    },
    "istio-sound.yaml": set(),
    "gateway-xds.yaml": {
        (10, "backend-envoy-headers"),
        (10, "proc-missing"),
        *((line, name) for line in (13, 20) for name in ("header-rules-missing", "headers-joined")),
        *((line, "mutations-unvalidated") for line in (13, 20)),
        *((line, "unread-cluster") for line in (15, 22)),
        *((line, "body-as-text") for line in (17, 24)),
        (29, "escaped-slashes"),
        (33, "backend-headers"),
        *((line, "broad-match") for line in (38, 42, 46)),
        (39, "upgrade"),
        (46, "filter-disabled"),
    },
    "gateway-manifests.yaml": {
        (7, "failure-mode-allow"),
        (7, "no-body"),
        (7, "status-on-error"),
        (7, "timeout-missing"),
        (14, "proc-metadata"),
        (14, "proc-partial"),
        (14, "proc-status"),
        (14, "proc-timeout"),
        (15, "script-after"),
        (23, "mirror"),
        (24, "headers-after"),
        (30, "proc-compressor"),
        (30, "retry"),
    },
    "gateway-sound.yaml": set(),
    "egctl-translate.yaml": {(4, "proc-missing"), (11, "body-limit-small"), (23, "authz-missing")},
    "egctl-listener.json": {(13, "authz-missing")},
    "dump-part.json": {(10, "unguarded-listener")},
    "dump-routes.json": {(18, "retry")},
    "config-map.yaml": {
        (12, "admin-exposed"),
        (28, "backend-envoy-headers"),
        (28, "proc-missing"),
        *((30, name) for name in ("header-rules-missing", "headers-joined", "mutations-unvalidated")),
        (30, "status-on-error"),
        (34, "partial-body"),
    },
    "istio-dump.yaml": {(20, "unguarded-listener"), (33, "proc-missing")},
    "dump.json": {
        (3, "admin-exposed"),
        (6, "authz-plaintext"),
        (6, "authz-resets"),
        (11, "bypass-listener"),
        (18, "proc-missing"),
    },
    "dump-endpoints.json": {(20, "proc-missing")},
    "like-the-example.yaml": {(14, "internal-clients"), (60, "proc-header-ignored")},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_others_build_has_these_findings_and_no_others(name: str):
    report = check_file((SHAPES / name).read_text())
    assert EXPECTED[name] == {(finding.line, finding.id) for finding in (*report.findings, *report.hints)}


def test_every_shape_is_tried():
    assert set(EXPECTED) == {path.name for path in SHAPES.iterdir()}


def test_what_we_render_has_no_findings_but_the_plain_word_of_a_configuration_without_a_key():
    text = (ROOT / "envoy" / "sidecar.yaml").read_text()
    with_key = check_file(text.replace("exact: 'off'", "exact: off-0123456789abcdef"))
    assert (with_key.findings, with_key.hints) == ([], [])
    report = check_file(text)
    found = [finding.id for finding in report.findings]
    assert (found, report.checked, report.passed_over) == (["proc-skip-plain"], ["HTTP connection manager"], [])


def test_a_careful_configuration_has_nothing_open():
    report = check_file((SHAPES / "like-the-example.yaml").read_text())
    assert [finding.severity for finding in report.findings] == [Severity.NOTE, Severity.NOTE]


def test_what_a_workload_sends_is_named_and_no_finding():
    report = check_file((SHAPES / "istio-dump.yaml").read_text())
    assert report.passed_over == ["line 55: outbound listener", "line 61: outbound listener"]


def test_what_is_sent_counts_where_it_is_what_is_checked():
    outbound = (SHAPES / "istio-dump.yaml").read_text().replace("direction: INBOUND", "direction: OUTBOUND")
    found = [finding.line for finding in check_file(outbound).findings if finding.id == "unguarded-listener"]
    assert found == [20, 55, 61]
