"""The approvers' pages: reached from where the values say, and not there if the configuration has no console."""

import pytest
import yaml

from tests.chart.helm import CHART, MODES, NAMESPACE, RELEASE, list_values, run_helm

pytestmark = pytest.mark.services

EVERY_MODE = pytest.mark.parametrize("mode", MODES)
PORT = 8088
INGRESS = ("--set", "console.ingress.enabled=true")
FROM = ("--set", "networkPolicy.consoleFrom[0].podSelector.matchLabels.app=ingress")
BASE_URL = "config.approvals.base_url"


def _own_ports(rendered):
    pod = rendered.find("Deployment")["spec"]["template"]["spec"]
    (own,) = (each for each in (*pod["containers"], *pod.get("initContainers", [])) if each["name"] == "agen-authz")
    return {each["name"]: each["containerPort"] for each in own["ports"]}


def _service_ports(rendered):
    return {each["name"]: (each["port"], each["targetPort"]) for each in rendered.find("Service")["spec"]["ports"]}


@EVERY_MODE
def test_console_listens_where_pods_can_be_reached_and_the_service_leads_there(render, mode):
    rendered = render(mode, ("console",))
    assert yaml.safe_load(rendered.config())["server"]["console"] == f"0.0.0.0:{PORT}"
    assert _own_ports(rendered)["console"] == PORT
    assert _service_ports(rendered)["console"] == (PORT, "console")


@EVERY_MODE
def test_without_a_console_nothing_of_it_is_rendered(render, mode):
    rendered = render(mode, (), *FROM)
    assert "console" not in yaml.safe_load(rendered.config())["server"]
    assert "console" not in {*_own_ports(rendered), *_service_ports(rendered)}
    assert "Ingress" not in rendered.kinds()
    assert len(rendered.find("NetworkPolicy")["spec"]["ingress"]) == 1


def test_port_is_8080_unless_the_values_say_otherwise(render):
    default = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))["console"]["port"]
    rendered = render("deployment", ("console",), "--set", f"console.port={default}")
    assert yaml.safe_load(rendered.config())["server"]["console"] == "0.0.0.0:8080"
    assert (_own_ports(rendered)["console"], _service_ports(rendered)["console"]) == (8080, (8080, "console"))


@EVERY_MODE
def test_only_the_peers_that_are_named_may_connect(render, mode):
    def opened(*words):
        rules = render(mode, ("console",), *words).find("NetworkPolicy")["spec"]["ingress"]
        return [rule["from"] for rule in rules if PORT in {port["port"] for port in rule["ports"]}]

    assert opened() == []
    assert opened(*FROM) == [[{"podSelector": {"matchLabels": {"app": "ingress"}}}]]


@EVERY_MODE
def test_ingress_leads_to_the_console_at_the_address_that_browsers_know(render, mode):
    assert "Ingress" not in render(mode, ("console",)).kinds()
    spec = render(mode, ("console",), *INGRESS).find("Ingress")["spec"]
    backend = {"service": {"name": RELEASE, "port": {"name": "console"}}}
    path = {"path": "/mcp", "pathType": "Prefix", "backend": backend}
    assert spec == {"rules": [{"host": "approve.example.com", "http": {"paths": [path]}}]}


def test_ingress_has_what_the_values_name(render):
    ingress = render("deployment", ("full",)).find("Ingress")
    assert ingress["metadata"]["annotations"] == {"example.com/owner": "platform"}
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["spec"]["tls"] == [{"hosts": ["approve.example.com"], "secretName": "approve-tls"}]


def test_ingress_of_an_address_without_a_path_has_every_path(render):
    words = (*INGRESS, "--set", f"{BASE_URL}=https://approve.example.com")
    (rule,) = render("deployment", ("console",), *words).find("Ingress")["spec"]["rules"]
    assert [each["path"] for each in rule["http"]["paths"]] == ["/"]


def test_secrets_of_the_console_are_files_of_one_mount(render):
    pod = render("deployment", ("console",)).find("Deployment")["spec"]["template"]["spec"]
    mount = {"name": "secret-people", "mountPath": "/etc/agen/secrets/people", "readOnly": True}
    assert mount in pod["containers"][0]["volumeMounts"]


def test_replicas_serve_the_console_together_with_a_store_that_they_share(render):
    words = ("config.store.url=postgresql://store.example.com/agen", "replicas=3", "metadataKey.existingSecret=agen")
    rendered = render("deployment", ("console",), "--set", ",".join(words))
    assert rendered.find("Deployment")["spec"]["replicas"] == 3
    assert "sessionAffinity" not in rendered.find("Service")["spec"]


@pytest.mark.parametrize(
    ("words", "has_restart"),
    [
        (("--set", "config.console=null"), True),
        (("--set", "console.port=8090"), True),
        (("--set", "config.console.client_id=another"), False),
    ],
    ids=["no console", "another port", "another client"],
)
def test_pods_restart_if_the_console_begins_ends_or_moves(render, words, has_restart):
    def checksum(*more):
        template = render("deployment", ("console",), *more).find("Deployment")["spec"]["template"]
        return template["metadata"]["annotations"]["checksum/config"]

    assert (checksum() != checksum(*words)) is has_restart


REFUSED = {
    "ingress without a console": ("deployment", (), INGRESS, "write that section, or set `console.ingress.enabled:"),
    "address of the console": (
        "deployment", ("console",), ("--set", "config.server.console=0.0.0.0:1"), "`config.server.console` is set by",
    ),
    "no address for browsers": (
        "deployment", ("console",), ("--set", f"{BASE_URL}=null"), "`config.approvals.base_url` is missing",
    ),
    "another host": (
        "deployment", ("console",), (*INGRESS, "--set", "console.ingress.host=b.example.com"),
        "the console answers only as `approve.example.com`",
    ),
    "port of the server in the pod": (
        "sidecar", ("console",), ("--set", "console.port=8080"), "port 8080 is the MCP server's or Envoy's",
    ),
    "port of Envoy in the pod": (
        "sidecar", ("console",), ("--set", "console.port=10000"), "port 10000 is the MCP server's or Envoy's",
    ),
    "secret that nothing mounts": (
        "deployment", ("console",), ("--set", "secrets=null"), "`/etc/agen/secrets/people/",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("mode", "more", "words", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_values_of_the_console_are_refused(render, mode, more, words, said):
    ran = render(mode, more, *words)
    assert (ran.code, said in ran.said) == (1, True), ran.said


def _notes(state, *words, more=("console",)):
    values = list_values("deployment", more)
    ran = run_helm(["install", RELEASE, str(CHART), "-n", NAMESPACE, "--dry-run=client", *values, *words], state)
    assert ran.code == 0, ran.said
    return ran.output.partition("NOTES:\n")[2]


def test_notes_name_the_address_that_the_provider_sends_browsers_back_to(state):
    notes = _notes(state)
    assert "  https://approve.example.com/mcp/sign-in/callback\n" in notes
    assert "No pod may connect to the console yet" in notes


def test_notes_say_nothing_that_is_done_or_of_a_console_that_is_not_there(state):
    assert "No pod may connect" not in _notes(state, *FROM)
    assert "sign-in/callback" not in _notes(state, more=())
