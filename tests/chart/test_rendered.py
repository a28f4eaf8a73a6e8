"""What the chart renders: objects that Kubernetes knows, for every mode, with few and with all values."""

import json
import subprocess
from copy import deepcopy

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from agen_authz.cli.main import app
from tests.chart.custom_resource import load_schemas
from tests.chart.helm import CHART, MODES, TOOLS, list_values, run_helm

pytestmark = pytest.mark.services

FILLED = pytest.mark.parametrize("more", [(), ("full",)], ids=["minimal", "full"])
EVERY_MODE = pytest.mark.parametrize("mode", MODES)
EVERYWHERE = {"ConfigMap", "Deployment", "Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy"}
GATEWAY = {
    "Gateway", "HTTPRoute", "EnvoyProxy", "SecurityPolicy", "EnvoyExtensionPolicy", "ClientTrafficPolicy",
    "BackendTrafficPolicy", "EnvoyPatchPolicy",
}  # fmt: skip
MESH = {"DestinationRule", "PeerAuthentication", "AuthorizationPolicy", "EnvoyFilter"}
OF_MODE = {"deployment": set(), "sidecar": set(), "envoy-gateway": GATEWAY, "istio": MESH}
FULL = {"HorizontalPodAutoscaler", "Job", "Pod", "ServiceMonitor", "PodMonitor", "Ingress"}


def test_chart_alone_passes_lint(state):
    ran = run_helm(["lint", "--strict", str(CHART)], state)
    assert (ran.code, "0 chart(s) failed" in ran.output) == (0, True), ran.output


@FILLED
@EVERY_MODE
def test_chart_passes_lint(state, bootstrap, mode, more):
    ran = run_helm(["lint", "--strict", str(CHART), *list_values(mode, more, bootstrap)], state)
    assert (ran.code, "0 chart(s) failed" in ran.output) == (0, True), ran.output


