"""`agen-authz envoy-config --check` as people run it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agen_authz.cli.main import app

HERE = Path(__file__).parent
CASE = HERE / "cases" / "failure-mode-allow.yaml"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["envoy-config", *arguments])
    return result.exit_code, result.output


def test_a_finding_is_one_line_with_risk_cure_and_place_and_exits_1():
    place = "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[1].typed_config"
    assert run("--check", str(CASE)) == (
        1,
        f"{CASE}:43: open failure-mode-allow: requests pass unseen while Check is down or late;"
        f" set `failure_mode_allow: false` (`{place}.failure_mode_allow`)\n"
        f"{CASE}: checked: 1 HTTP connection manager\n"
        f"{CASE}: 1 open\n",
    )


def test_without_findings_it_exits_0():
    sound = HERE / "sound.yaml"
    expected = f"{sound}: checked: 1 HTTP connection manager\n{sound}: no findings\n"
    assert (0, expected) == run("--check", str(sound))


def test_json_has_every_part_of_a_finding():
    code, output = run("--check", str(HERE / "cases" / "istio-rules.yaml"), "--json")
    assert code == 1
    assert json.loads(output) == {
        "file": str(HERE / "cases" / "istio-rules.yaml"),
        "ok": False,
        "findings": [
            {
                "line": 17,
                "id": "istio-rules",
                "place": "spec.rules",
                "severity": "open",
                "risk": "only requests that match these rules are checked, every other one passes",
                "cure": "write `rules: [{}]`; agen-authz decides on paths itself",
            }
        ],
        "hints": [],
        "checked": ["Istio extension provider", "Istio AuthorizationPolicy", "Istio EnvoyFilter"],
        "not_checked": [],
    }


def test_hint_is_reported_and_is_not_a_finding(tmp_path: Path):
    file = tmp_path / "envoy.yaml"
    file.write_text(
        (HERE / "sound.yaml").read_text().replace("max_requests_per_connection: 10", "max_requests_per_connection: 90")
    )
    code, output = run("--check", str(file))
    assert (code, " hint authz-resets: " in output, output.endswith("no findings, 1 hint\n")) == (0, True, True)


def test_what_was_not_checked_is_said(tmp_path: Path):
    file = tmp_path / "manifests.yaml"
    file.write_text((HERE / "shapes" / "gateway-sound.yaml").read_text())
    code, output = run("--check", str(file))
    assert (0, f"{file}: not checked: line 25: Deployment") == (code, output.splitlines()[0])


def test_word_that_skips_is_compared_with_the_configuration(tmp_path: Path):
    config, file, key = (HERE.parents[1] / "envoy" / "example.yaml").read_text(), tmp_path / "agen.yaml", tmp_path / "k"
    file.write_text(config.replace("  authz:", f"  metadata_key_file: {key}\n  authz:", 1))
    arguments = ("--check", str(HERE / "sound.yaml"), "--config", str(file))
    code, output = run(*arguments)
    assert (code, output.splitlines()[0]) == (0, f"`{key}` is not here: the word that skips inspection is not compared")
    key.write_bytes(b"k" * 32)
    code, output = run(*arguments)
    assert (code, ": ".join(output.split(": ")[1:2])) == (1, "note proc-skip-word")


def test_body_sizes_are_compared_with_the_configuration(tmp_path: Path):
    config = (HERE.parents[1] / "envoy" / "example.yaml").read_text()
    file = tmp_path / "agen.yaml"
    file.write_text(config.replace("request_bytes: 1MiB", "request_bytes: 2MiB"))
    code, output = run("--check", str(HERE / "sound.yaml"), "--config", str(file))
    assert (code, ": ".join(output.split(": ")[1:2])) == (1, "note body-limit-small")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "`--config` or `--check` is missing; name a file\n"),
        (("--config", "agen.yaml", "--envoy", "envoy"), "`--check` is missing; name a file\n"),
        (
            ("--check", "nowhere.yaml"),
            "`nowhere.yaml` cannot be read: No such file or directory; name an Envoy configuration\n",
        ),
    ],
    ids=["no file", "an Envoy without a file", "a file that is not there"],
)
def test_misuse_exits_2(arguments: tuple[str, ...], message: str):
    assert (2, message) == run(*arguments)


def test_bytes_that_are_not_text_are_a_finding(tmp_path: Path):
    file = tmp_path / "noise"
    file.write_bytes(bytes(range(256)))
    assert run("--check", str(file))[0] == 1
