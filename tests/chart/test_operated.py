"""What operators rely on: scaling and spreading, their own additions, and what is said after an installation."""

import pytest

from tests.chart.helm import CHART, MODES, NAMESPACE, RELEASE, list_values, run_helm

pytestmark = pytest.mark.services

NEXT = {
    "deployment": "Point your Envoy at it",
    "sidecar": "Call the MCP server through its Envoy",
    "envoy-gateway": "Allow patches in Envoy Gateway's own configuration",
    "istio": "Add the provider to the mesh",
}


def test_scaling_is_by_processor_and_by_the_time_of_decisions(render):
    spec = render("deployment", ("full",)).find("HorizontalPodAutoscaler")["spec"]
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    decided = {
        "metric": {"name": "agen_decision_seconds_p99"},
        "target": {"type": "AverageValue", "averageValue": "100m"},
    }
    assert spec["metrics"] == [{"type": "Resource", "resource": cpu}, {"type": "Pods", "pods": decided}]
    assert (spec["minReplicas"], spec["maxReplicas"], spec["scaleTargetRef"]["kind"]) == (2, 6, "Deployment")


@pytest.mark.parametrize("mode", MODES)
def test_pods_are_spread_and_leave_one_by_one(render, mode):
    rendered = render(mode)
    pod = rendered.find("Deployment")["spec"]["template"]
    selected = rendered.find("PodDisruptionBudget")["spec"]
    assert selected["maxUnavailable"] == 1
    assert selected["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    spread = {each["topologyKey"]: each["whenUnsatisfiable"] for each in pod["spec"]["topologySpreadConstraints"]}
    assert spread == dict.fromkeys(("kubernetes.io/hostname", "topology.kubernetes.io/zone"), "ScheduleAnyway")


@pytest.mark.parametrize("mode", MODES)
def test_account_has_no_token(render, mode):
    assert render(mode).find("ServiceAccount")["automountServiceAccountToken"] is False


@pytest.mark.parametrize("mode", MODES)
def test_what_operators_add_arrives(render, mode):
    pod = render(mode, ("full",)).find("Deployment")["spec"]["template"]["spec"]
    containers = {each["name"]: each for each in (*pod["initContainers"], *pod["containers"])}
    own = containers["agen-authz"]
    assert {"shipper", "wait"} < set(containers)
    assert {"name": "SSL_CERT_FILE", "value": "/etc/agen/ca/ca.crt"} in own["env"]
    assert {"name": "ca", "mountPath": "/etc/agen/ca", "readOnly": True} in own["volumeMounts"]
    assert {"name": "ca", "configMap": {"name": "corp-ca"}} in pod["volumes"]
    assert own["image"].startswith("registry.example.com/agen-authz@sha256:")


def _notes(state, bootstrap, mode, *words):
    values = list_values(mode, (), bootstrap)
    ran = run_helm(["install", RELEASE, str(CHART), "-n", NAMESPACE, "--dry-run=client", *values, *words], state)
    assert ran.code == 0, ran.said
    return ran.output.partition("NOTES:\n")[2]


@pytest.mark.parametrize("mode", MODES)
def test_notes_say_what_to_do_next(state, bootstrap, mode):
    notes = _notes(state, bootstrap, mode)
    assert [text for name, text in NEXT.items() if text in notes] == [NEXT[mode]]
    assert "Then set `tests` in the values and run `helm test`" in notes
    assert "Check accepts bodies as text" not in notes


def test_notes_say_what_bodies_as_text_cost(state, bootstrap):
    words = ("--set", "envoyGateway.patches=false,config.server.insecure_accept_text_bodies=true")
    assert "Check accepts bodies as text" in _notes(state, bootstrap, "envoy-gateway", *words)
