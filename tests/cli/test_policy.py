"""`agen-authz policy ...` as it is typed: what is printed, for people and as JSON, and exits 0, 1 and 2."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from agen_authz.adapters.store import SqlCatalogue, migrate, open_store
from agen_authz.app.shadow import note_shadow
from agen_authz.config import load
from agen_authz.core.pinning.catalogue import sight
from tests.authoring.rig import TEXT, TOOLS, config, run, save, write
from tests.builders import NOW
from tests.config.test_mistakes import GOOD
from tests.core.pinning.rig import tool

COMMANDS = ("lint", "targets", "test", "explain", "diff", "replay", "import")
CALL = "{call: {server: crm, tool: get_customer}, claims: {roles: [analyst], team: red}%s}"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_an_example_and_json_is_offered(name):
    told = run(name, "--help")
    example = "".join(told.output.partition("Example:")[1:]).replace("\n", " ")
    assert (told.exit_code, f"agen-authz policy {name} " in example, "--json" in example) == (0, True, True)


def test_example_of_explain_is_one_that_works(tmp_path):
    example = re.search(r"Example: echo '(?P<call>[^']*)'", run("explain", "--help").output)
    assert example is not None
    told = run("explain", "-", "--config", config(tmp_path), given=" ".join(example["call"].split()))
    assert (told.exit_code, told.stdout.splitlines()[0]) == (0, "allow: allowed")


def test_every_command_is_here():
    assert set(re.findall(r"^  (\w+)  ", run("--help").output, re.MULTILINE)) == set(COMMANDS)


# What each command needs next to the configuration.
WORDS = {
    "lint": ["lint"], "targets": ["targets", "read"], "test": ["test", "{folder}"], "explain": ["explain", "-"],
    "replay": ["replay", "--audit", "{folder}/x"],
}  # fmt: skip


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_configuration_that_does_not_load_is_a_finding_and_one_that_is_not_there_misuse(tmp_path, words):
    filled = [word.format(folder=tmp_path) for word in words]
    told = run(*filled, "--config", write(tmp_path, TEXT + "zzz: 1\n"), given="{}")
    assert (told.exit_code, told.stdout, "zzz: unknown key" in told.stderr) == (1, "", True)
    as_json = run(*filled, "--config", tmp_path / "agen.yaml", "--json", given="{}")
    assert (as_json.exit_code, json.loads(as_json.stdout)["problems"][0]["path"]) == (1, "zzz")
    assert run(*filled, "--config", tmp_path / "none.yaml", given="{}").exit_code == 2


@pytest.mark.parametrize(
    "words", [["lint"], ["targets"], ["test"], ["diff", "x"], ["replay"], ["import"], ["nonsense"]], ids=str
)
def test_misuse_exits_2(words):
    assert run(*words).exit_code == 2


# ---- lint ----------------------------------------------------------------------------------------------------

QUIET = GOOD + "policies: [{name: p, state: enforce, tools: ['crm/*'], then: deny, when: ['user.email == \"x\"']}]\n"


def test_lint_finds_nothing(tmp_path):
    file = config(tmp_path, QUIET)
    told, as_json = run("lint", "--config", file), run("lint", "--config", file, "--json")
    assert (told.exit_code, told.stdout) == (0, "nothing found\n")
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (0, {"ok": True, "findings": []})
    assert not (tmp_path / "agen.db").exists()


def test_lint_prints_findings_with_how_to_fix_them(tmp_path):
    file, tools = config(tmp_path, QUIET), save(tmp_path, {"tools": [{"name": "get_x"}]})
    told = run("lint", "--config", file, "--catalog", f"crm={tools}")
    cure = 'name it in its own rule: tools: ["crm/get_x"]'
    message = "the tool may write, and no rule names it exactly"
    assert (told.exit_code, told.stdout) == (1, f"write_without_rule: crm/get_x: {message}; {cure}\n1 findings\n")
    as_json = run("lint", "--config", file, "--catalog", f"crm={tools}", "--json")
    found = {"check": "write_without_rule", "subject": "crm/get_x", "message": message, "cure": cure}
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (1, {"ok": False, "findings": [found]})


def test_lint_names_policies_that_were_forgotten_in_shadow(tmp_path):
    file = config(tmp_path, GOOD + "policies: [{name: s, state: shadow, then: deny}]\n")

    async def remember() -> None:
        loaded = load(file, environ={})
        url = loaded.config.store.url
        assert url is not None
        await migrate(url)
        store = open_store(url, timeout_s=5.0)
        await note_shadow(loaded.config, store, NOW - 40 * 365 * 86_400)
        await store.close()

    asyncio.run(remember())
    told = run("lint", "--config", file, "--json")
    (found,) = json.loads(told.stdout)["findings"]
    assert (told.exit_code, found["check"], found["cure"]) == (1, "long_in_shadow", "enforce it, or remove it")


def test_lint_says_that_the_store_cannot_be_read_and_goes_on_without_it(tmp_path):
    (tmp_path / "agen.db").write_bytes(b"this is no database, whatever its name says" * 99)
    told = run("lint", "--config", config(tmp_path, QUIET.replace("enforce", "shadow")))
    assert (told.exit_code, told.stdout) == (0, "nothing found\n")
    tools, shadow = told.stderr.splitlines()
    assert tools.startswith("the tools that the store knows are not used: ") and "store.url" in tools
    assert shadow.startswith("since when policies are in shadow is not known: ") and "store.url" in shadow
    found = run("lint", "--config", config(tmp_path, TEXT), "--json")
    assert (found.exit_code, json.loads(found.stdout)["ok"]) == (1, False)


def keep_tools(file: Path, *definitions: Any) -> None:
    """Keep definitions in the store of a configuration, as listed by `crm`, and approve them."""

    async def keep() -> None:
        url = load(file, environ={}).config.store.url
        assert url is not None
        await migrate(url)
        store = open_store(url, timeout_s=5.0)
        seen = [sighting for each in definitions if (sighting := sight(each)) is not None]
        await SqlCatalogue(store).note_seen("crm", seen, NOW)
        for each in seen:
            await SqlCatalogue(store).approve("crm", each.name, each.digest, "ann", NOW)
        await store.close()

    asyncio.run(keep())


def test_lint_knows_the_tools_of_the_store(tmp_path):
    file = config(
        tmp_path,
        GOOD + "policies: [{name: p, state: enforce, tools: [crm/get_customer], then: deny, when: ['args.ids == 1']},"
        " {name: q, state: enforce, tools: [crm/get_order], then: deny}]\n",
    )
    keep_tools(file, tool(), tool("list_orders"), tool("get_all", annotations={"destructiveHint": True}))
    told = run("lint", "--config", file, "--json")
    found = [(each["check"], each["subject"]) for each in json.loads(told.stdout)["findings"]]
    assert (told.exit_code, told.stderr, sorted(found)) == (
        1,
        "",
        [
            ("names_nothing", "q"),
            ("sensitive_without_proof", "crm/get_all"),
            ("tool_without_rule", "crm/list_orders"),
            ("unknown_argument", "p"),
            ("write_without_rule", "crm/get_all"),
        ],
    )
    saved = run("lint", "--config", file, "--json", "--catalog", f"crm={save(tmp_path, TOOLS)}")
    assert "crm/list_orders" not in saved.stdout


def test_targets_knows_the_tools_of_the_store(tmp_path):
    file = config(tmp_path)
    keep_tools(file, tool(), tool("get_order"), tool("list_orders"))
    told = run("targets", "read", "--config", file)
    assert (told.exit_code, told.stderr, told.stdout.splitlines()[0]) == (
        0,
        "",
        "tools: crm/get_customer, crm/get_order",
    )


def test_targets_says_that_there_is_no_store(tmp_path):
    told = run("targets", "notes", "--config", config(tmp_path))
    assert (told.exit_code, (tmp_path / "agen.db").exists()) == (0, False)
    assert told.stderr.startswith("the tools that the store knows are not used: ")


@pytest.mark.parametrize("words", ["lint --config {0}", "targets read --config {0}", "diff {0} {0}"])
def test_list_that_is_none_is_misuse(tmp_path, words):
    told = run(*words.format(config(tmp_path)).split(), "--catalog", "crm=/nowhere/x.json")
    assert (told.exit_code, told.stdout, told.stderr) == (2, "", "/nowhere/x.json: cannot be read as JSON\n")


# ---- targets -------------------------------------------------------------------------------------------------


def test_targets_lists_what_is_touched(tmp_path):
    words = ["--config", config(tmp_path), "--catalog", f"crm={save(tmp_path, TOOLS)}"]
    told = run("targets", "notes", *words)
    assert (told.exit_code, told.stdout) == (
        0,
        "tools: none known\nresources: crm/note://1, crm/note://{id}\nprompts: crm/summarize\n"
        "roles: analyst, support\n",
    )
    assert json.loads(run("targets", "edit", *words, "--json").stdout) == {
        "name": "edit", "tools": ["crm/delete_customer", "crm/update_customer"], "resources": [], "prompts": [],
        "roles": ["support"],
    }  # fmt: skip


def test_targets_of_what_is_not_there_is_misuse(tmp_path):
    file = config(tmp_path)
    told = run("targets", "nobody", "--config", file)
    *_, last = told.stderr.splitlines()
    assert (told.exit_code, told.stdout, last) == (2, "", f"{file}: no policy or rule is called `nobody`")


# ---- test ----------------------------------------------------------------------------------------------------


def cases(folder: Path, *expects: str) -> Path:
    inner = folder / "cases"
    inner.mkdir(exist_ok=True)
    named = (CALL % f", name: c{index}, expect: {{{expect}}}" for index, expect in enumerate(expects))
    (inner / "a.yaml").write_text("cases:\n" + "".join(f"  - {each}\n" for each in named), "utf-8")
    return inner


def test_cases_that_are_decided_as_expected_are_counted(tmp_path):
    words = [
        "test",
        cases(tmp_path, "decision: allow", "decision: allow, policy: watched"),
        "--config",
        config(tmp_path),
    ]
    told, as_json = run(*words), run(*words, "--json")
    assert (told.exit_code, told.stdout) == (0, "2 of 2 cases as expected\n")
    rows = [{"file": f"{tmp_path}/cases/a.yaml", "case": f"c{index}", "ok": True, "failure": ""} for index in (0, 1)]
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (0, {"ok": True, "cases": rows})


def test_case_that_fails_prints_expected_actual_and_the_trace(tmp_path):
    words = ["test", cases(tmp_path, "decision: deny", "decision: allow"), "--config", config(tmp_path)]
    told, as_json = run(*words), run(*words, "--json")
    assert (told.exit_code, re.sub(r"[0-9a-f]{12}\)", "DIGEST)", told.stdout).splitlines()) == (
        1,
        [
            f"FAIL {tmp_path}/cases/a.yaml: c0",
            "     expected decision `deny`, got `allow`",
            "     allow: allowed",
            "     ├─ method allowed tools/call",
            "     ├─ access granted read",
            "     └─ policy `watched` (shadow, deny): applies",
            '        └─ user.claims.team == "red" -> true',
            "           └─ user.claims.team = (str, digest DIGEST)",
            "1 of 2 cases as expected",
        ],
    )
    failed, passed = json.loads(as_json.stdout)["cases"]
    assert (as_json.exit_code, failed["ok"], passed["ok"], "trace" in passed) == (1, False, True, False)
    assert failed["failure"] == "expected decision `deny`, got `allow`"
    assert (failed["decision"], failed["reason"], failed["policies"]) == ("allow", "allowed", ["watched"])
    assert failed["trace"]["text"] == "allow: allowed" and len(failed["trace"]["children"]) == 3


def test_case_that_cannot_be_decided_fails_without_a_trace(tmp_path):
    folder = cases(tmp_path, "decision: allow")
    file = folder / "a.yaml"
    file.write_text(file.read_text("utf-8").replace("server: crm", "server: hr"), "utf-8")
    told = run("test", folder, "--config", config(tmp_path))
    assert (told.exit_code, told.stdout.splitlines()) == (
        1, [f"FAIL {file}: c0", "     no resource is called `hr`", "0 of 1 cases as expected"],
    )  # fmt: skip
    (row,) = json.loads(run("test", folder, "--config", tmp_path / "agen.yaml", "--json").stdout)["cases"]
    assert (row["ok"], row["failure"], "trace" in row) == (False, "no resource is called `hr`", False)


def test_file_of_cases_that_cannot_be_read_is_misuse(tmp_path):
    folder = cases(tmp_path, "decision: permit")
    words = ["test", folder, "--config", config(tmp_path)]
    told, as_json = run(*words), run(*words, "--json")
    assert (told.exit_code, told.stdout, "cases.0.expect.decision" in told.stderr) == (2, "", True)
    assert (as_json.exit_code, json.loads(as_json.stdout)["problems"][0]["path"]) == (2, "cases.0.expect.decision")


def test_directory_that_is_not_there_or_empty_is_misuse(tmp_path):
    told = run("test", tmp_path / "none", "--config", config(tmp_path))
    assert (told.exit_code, told.stderr) == (2, f"{tmp_path}/none: no such directory\n")
    (tmp_path / "empty").mkdir()
    assert run("test", tmp_path / "empty", "--config", tmp_path / "agen.yaml").exit_code == 2


# ---- explain -------------------------------------------------------------------------------------------------


def test_explain_prints_a_tree_with_digests_in_place_of_secrets(tmp_path):
    file = config(tmp_path)
    told = run("explain", "-", "--config", file, given=CALL % "")
    *head, last = told.stdout.splitlines()
    assert (told.exit_code, head) == (
        0,
        [
            "allow: allowed",
            "├─ method allowed tools/call",
            "├─ access granted read",
            "└─ policy `watched` (shadow, deny): applies",
            '   └─ user.claims.team == "red" -> true',
        ],
    )
    assert re.fullmatch(r"      └─ user\.claims\.team = \(str, digest [0-9a-f]{12}\)", last)
    again = run("explain", "-", "--config", file, given=CALL % "").stdout.splitlines()
    # With a key of one run, nobody can try values out.
    assert (again[:-1], again[-1] == last) == (head, False)
    shown = run("explain", "-", "--config", file, "--show-values", given=CALL % "")
    assert shown.stdout.splitlines() == [*head, "      └─ user.claims.team = red"]


def test_explain_prints_the_same_as_json(tmp_path):
    file = tmp_path / "call.json"
    file.write_text(json.dumps(yaml.safe_load(CALL % "")), "utf-8")
    told = run("explain", file, "--config", config(tmp_path), "--json", "--show-values")
    read = {"text": "user.claims.team = red", "children": []}
    condition = {"text": 'user.claims.team == "red" -> true', "children": [read]}
    policy = {"text": "policy `watched` (shadow, deny): applies", "children": [condition]}
    steps: list[Any] = [{"text": text, "children": []} for text in ("method allowed tools/call", "access granted read")]
    assert (told.exit_code, json.loads(told.stdout)) == (
        0,
        {
            "decision": "allow", "reason": "allowed", "policies": ["watched"],
            "data_protection": [],
            "trace": {"text": "allow: allowed", "children": [*steps, policy]},
        },
    )  # fmt: skip


UNREADABLE = {
    "no YAML": ("{call: [hunter2", "line 1: cannot be read as YAML"),
    "no call": ("{claims: {token: hunter2}}", "call: field required"),
    "no resource": ("{call: {server: hr, tool: x}, claims: {token: hunter2}}", "no resource is called `hr`"),
    "unknown key": ("{call: {server: crm, tool: x}, zzz: hunter2}", "zzz: extra inputs are not permitted"),
}


@pytest.mark.parametrize(("given", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_call_that_is_none_is_misuse_and_quotes_nothing_of_it(tmp_path, given, message):
    told = run("explain", "-", "--config", config(tmp_path), given=given)
    assert (told.exit_code, told.stdout, told.stderr) == (2, "", f"-: {message}\n")


def test_call_that_is_not_there_is_misuse(tmp_path):
    told = run("explain", tmp_path / "none.yaml", "--config", config(tmp_path))
    assert (told.exit_code, told.stderr.count("\n"), "none.yaml" in told.stderr) == (2, 1, True)
