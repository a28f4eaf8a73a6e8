"""What the chart refuses: each with a message that says what to do."""

import pytest

from tests.chart.helm import CHART, NAMESPACE, RELEASE, run_helm

pytestmark = pytest.mark.services

TESTS = ("--set", "tests.enabled=true")
TOKEN = ("--set", "tests.token.existingSecret=t")
CALLS = ("--set", "tests.allowed.tool=a,tests.denied.tool=d,tests.masked.tool=m")
KEY = "config.resources[0].signing_keys[0]"
URL = ("--set", "tests.url=http://crm/mcp")
CASES = {
    "replicas": ("deployment", ("--set", "replicas=2"), "2 replicas cannot share an SQLite store: set `replicas: 1`"),
    "autoscaling": ("deployment", ("--set", "autoscaling.enabled=true"), "6 replicas cannot share an SQLite store"),
    "sidecar replicas": ("sidecar", ("--set", "replicas=2"), "2 replicas cannot share an SQLite store"),
    "replicas without a key": (
        "deployment", ("--set", "replicas=2,config.store.url=postgresql://s/agen"), "set `metadataKey.existingSecret`",
    ),
    "store elsewhere": (
        "deployment", ("--set", "config.store.url=sqlite:////data/agen.db"), "put the store into /var/lib/agen",
    ),
    "plain text": ("deployment", ("--set", "config.server.insecure_plaintext=false"), "set `tls.existingSecret`, or"),
    "address": ("deployment", ("--set", "config.server.authz=0.0.0.0:1"), "`config.server.authz` is set by the chart"),
    "key file": (
        "deployment", ("--set", "config.server.metadata_key_file=/k"), "`config.server.metadata_key_file` is set by",
    ),
    "no access": ("deployment", ("--set", "config.access=null"), "at '/config/access': got null, want object"),
    "secret that nothing mounts": (
        "deployment",
        ("--set", f"{KEY}.id=k,{KEY}.secret_file=/etc/agen/secrets/x/k"),
        "`/etc/agen/secrets/x/k`, which nothing mounts: add `{name: x, existingSecret: ...}` to `secrets`",
    ),
    "no server": ("sidecar", ("--set", "sidecar.server=null"), "`sidecar.server` is missing"),
    "no bootstrap": ("sidecar", ("--set-file", "sidecar.envoy.bootstrap=/dev/null"), "envoy.bootstrap` is missing"),
    "another port": ("sidecar", ("--set", "sidecar.envoy.port=8000"), "does not listen on port 8000"),
    "no workload": ("istio", ("--set", "istio.workloads=null"), "`istio.workloads` is missing"),
    "several Processes": ("istio", ("--set", "config.server.filter_workers=2"), "set `config.server.filter_workers"),
    "unknown resource": (
        "envoy-gateway", ("--set", "envoyGateway.upstreams.hr.name=hr,envoyGateway.upstreams.hr.port=80"),
        "`envoyGateway.upstreams.hr` is not one of `config.resources`",
    ),
    "no patches": ("envoy-gateway", ("--set", "envoyGateway.patches=false"), "Check denies every call"),
    "HTTPS without a certificate": (
        "envoy-gateway", ("--set", "envoyGateway.gateway.listener.protocol=HTTPS"), "gateway.listener.tlsSecret",
    ),
    "test without a URL": ("deployment", TESTS, "`tests.url` is missing"),
    "test without a token": ("deployment", (*TESTS, *URL), "set `tests.token.existingSecret`"),
    "test without calls": ("deployment", (*TESTS, *URL, *TOKEN), "`tests.allowed.tool` is missing"),
    "test without a mask": ("deployment", (*TESTS, *URL, *TOKEN, *CALLS), "`tests.masked.absent` is missing"),
    "unknown key": ("deployment", ("--set", "replica=2"), "additional properties 'replica' not allowed"),
    "unknown key of the configuration": (
        "deployment", ("--set", "config.server.check_timout=2s"), "additional properties 'check_timout' not allowed",
    ),
    "unknown mode": ("deployment", ("--set", "mode=ambient"), "value must be one of 'deployment', 'sidecar'"),
    "wrong duration": ("deployment", ("--set", "config.server.check_timeout=fast"), "does not match pattern"),
}  # fmt: skip


@pytest.mark.parametrize(("mode", "words", "said"), CASES.values(), ids=CASES.keys())
def test_values_are_refused(render, mode, words, said):
    ran = render(mode, (), *words)
    assert (ran.code, said in ran.said) == (1, True), ran.said


def test_chart_without_a_configuration_says_what_is_missing(state):
    ran = run_helm(["template", RELEASE, str(CHART), "-n", NAMESPACE], state)
    assert (ran.code, "put your agen.yaml under `config:`" in ran.said) == (1, True), ran.said
