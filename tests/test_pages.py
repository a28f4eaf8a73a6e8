"""Pages that are rendered from the code are what the code says; tests that a page names exist."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agen_authz.adapters.metrics.table import METRICS
from agen_authz.cli.main import app
from agen_authz.cli.policy import app as policy_commands
from agen_authz.core.masking.catalog import CATALOG
from agen_authz.core.reason import REFUSALS, Reason
from tools import (
    architecture_page,
    config_page,
    log_page,
    masking_page,
    metrics_page,
    plain,
    policies_page,
    reasons_page,
)


def test_page_of_reasons_is_rendered_from_the_table(golden):
    golden("docs/reasons.md", reasons_page.render())


def test_every_reason_has_a_row():
    assert set(REFUSALS) == set(Reason)


def test_page_of_the_log_is_rendered_from_the_calls(golden):
    golden("docs/log.md", log_page.render())


def test_every_line_of_the_log_has_a_meaning_and_every_meaning_a_line():
    assert {line.message for line in log_page.find_lines()} == set(log_page.MEANINGS)


def test_message_that_is_put_together_when_the_program_runs_is_refused():
    text = "def f(a, b):\n    _LOG.error(b)\n"
    with pytest.raises(ValueError, match=r"^x\.py:2: this message is not written out$"):
        list(log_page.read_module("x.py", text))


def test_fields_of_a_line_are_found_where_they_were_named_before():
    text = 'def f(a):\n    extra = {"n": a}\n    _LOG.exception("gone", extra=extra)\n'
    assert list(log_page.read_module("x.py", text)) == [log_page.Line("x.py", "error", "gone", ("n", "traceback"))]


def test_page_of_the_architecture_draws_the_import_contracts(golden):
    golden("docs/architecture.md", architecture_page.render())


def test_page_of_the_architecture_names_files_that_exist():
    named = re.findall(r"`((?:agen_authz|tests|proto)/[\w/.]+)`", architecture_page.render())
    assert ([name for name in named if not (ROOT / name).exists()], len(named) > 15) == ([], True)


def test_page_of_the_configuration_is_rendered_from_its_models(golden):
    golden("docs/configuration.md", config_page.render())


def test_page_of_policies_is_what_the_code_and_the_examples_say(golden):
    golden("docs/policies.md", policies_page.render())


def test_page_of_masking_is_what_the_code_says(golden):
    golden("docs/masking.md", masking_page.render())


def test_page_of_masking_names_every_detector():
    page = masking_page.PAGE.read_text("utf-8")
    assert [name for name in CATALOG if f"| `{name}` |" not in page] == []


def test_page_of_metrics_is_rendered_from_their_table(golden):
    golden("docs/metrics.md", metrics_page.render())


def test_metrics_that_pages_name_exist():
    pages = {page.name: page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md")}
    named = {(name, found) for name, text in pages.items() for found in re.findall(r"`(agen_[a-z_]+)[`{]", text)}
    # A header as frameworks read it, and the package.
    others = {"agen_subject", "agen_authz", *(row.exposed for row in METRICS)}
    assert ([each for each in sorted(named) if each[1] not in others], len(named) > 30) == ([], True)


def test_example_of_a_function_that_is_not_true_would_be_noticed():
    wrong = ("args.n == 4", "args.nosuch == 3", "args.n", "nosuch(args.n)")
    assert [text for text in wrong if policies_page.is_true(text)] == []


def test_page_of_policies_shows_every_command_and_every_example():
    page = policies_page.PAGE.read_text("utf-8")
    names = [command.name for command in policy_commands.registered_commands]
    examples = sorted((policies_page.ROOT / "docs" / "examples" / "policies").iterdir())
    wanted = [
        *(f"$ agen-authz policy {name} " for name in names),
        *(f"<!-- from code: example {folder.name} -->" for folder in examples),
        "<!-- from code: variables -->",
        "<!-- from code: functions -->",
    ]
    assert [text for text in wanted if text not in page] == [] and len(examples) == 10


def read_example(page: Path) -> str:
    """Read the first configuration that a page shows."""
    text = re.search(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert text is not None
    return text[1]


def test_configuration_of_the_readme_is_one_that_serve_takes(tmp_path, monkeypatch):
    (tmp_path / "agen.yaml").write_text(read_example(ROOT / "README.md"), "utf-8")
    # Its store is named relative to where the command runs.
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["check-config", "agen.yaml"])
    assert (told.exit_code, told.output.endswith("agen.yaml: ok\n")) == (0, True)


SECRETS = {
    "store-key": b"s" * 32,
    "console-secret": b"c" * 32,
    "approval-channels": b"# who decides\njson://127.0.0.1:9\n",
    "mail-url": b"mailtos://ann:secret@mail.example.com?from=agen@example.com\n",
    "keys/billing-1": b"b" * 32,
}


def test_configuration_of_the_page_of_approvals_is_one_that_serve_takes(tmp_path):
    text = read_example(ROOT / "docs" / "approvals.md")
    assert set(re.findall(r"/etc/agen/([\w/-]+)", text)) == set(SECRETS)
    (tmp_path / "keys").mkdir()
    for name, secret in SECRETS.items():
        (tmp_path / name).write_bytes(secret)
        (tmp_path / name).chmod(0o600)
    here = text.replace("/etc/agen/", f"{tmp_path}/").replace("/var/lib/agen/", f"{tmp_path}/")
    for name, written, more in (("as-it-is.yaml", text, ["--no-secrets"]), ("here.yaml", here, [])):
        (tmp_path / name).write_text(written, "utf-8")
        told = CliRunner().invoke(app, ["check-config", str(tmp_path / name), *more])
        assert (told.exit_code, told.output.endswith(f"{name}: ok\n")) == (0, True), told.output


ROOT = Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`(tests/[a-z0-9_/]+(?:\.py)?)(?:::(test_[a-z0-9_]+))?`")


@pytest.mark.parametrize("page", ["docs/threat-model.md"])
def test_every_test_that_a_page_names_exists(page):
    named = NAMED.findall((ROOT / page).read_text("utf-8"))
    missing = [
        (file, test)
        for file, test in named
        if not (ROOT / file).exists() or (test and f"def {test}(" not in (ROOT / file).read_text("utf-8"))
    ]
    assert (missing, len(named) > 40) == ([], True)


def test_no_new_riddle_is_in_pages_help_messages_docstrings_and_comments():
    assert plain.more_than_left(plain.find(plain.everything()), plain.LEFT) == {}


@pytest.mark.parametrize(
    ("riddle", "plainly"),
    [
        ("the entry stands under `revoked`", "the entry is listed under `revoked`"),
        ("empty, where there is none", "empty if there is none; where there was one, there are two"),
        ("give an `acr` beside it", "give an `acr` besides it"),
        ("nobody may approve it", "no approver may approve it; anybody may read it"),
        ("that is no token", "there is no token, and it is no longer than 3"),
        ("a pattern that is none", "a pattern that is invalid; none of them match"),
        ("the caller is told", "the caller is sent the reason, and kinds are told apart"),
        ("a rule of its own: one", "its own rule; customers of their own country"),
        ("keys are not to be had", "keys cannot be fetched"),
        ("Whether it is signed", "True if it is signed; it depends on whether it is signed"),
        ("| x | Whether it is signed |", "| x | True if it is signed |"),
        ("Say whether it is signed", "True if it is signed"),
        ("read in one go", "read at once, in one line"),
        ("denied for want of a country", "denied without a country"),
        ("denied all the same", "denied anyway; all are the same"),
        ("what came of it", "the result of it"),
        ("whom the issuer speaks of", "whom the issuer names"),
        ("it pays unasked", "it pays unless asked"),
        ("proxies write it anew", "proxies rewrite it, or write it again"),
        ("a claim is looked for", "a claim is searched for; look for a claim"),
        ("the last one goes on", "the last one stays in use, and may go on"),
        ("now and then it asks", "it asks now, and then it waits"),
        ("as many as it likes", "as many as it wants, such as these; it is likely"),
        ("it waits in vain", "it waits until its deadline"),
        ("aborted by the thousand", "thousands of aborted calls, by the time"),
    ],
)
def test_riddle_is_found_and_the_plain_word_is_not(riddle, plainly):
    found = [plain.find([plain.Text("a page", text)]) for text in (riddle, plainly)]
    assert [len(each) for each in found] == [1, 0]
