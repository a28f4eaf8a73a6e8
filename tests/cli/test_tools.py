"""`agen-authz tools` as it is typed, on a store."""

import asyncio
import json
import sqlite3

import pytest
from typer.testing import CliRunner

from agen_authz.adapters.store import SqlCatalogue, open_store
from agen_authz.cli.main import app
from agen_authz.core.pinning.catalogue import sight
from agen_authz.core.pinning.definition import digest_definition
from agen_authz.core.pinning.record import Action
from tests.adapters.database import make_migrated
from tests.builders import NOW
from tests.cli.test_commands import with_store
from tests.core.pinning.rig import tool

RUN = CliRunner()
REWORDED, CHANGED = tool(title="Kunde"), tool(inputSchema={})
HIDDEN = tool("odd", description="a\u200bb", inputSchema={})


def run(*words):
    told = RUN.invoke(app, ["tools", *words])
    return told.exit_code, told.output


class Stand:
    """A configuration and its store."""

    def __init__(self, folder):
        self.config = with_store(folder)
        self._url = f"sqlite:///{folder}/agen.db"
        asyncio.run(make_migrated(folder / "agen.db"))

    def do(self, act):
        async def opened():
            store = open_store(self._url, 10.0)
            try:
                return await act(SqlCatalogue(store))
            finally:
                await store.close()

        return asyncio.run(opened())

    def note(self, *definitions, at=NOW):
        sightings = [seen for each in definitions if (seen := sight(each)) is not None]
        self.do(lambda store: store.note_seen("crm", sightings, at))

    def run(self, *words):
        return run(*words, "--config", self.config)


@pytest.fixture
def stand(tmp_path):
    return Stand(tmp_path)


@pytest.mark.parametrize("command", ["list", "diff", "pin"])
def test_help_has_an_example(command):
    code, output = run(command, "--help")
    assert (code, "Example: agen-authz tools" in output) == (0, True)


def test_new_tool_is_a_finding_until_it_is_pinned(stand):
    stand.note(tool())
    code, output = stand.run("list")
    assert (code, "crm/get_customer  new" in output) == (1, True)
    code, output = stand.run("pin", "crm", "--by", "ann")
    assert (code, output.endswith("  pinned\n"), "+ /name: " in output) == (0, True, True)
    code, output = stand.run("list", "crm/get_customer")
    assert (code, "crm/get_customer  pinned" in output) == (0, True)
    (record,) = stand.do(lambda store: store.list_untold())
    assert (record.action, record.by, record.digest) == (Action.APPROVE, "ann", digest_definition(tool()))


def test_who_pins_is_the_systems_user_by_default(stand):
    import os
    import pwd

    stand.note(tool())
    stand.run("pin", "crm")
    (record,) = stand.do(lambda store: store.list_untold())
    assert record.by == pwd.getpwuid(os.getuid()).pw_name


def test_wording_is_no_finding_and_more_is(stand):
    stand.note(tool())
    stand.run("pin", "crm")
    stand.note(REWORDED, at=NOW + 1)
    code, output = stand.run("diff")
    assert (code, '+ /title: "Kunde"' in output) == (0, True)
    stand.note(CHANGED, at=NOW + 2)
    code, output = stand.run("diff", "crm")
    assert (code, "+ /inputSchema: {}" in output) == (1, True)
    assert stand.run("pin", "crm") == (0, "nothing to do\n")
    assert stand.run("pin", "crm", "--changed")[0] == 0
    assert stand.run("diff") == (0, "nothing differs from what is approved\n")


def test_hidden_text_is_not_pinned_unless_the_operator_says_so(stand):
    stand.note(HIDDEN, tool())
    code, output = stand.run("pin", "crm")
    assert (code, "needs --yes" in output, "not pinned" in output) == (1, True, True)
    assert stand.do(lambda store: store.list_untold()) == ()
    code, output = stand.run("pin", "crm", "--yes", "--json")
    assert (code, [each["outcome"] for each in json.loads(output)["tools"]]) == (0, ["pinned", "pinned"])


