"""What the chart gives Envoy Gateway and Istio is what `agen-authz envoy-config` prints for the same values."""

import pytest
import yaml

from tests.chart.conftest import KEY, print_envoy

pytestmark = pytest.mark.services

PLACE = ("--authz", "agen-authz.mcp.svc:9191", "--proc", "agen-authz.mcp.svc:9192")
UPSTREAMS = ("--upstream", "crm=crm.mcp.svc:8080")
WORDS = {
    "envoy-gateway": ("--gateway", "agen-authz/http"),
    "istio": ("--workload", "app=mcp-server"),
}
CASES = {
    "minimal": (),
    "slow and small": ("--set", "config.server.check_timeout=1500ms,config.limits.request_bytes=32KiB"),
    "two hosts": (
        "--set",
        "config.resources[1].name=hr,config.resources[1].url=https://hr.example.com,config.resources[1].providers={corp},"
        "config.resources[1].insecure_unsigned=true,"
        "envoyGateway.upstreams.hr.name=crm,envoyGateway.upstreams.hr.port=8080,envoyGateway.upstreams.hr.namespace=tools",
    ),
    "one host": (
        "--set",
        "config.resources[1].name=hr,config.resources[1].url=https://mcp.example.com/hr,config.resources[1].providers={corp},"
        "config.resources[1].insecure_unsigned=true,"
        "envoyGateway.upstreams.hr.name=crm,envoyGateway.upstreams.hr.port=8080,envoyGateway.upstreams.hr.namespace=tools",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", WORDS)
@pytest.mark.parametrize("words", CASES.values(), ids=CASES.keys())
def test_chart_and_command_render_the_same(render, tmp_path, mode, words):
    # The values of one mode alone are what the other does not know.
    rendered = render(mode, (), *words)
    upstreams = UPSTREAMS if "hr" not in str(words) else (*UPSTREAMS, "--upstream", "hr=crm.tools.svc:8080")
    printed = print_envoy(rendered.config(), tmp_path, "--for", mode, *PLACE, *upstreams, *WORDS[mode])
    differing = [each.get("kind") for each in yaml.safe_load_all(printed) if each != _find(rendered, each)]
    assert differing == []


def _find(rendered, wanted):
    """Find what the chart has of an object, without what only a chart has: labels and a name for each workload."""
    if "kind" not in wanted:
        return yaml.safe_load(rendered.find("ConfigMap", "agen-authz-mesh")["data"]["mesh.yaml"])
    name = wanted["metadata"]["name"]
    names = (name, f"{name}-crm")
    found = [
        each for each in rendered.manifests if each["kind"] == wanted["kind"] and each["metadata"]["name"] in names
    ]
    if wanted["kind"] == "HTTPRoute":
        found = [each for each in found if each["metadata"]["name"] == name]
    (one,) = found
    return {**one, "metadata": {"name": name, "namespace": one["metadata"]["namespace"]}}


@pytest.mark.parametrize("mode", WORDS)
def test_word_of_the_key_is_the_commands_too(render, tmp_path, mode):
    from agen_authz.core.digest import off_word

    word = off_word(KEY)
    rendered = render(mode, (), "--set", f"metadataKey.existingSecret=agen-metadata,offWord={word}")
    (tmp_path / "metadata.key").write_bytes(KEY)
    config = rendered.config().replace("/etc/agen/metadata/metadata.key", str(tmp_path / "metadata.key"))
    printed = print_envoy(config, tmp_path, "--for", mode, *PLACE, *UPSTREAMS, *WORDS[mode])
    assert (word in printed, word in rendered.output) == (True, True)
    assert [each.get("kind") for each in yaml.safe_load_all(printed) if each != _find(rendered, each)] == []