@FILLED
@EVERY_MODE
def test_kubernetes_knows_every_field(render, tmp_path, mode, more):
    file = tmp_path / "manifests.yaml"
    file.write_text(render(mode, more).output, "utf-8")
    command = TOOLS / "venv" / "bin" / "kubernetes-validate"
    assert command.exists(), "kubernetes-validate is not installed: run tools/install-helm"
    done = subprocess.run(
        [command, "--strict", "--quiet", "--no-warn", file], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.fixture(scope="module")
def schemas():
    return load_schemas()


@FILLED
@EVERY_MODE
def test_custom_resources_have_only_fields_that_their_schemas_know(render, schemas, mode, more):
    checked = set()
    for manifest in render(mode, more).manifests:
        schema = schemas.get((manifest["apiVersion"], manifest["kind"]))
        if schema is not None:
            checked.add(manifest["kind"])
            # One of the schemas has a pattern that Python cannot read: they are not checked themselves.
            wrong = jsonschema.Draft202012Validator(schema).iter_errors(manifest)
            assert [f"{error.json_path}: {error.message}" for error in wrong] == []
    assert checked == OF_MODE[mode] | ({"ServiceMonitor", "PodMonitor", "PrometheusRule"} if more else set())


def test_wrong_field_of_a_custom_resource_would_be_noticed(render, schemas):
    policy = deepcopy(render("envoy-gateway").find("SecurityPolicy"))
    validator = jsonschema.Draft202012Validator(schemas[policy["apiVersion"], policy["kind"]])
    policy["spec"]["extAuth"] |= {"failOpne": False, "timeout": 5}
    wrong = {error.json_path for error in validator.iter_errors(policy)}
    assert wrong == {"$.spec.extAuth", "$.spec.extAuth.timeout"}


@EVERY_MODE
def test_a_mode_has_its_objects_and_no_other_modes(render, mode):
    few, all_of_it = render(mode).kinds(), render(mode, ("full",)).kinds()
    others = {kind for other, kinds in OF_MODE.items() if other != mode for kind in kinds}
    assert few == EVERYWHERE | OF_MODE[mode] | {"PersistentVolumeClaim"}
    assert all_of_it >= EVERYWHERE | OF_MODE[mode] | FULL
    assert (few | all_of_it) & others == set()


@FILLED
@EVERY_MODE
def test_configuration_is_one_that_check_config_takes(render, tmp_path, mode, more):
    file = tmp_path / "agen.yaml"
    file.write_text(render(mode, more).config(), "utf-8")
    told = CliRunner().invoke(app, ["check-config", str(file), "--no-secrets", "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["not_available_yet"] == []


@FILLED
@EVERY_MODE
def test_pods_are_restricted(render, mode, more):
    rendered = render(mode, more)
    pods = [each["spec"]["template"]["spec"] for each in rendered.manifests if each["kind"] in ("Deployment", "Job")]
    pods += [each["spec"] for each in rendered.manifests if each["kind"] == "Pod"]
    foreign = {"shipper", "wait"}
    for pod in pods:
        context = pod["securityContext"]
        assert (context["runAsNonRoot"], context["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
        assert pod["automountServiceAccountToken"] is False
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            if container["name"] in foreign:
                continue
            own = container["securityContext"]
            assert (own["allowPrivilegeEscalation"], own["capabilities"]) == (False, {"drop": ["ALL"]})
            assert own["readOnlyRootFilesystem"] is True


def test_sidecar_and_envoy_share_sockets_and_the_server_does_not(render):
    pod = render("sidecar").find("Deployment")["spec"]["template"]["spec"]
    (sidecar,), (envoy, server) = pod["initContainers"], pod["containers"]
    assert (sidecar["name"], sidecar["restartPolicy"], server["name"]) == ("agen-authz", "Always", "mcp-server")
    mounted = [
        {"name": "sockets", "mountPath": "/run/agen"} in each.get("volumeMounts", [])
        for each in (sidecar, envoy, server)
    ]
    assert mounted == [True, True, False]
    assert {"name": "sockets", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}} in pod["volumes"]
    server_section = yaml.safe_load(render("sidecar").config())["server"]
    assert server_section["authz"] == "unix:///run/agen/check.sock"
    assert server_section["proc"] == "unix:///run/agen/process.sock"
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"]


def test_probes_are_grpc_where_the_kubelet_can_and_http_elsewhere(render):
    def probe(mode: str, *words: str) -> set[str]:
        pod = render(mode, (), *words).find("Deployment")["spec"]["template"]["spec"]
        (own,) = (each for each in (*pod["containers"], *pod.get("initContainers", [])) if each["name"] == "agen-authz")
        return set(own["readinessProbe"]) & {"grpc", "httpGet"}

    secured = ("--set", "tls.existingSecret=agen-tls")
    found = [probe("deployment"), probe("deployment", *secured), probe("sidecar")]
    assert found == [{"grpc"}, {"httpGet"}, {"httpGet"}]


def test_secrets_are_mounted_where_the_configuration_names_them(render):
    rendered = render("deployment", ("full",))
    pod = rendered.find("Deployment")["spec"]["template"]["spec"]
    (own,) = (each for each in pod["containers"] if each["name"] == "agen-authz")
    mounts = {each["mountPath"]: each["name"] for each in own["volumeMounts"]}
    secrets = {each["name"]: each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
    assert secrets[mounts["/etc/agen/secrets/crm"]] == "crm-signing"
    assert secrets[mounts["/etc/agen/metadata"]] == "agen-metadata"
    assert yaml.safe_load(rendered.config())["server"]["metadata_key_file"] == "/etc/agen/metadata/metadata.key"


def test_file_ends_with_the_line_that_shows_it_is_whole(render):
    assert render("deployment", ("full",)).config().endswith("\nend: true\n")


@pytest.mark.parametrize(
    ("words", "has_restart"),
    [
        (("--set", "config.unruled_sample=5%"), False),
        (("--set", "config.limits.token_cache=7"), False),
        (("--set", "config.limits.in_flight=7"), True),
        (("--set", "config.server.check_timeout=2s"), True),
        (("--set", "config.unruled_sample=5%", "--set", "reload.restart=true"), True),
    ],
    ids=["hot", "hot limit", "fixed limit", "server", "asked for"],
)
def test_pods_restart_only_for_what_is_read_at_the_start(render, words, has_restart):
    def checksum(*more: str) -> str:
        template = render("deployment", (), *more).find("Deployment")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    assert (checksum() != checksum(*words)) is has_restart


def test_network_policy_lets_in_nothing_but_what_is_named(render):
    spec = render("envoy-gateway").find("NetworkPolicy")["spec"]
    (rule,) = spec["ingress"]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"]["gateway.envoyproxy.io/owning-gateway-name"] == "agen-authz"
    assert [port["port"] for port in rule["ports"]] == [9191, 9192]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    opened = [port["port"] for each in spec["egress"] for port in each["ports"]]
    assert opened == [53, 53, 443]


def test_policy_of_istio_is_about_every_path(render):
    spec = render("istio").find("AuthorizationPolicy", "agen-authz-crm")["spec"]
    assert (spec["action"], spec["rules"]) == ("CUSTOM", [{}])


@pytest.mark.parametrize("mode", ["envoy-gateway", "istio"])
def test_without_the_word_every_response_of_a_backend_is_inspected(render, mode):
    output = render(mode, (), "--set", "metadataKey.existingSecret=agen-metadata").output
    assert ("agen.inspect" in output, "SkipFilter" in output) == (False, True)


def test_alerts_and_dashboard_are_those_of_the_chart(render):
    rendered = render("deployment", ("full",))
    alerts, board = ((CHART / "files" / name).read_text("utf-8") for name in ("alerts.yaml", "dashboard.json"))
    assert rendered.find("PrometheusRule")["spec"] == yaml.safe_load(alerts)
    (held,) = rendered.find("ConfigMap", "agen-authz-dashboard")["data"].values()
    assert json.loads(held) == json.loads(board)
