"""`agen-authz policy diff`, `replay` and `import` as they are typed: what is printed, and exits 0, 1 and 2."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from agen_authz.cli.main import app
from agen_authz.config import load
from tests.authoring.rig import TEXT, TOOLS, config, event, lines, run, save, write
from tests.config.test_mistakes import GOOD

# ---- diff ----------------------------------------------------------------------------------------------------


def test_diff_of_the_same_is_nothing(tmp_path):
    file = config(tmp_path)
    told, as_json = run("diff", file, file), run("diff", file, file, "--json")
    assert (told.exit_code, told.stdout) == (0, "0 changes, 0 of them widen\n")
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (0, [])


def test_diff_exits_1_where_anything_widens_and_0_where_it_narrows(tmp_path):
    old = config(tmp_path)
    new = config(tmp_path, TEXT.replace("allow: [support]", "allow: [agent]"), "new.yaml")
    narrow = config(tmp_path, TEXT.replace("asleep, state: disabled", "asleep, state: enforce"), "narrow.yaml")
    told = run("diff", old, new)
    assert (told.exit_code, told.stdout.splitlines()) == (
        1,
        [
            "+ agent: crm/update_customer: gains access",
            "+ agent: crm/delete_customer: gains access",
            "- support: crm/update_customer: loses access",
            "- support: crm/delete_customer: loses access",
            "4 changes, 2 of them widen",
        ],
    )
    tightened = run("diff", old, narrow)
    assert (tightened.exit_code, tightened.stdout) == (
        0, "- policy: asleep: state disabled -> enforce\n1 changes, 0 of them widen\n",
    )  # fmt: skip
    assert run("diff", narrow, old).exit_code == 1


def test_diff_as_a_table_for_a_pull_request(tmp_path):
    old = config(tmp_path)
    new = config(tmp_path, TEXT.replace("allow: [support]", 'allow: [support, "a|b"]'), "new.yaml")
    told = run("diff", old, new, "--markdown", "--catalog", f"crm={save(tmp_path, TOOLS)}")
    assert (told.exit_code, told.stdout.splitlines()) == (
        1,
        [
            "| who | what | change | widens |",
            "|---|---|---|---|",
            "| a\\|b | `crm/update_customer` | gains access | **yes** |",
            "| a\\|b | `crm/delete_customer` | gains access | **yes** |",
        ],
    )
    back = run("diff", new, old, "--markdown")
    assert (back.exit_code, back.stdout.splitlines()[2]) == (
        0, "| a\\|b | `crm/update_customer` | loses access | no |",
    )  # fmt: skip


def test_diff_as_json(tmp_path):
    new = config(tmp_path, TEXT.replace("big, state: enforce", "big, state: shadow"), "new.yaml")
    told = run("diff", config(tmp_path), new, "--json")
    change = {"who": "policy", "what": "big", "change": "state enforce -> shadow", "widens": True}
    assert (told.exit_code, json.loads(told.stdout)) == (1, [change])


# ---- replay --------------------------------------------------------------------------------------------------


def audit(folder: Path, *events: Any) -> Path:
    file = folder / "audit.jsonl"
    file.write_bytes(b"".join(lines(*events)))
    return file


DRAFT = GOOD + (
    "policies:\n"
    "  - {name: p, state: enforce, tools: [crm/get_customer], then: deny}\n"
    "  - {name: reads, state: enforce, tools: [crm/get_order], when: ['args.x == 1'], then: deny}\n"
)
RECORDED = (
    event(), event(), event("crm/get_order"), event("crm/get_x"),
    event(decision="deny", reason="token_expired"), {"no": "event"},
)  # fmt: skip


def test_replay_prints_changes_in_groups_and_what_cannot_be_decided(tmp_path):
    told = run("replay", "--audit", audit(tmp_path, *RECORDED), "--config", config(tmp_path, DRAFT))
    assert (told.exit_code, told.stdout.splitlines()) == (
        1,
        [
            "      2 x crm/get_customer: allow (allowed) -> deny (policy_denied) p",
            "      1 x `reads` reads arguments, claims or annotations, which events do not hold: not replayed",
            "6 events: 1 decided alike, 1 refused before any policy, 1 not replayed, 1 unreadable",
        ],
    )


def test_replay_as_json(tmp_path):
    told = run("replay", "--audit", audit(tmp_path, *RECORDED), "--config", config(tmp_path, DRAFT), "--json")
    change = {
        "before": "allow (allowed)", "after": "deny (policy_denied)", "target": "crm/get_customer", "policies": "p",
        "count": 2,
    }  # fmt: skip
    assert (told.exit_code, json.loads(told.stdout)) == (
        1,
        {
            "events": 6, "same": 1, "skipped": 1, "undecided": 1, "logged": 0, "unreadable": 1,
            "unanswerable": {"reads": 1}, "unheld": [], "ignores_pins": False, "changes": [change],
        },
    )  # fmt: skip


def test_replay_says_which_decisions_it_cannot_take_again(tmp_path):
    recorded = event(decision="deny", reason="tool_changed")
    file = audit(tmp_path, event(), recorded, recorded)
    told = run("replay", "--audit", file, "--config", config(tmp_path, GOOD))
    needs = "depends on the tool's approved definitions, which events do not hold: not replayed"
    assert (told.exit_code, told.stdout.splitlines()) == (
        0,
        [
            f"      2 x deny (tool_changed) {needs}",
            "3 events: 1 decided alike, 0 refused before any policy, 2 not replayed, 0 unreadable",
        ],
    )
    as_json = json.loads(run("replay", "--audit", file, "--config", config(tmp_path, GOOD), "--json").stdout)
    missing = "the tool's approved definitions"
    assert as_json["unheld"] == [{"before": "deny (tool_changed)", "missing": missing, "count": 2}]


def test_replay_says_that_pins_of_the_draft_are_not_applied(tmp_path):
    words = ["--audit", audit(tmp_path, event()), "--config", config(tmp_path, "tools: {pinning: enforce}\n" + GOOD)]
    told = run("replay", *words)
    assert (told.exit_code, told.stdout.splitlines()[0]) == (
        0, "pins and schemas, which the draft enforces, are not applied: events do not hold definitions",
    )  # fmt: skip
    assert json.loads(run("replay", *words, "--json").stdout)["ignores_pins"] is True


def test_replay_that_changes_nothing_exits_0(tmp_path):
    told = run("replay", "--audit", audit(tmp_path, event()), "--config", config(tmp_path, GOOD))
    assert (told.exit_code, told.stdout) == (
        0, "1 events: 1 decided alike, 0 refused before any policy, 0 not replayed, 0 unreadable\n",
    )  # fmt: skip


# What no look at a log is: name: (the file, what is said of it).
NOT_LOOKED_AT = {
    "empty": (b"", "holds no events; name the file that the sidecar's standard output went to"),
    "blank": (b"\n  \n", "holds no events; name the file that the sidecar's standard output went to"),
    "not text": (b"\x1f\x8b\x08\x00\xff\n\x00", "2 of 2 lines are not audit events, first line 1"),
    "another log": (b"GET / 200\n", "1 of 1 lines are not audit events, first line 1"),
    "cut off": (lines(event())[0] + lines(event())[0][:99], "1 of 2 lines are not audit events, first line 2"),
    "refusals only": (
        lines(event(decision="deny", reason="token_expired"))[0], "none of its 1 events could be decided again",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "message"), NOT_LOOKED_AT.values(), ids=NOT_LOOKED_AT)
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_log_without_events_is_not_a_success(tmp_path, raw, message, more):
    file = tmp_path / "audit.jsonl"
    file.write_bytes(raw)
    told = run("replay", "--audit", file, "--config", config(tmp_path, GOOD), *more)
    assert (told.exit_code, told.stderr) == (2, f"{file}: {message}\n")


def test_changes_are_a_finding_though_a_line_cannot_be_read_and_that_is_said(tmp_path):
    told = run("replay", "--audit", audit(tmp_path, *RECORDED), "--config", config(tmp_path, DRAFT))
    assert (told.exit_code, told.stderr) == (
        1, f"{tmp_path}/audit.jsonl: 1 of 6 lines are not audit events, first line 6\n",
    )  # fmt: skip


def test_audit_file_that_is_not_there_is_misuse(tmp_path):
    told = run("replay", "--audit", tmp_path / "none", "--config", config(tmp_path))
    assert (told.exit_code, told.stderr) == (2, f"{tmp_path}/none: cannot be read: No such file or directory\n")


# ---- import --------------------------------------------------------------------------------------------------

AGEN: dict[str, Any] = {
    "name": "big refunds", "action": "deny", "tools": ["refund"],
    "conditions": [{"attribute": "amount", "op": "greater_than", "value": 1000}],
}  # fmt: skip


def test_import_prints_policies_that_load(tmp_path):
    file = save(tmp_path, [AGEN])
    told = run("import", file, "--server", "billing", "--state", "enforce")
    ours = {
        "name": "big refunds", "state": "enforce", "tools": ["billing/refund"], "when": ["args.amount > 1000.0"],
        "then": "deny",
    }  # fmt: skip
    assert (told.exit_code, yaml.safe_load(told.stdout)) == (0, {"policies": [ours]})
    assert load(write(tmp_path, GOOD + told.stdout), environ={}).config.policies[0].name == "big refunds"
    as_json = run("import", file, "--json")
    expected = {"policies": [{**ours, "state": "shadow", "tools": ["*/refund"]}]}
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (0, expected)


@pytest.mark.parametrize("action", ["mask", "approval_required"])
def test_import_refuses_by_name_what_is_not_built_and_prints_no_policy(tmp_path, action):
    file = save(tmp_path, [AGEN, {**AGEN, "name": "other", "action": action}])
    told, as_json = run("import", file), run("import", file, "--json")
    assert (told.exit_code, told.stdout, told.stderr[: len(f"other: action `{action}`")]) == (
        1, "", f"other: action `{action}`",
    )  # fmt: skip
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (1, {"ok": False, "errors": [told.stderr.strip()]})


NOT_JSON = {
    "no JSON": (b"{", "cannot be read as JSON: json_syntax"),
    "a key twice": (b'{"name": "a", "name": "b"}', "cannot be read as JSON: json_duplicate_key"),
    "too deep": (b"[" * 99 + b"]" * 99, "cannot be read as JSON: json_depth"),
    "no such file": (None, "cannot be read: No such file or directory"),
}


@pytest.mark.parametrize(("raw", "message"), NOT_JSON.values(), ids=NOT_JSON)
def test_file_that_is_not_json_is_misuse(tmp_path, raw, message):
    file = tmp_path / "agen.json"
    if raw is not None:
        file.write_bytes(raw)
    told = run("import", file)
    assert (told.exit_code, told.stdout, told.stderr) == (2, "", f"{file}: {message}\n")


def test_state_that_there_is_not_is_misuse(tmp_path):
    told = run("import", save(tmp_path, AGEN), "--state", "disabled")
    assert (told.exit_code, told.stdout, told.stderr) == (2, "", "--state: write shadow or enforce\n")


# ---- import of what the API and Terraform have ---------------------------------------------------------------

BY_ID: dict[str, Any] = {
    "name": "refunds", "enabled": True, "appIds": ["shop"], "internalToolIds": ["t1"], "type": "CONDITIONAL",
    "targeting": {
        "if": {"conditionLogic": "and", "conditions": [
            {"attribute": "country", "op": "in_list", "negate": True, "value": {"list": ["DE"]}}]},
        "then": {"result": "deny"},
    },
}  # fmt: skip
CATALOG = {"items": [{"id": "t1", "name": "refund", "appId": "shop"}]}


def test_policy_of_the_api_is_imported_through_a_catalog_and_what_is_written_is_a_good_configuration(tmp_path):
    file, tools = save(tmp_path, {"items": [BY_ID]}), save(tmp_path, CATALOG, "catalog.json")
    told = run("import", file, "--catalog", tools, "--app", "shop=billing")
    ours = {
        "name": "refunds", "state": "shadow", "tools": ["billing/refund"], "when": ['!(request.country in ["DE"])'],
        "then": "deny",
    }  # fmt: skip
    assert (told.exit_code, yaml.safe_load(told.stdout)) == (0, {"policies": [ours]})
    assert told.stderr == "these policies need more of the configuration: set `country_header`\n"
    more = "country_header: cf-ipcountry\ntrusted_proxies: [192.0.2.0/24]\n"
    checked = CliRunner().invoke(app, ["check-config", str(config(tmp_path, GOOD + more + told.stdout))])
    assert (checked.exit_code, checked.stderr) == (0, "")


def test_state_of_terraform_is_its_own_catalog(tmp_path):
    values = {
        "name": "p", "enabled": True, "internal_tool_ids": ["t1"], "targeting": [{"then": [{"result": "deny"}]}],
    }  # fmt: skip
    resources = [
        {"address": "a", "type": "agenco_conditional_policy", "values": values},
        {"address": "b", "type": "agenco_tool", "values": {"id": "t1", "name": "refund"}},
    ]
    told = run("import", save(tmp_path, {"values": {"root_module": {"resources": resources}}}), "--server", "billing")
    assert (told.exit_code, yaml.safe_load(told.stdout)["policies"][0]["tools"]) == (0, ["billing/refund"])


def test_tool_that_no_catalog_has_is_an_error_with_its_place(tmp_path):
    told = run("import", save(tmp_path, BY_ID), "--app", "shop=billing")
    said = "refunds: internalToolIds[0]: no tool with the id `t1` is known; give Agen's list of tools by `--catalog`\n"
    assert (told.exit_code, told.stdout, told.stderr) == (1, "", said)


MISUSES = {
    "an application without a resource": (
        ("--app", "shop"),
        "--app: `shop` is not ID=NAME, with the name of a resource",
    ),
    "an application of no resource": (("--app", "a=B C"), "--app: `a=B C` is not ID=NAME, with the name of a resource"),
    "no resource's name": (("--server", "B/C"), "--server: `B/C` is not the name of a resource"),
}


@pytest.mark.parametrize(("words", "message"), MISUSES.values(), ids=MISUSES)
def test_names_that_no_resource_can_have_are_misuse(tmp_path, words, message):
    told = run("import", save(tmp_path, AGEN), *words)
    assert (told.exit_code, told.stdout, told.stderr) == (2, "", f"{message}\n")


@pytest.mark.parametrize(
    "document", [[], {"policies": []}, {"items": []}, {"values": {"root_module": {}}}], ids=json.dumps
)
def test_import_of_nothing_is_not_a_success(tmp_path, document):
    file = save(tmp_path, document)
    told = run("import", file)
    assert (told.exit_code, told.stdout, told.stderr) == (2, "", f"{file}: holds no policies\n")


@pytest.mark.parametrize("document", [[], {"tools": []}, {"tools": [{"name": "x"}]}], ids=json.dumps)
def test_catalog_without_ids_is_misuse(tmp_path, document):
    tools = save(tmp_path, document, "catalog.json")
    told = run("import", save(tmp_path, BY_ID), "--catalog", tools)
    assert (told.exit_code, told.stderr) == (2, f"{tools}: holds no tools with `id` and `name`\n")