def test_older_definition_is_pinned_by_its_digest_and_withdrawn(stand):
    stand.note(tool())
    stand.note(CHANGED, at=NOW + 1)
    digest = digest_definition(tool())[:12]
    assert stand.run("pin", "crm/get_customer", "--digest", digest)[0] == 0
    assert json.loads(stand.run("list", "--json")[1])["tools"][0]["state"] == "changed"
    code, output = stand.run("pin", "crm/get_customer", "--withdraw", "--digest", digest)
    assert (code, output.endswith("  withdrawn\n")) == (0, True)
    assert json.loads(stand.run("list", "--json")[1])["tools"][0]["state"] == "new"


def test_tool_is_forgotten(stand):
    stand.note(tool(), tool("other", inputSchema={}))
    assert stand.run("pin", "crm/other", "--forget") == (0, "crm/other: forgotten\n")
    code, output = stand.run("pin", "crm", "--forget", "--json")
    assert (code, json.loads(output)) == (0, {"tools": [{"tool": "crm/get_customer", "outcome": "forgotten"}]})
    assert stand.run("list") == (0, "no tool was seen yet\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("list", "nope"), "nothing was seen of a server `nope`"),
        (("pin", "crm/nope"), "no tool `nope` of `crm`"),
        (("pin", "crm", "--digest", "0" * 8), "--digest needs one tool"),
        (("pin", "crm", "--withdraw", "--forget"), "exclude each other"),
        (("pin", "crm", "--by", "a\nb"), "--by needs a name"),
        (("pin", "crm/get_customer", "--digest", "0" * 8), "no definitions"),
    ],
)
def test_misuse_says_what_to_do(stand, words, message):
    stand.note(tool())
    code, output = stand.run(*words)
    assert (code, message in output) == (2, True)


@pytest.mark.parametrize("words", [("list",), ("diff",), ("pin", "crm")])
def test_store_that_does_not_exist_is_not_made(tmp_path, words):
    code, output = run(*words, "--config", with_store(tmp_path))
    assert (code, "there is no store" in output, (tmp_path / "agen.db").exists()) == (2, True, False)


def test_store_of_an_older_version_is_refused_with_the_cure(tmp_path):
    with sqlite3.connect(tmp_path / "agen.db") as connection:
        connection.execute("CREATE TABLE kept_value (name, value)")
    connection.close()
    code, output = run("list", "--config", with_store(tmp_path))
    assert (code, "run `agen-authz migrate` first" in output) == (2, True)


def test_variable_that_does_not_hold_the_url_of_the_store_is_refused(tmp_path):
    file = tmp_path / "agen.yaml"
    with_store(tmp_path)
    file.write_text(file.read_text().partition("store:")[0] + "store: {url_env: AGEN_STORE}\n")
    code, output = run("list", "--config", str(file), "--json")
    assert (code, json.loads(output)["problems"][0]["message"]) == (2, "does not hold the URL of a store")


def test_store_that_cannot_be_written_is_reported(stand, tmp_path):
    stand.note(tool())
    (tmp_path / "agen.db").chmod(0o600)
    with sqlite3.connect(tmp_path / "agen.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    code, output = stand.run("pin", "crm")
    assert (code, "newer version" in output) == (2, True)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$ref": "https://example.com/x"}, "`/$ref` leaves the document"),
        ({"type": "objekt"}, "`type` has a value that JSON Schema does not allow"),
        ("x", "`inputSchema` is not an object"),
    ],
)
def test_schema_that_no_call_can_be_checked_against_is_pinned_with_a_warning(stand, schema, why):
    stand.note(tool(), tool("odd", inputSchema=schema))
    code, output = stand.run("pin", "crm/odd")
    assert code == 0 and f"  warning: its inputSchema cannot be used: {why}; `tools.arguments: check` denies" in output
    assert "warning" not in stand.run("pin", "crm/odd", "--withdraw")[1]
    code, output = stand.run("pin", "crm", "--json")
    assert (code, {each["tool"]: each["schema_unusable"] for each in json.loads(output)["tools"]}) == (
        0,
        {"get_customer": "", "odd": why},
    )
