"""What an upgrade compares with the release that is there: `lookup` asks an API server for it."""

import pytest

from tests.chart.api_server import serving
from tests.chart.helm import CHART, NAMESPACE, RELEASE, list_values, run_helm

pytestmark = [pytest.mark.services, pytest.mark.loopback]

OLD = "access:\n  mapping: {}\n  rules: []\n"


def _upgrade(state, tmp_path, before):
    words = [
        "template",
        RELEASE,
        str(CHART),
        "-n",
        NAMESPACE,
        "--dry-run=server",
        "--disable-openapi-validation",
        *list_values("deployment"),
    ]
    with serving(RELEASE, NAMESPACE, {"agen.yaml": before}, tmp_path) as kubeconfig:
        return run_helm(words, state, kubeconfig)


def test_mapping_cannot_change_on_upgrade(state, tmp_path):
    ran = _upgrade(state, tmp_path, OLD.format("permissions"))
    wanted = "`config.access.mapping` is `permissions` in this release and cannot become `roles`: keep it, or review"
    assert (ran.code, wanted in ran.said) == (1, True), ran.said


@pytest.mark.parametrize("before", [OLD.format("roles"), "version: 1\n"], ids=["the same", "not there"])
def test_mapping_that_stays_is_fine(state, tmp_path, before):
    ran = _upgrade(state, tmp_path, before)
    assert (ran.code, "kind: Deployment" in ran.output) == (0, True), ran.said
