"""`agen-authz mask` as it is typed: bodies, explanations, receipts, rules of a configuration, tokens, and misuse."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agen_authz.authoring.mask import advise
from agen_authz.cli.main import app
from agen_authz.core.masking import INCOMPLETE, Unmaskable

CARD, EMAIL = "4111 1111 1111 1111", "ann.lee@example.com"
BODY = json.dumps({"email": EMAIL, "card": CARD, "n": 1})
PLAIN = """\
version: 1
providers: [{name: corp, issuer: "https://id.example.com/"}]
resources: [{name: crm, url: "https://mcp.example.com/crm/mcp", providers: [corp], insecure_unsigned: true}]
access: {mapping: roles, rules: [{name: all, tools: ["crm/*"], allow: [analyst]}]}
"""
RULES = """\
data_protection:
  - {name: mails, state: shadow, tools: ["crm/*"], detectors: {add: [email]}, style: {email: tokenize}}
  - {name: cards, state: enforce, tools: ["crm/*"], presets: [pci], exempt_paths: [/card]}
  - {name: old, state: disabled, tools: ["crm/*"], presets: [pii]}
"""


def run(*words: str, stdin: str | bytes = BODY) -> Result:
    return CliRunner().invoke(app, ["mask", *words], input=stdin)


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "key").write_bytes(b"k" * 32)
    keys = f"masking_keys: [{{id: k1, secret_file: {tmp_path}/key}}]\n"
    (tmp_path / "agen.yaml").write_text(PLAIN + RULES + keys, "utf-8")
    return str(tmp_path / "agen.yaml")


def test_body_is_masked_and_nothing_else_is_printed():
    told = run("--presets", "pii,pci")
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout == '{"email":"a***@example.com","card":"**** **** **** 1111","n":1}'


def test_detectors_and_styles_are_chosen_by_options():
    told = run("--add", "emailAddress", "--add", "CREDIT_CARD", "--style", "default=redact", "--remove", "email")
    assert json.loads(told.stdout) == {"email": EMAIL, "card": "[CREDIT_CARD]", "n": 1}


def test_text_and_events_are_masked_by_their_media_type():
    assert run("--presets", "pii", "--content-type", "text/plain", stdin=f"to {EMAIL}").stdout == "to a***@example.com"
    told = run("--presets", "pii", "--content-type", "text/event-stream", stdin=f'data: {{"a":"{EMAIL}"}}\n\n')
    assert told.stdout == 'data: {"a":"a***@example.com"}\n\n'


def test_receipts_are_on_standard_error():
    told = run("--presets", "pci", "--receipts")
    assert (told.stderr, CARD in told.output) == ("/card  credit_card  last4  1\n", False)


def test_explanation_shows_no_value_unless_asked():
    told, shown = run("--presets", "pii,pci", "--explain"), run("--presets", "pii,pci", "--explain", "--show-values")
    lines = told.stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [["/email", "0-19", "email"], ["/card", "0-19", "credit_card"]]
    assert "last4 -> **** **** **** 1111" in lines[1]
    assert [each in text for text in (told.output, shown.output) for each in (CARD, EMAIL)] == [
        False,
        False,
        True,
        True,
    ]


def test_explanation_is_json_if_asked():
    rows = json.loads(run("--presets", "pci", "--explain", "--json").stdout)
    assert [(row["pointer"], row["detector"], row["why"], row["fate"]) for row in rows] == [
        ("/card", "credit_card", ["form", "check"], "masked")
    ]
    assert "value" not in rows[0]


def test_explanation_of_nothing_says_so():
    assert run("--presets", "pci", "--explain", stdin="{}").stdout == "nothing was found\n"


def test_masked_body_and_receipts_are_json_if_asked():
    told = json.loads(run("--presets", "pci", "--json").stdout)
    assert (json.loads(told["body"])["card"], [each["pointer"] for each in told["receipts"]]) == (
        "**** **** **** 1111",
        ["/card"],
    )


@pytest.mark.parametrize("as_json", [False, True])
def test_body_that_cannot_be_inspected_exits_1_with_a_cure(as_json):
    told = run("--presets", "pii", *(["--json"] if as_json else []), stdin='{"a":')
    assert told.exit_code == 1
    assert "correct the body, or give --content-type text/plain if it is text" in told.output
    assert not as_json or json.loads(told.stdout)["ok"] is False


def test_defect_is_to_be_reported():
    assert advise(Unmaskable(INCOMPLETE)).endswith("a defect; please report it with a body that shows it")


def test_body_that_is_too_dear_says_that_it_would_be_blocked():
    told = run("--presets", "pii,phi,gdpr,pci,secrets", stdin=json.dumps({"a": "4111 1111 " * 30_000}))
    assert (told.exit_code, "on_failure: pass" in told.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to look for; give --presets, --add, or --config and --rule"),
        (["--presets", "all"], "there is no such preset; there are pii, phi, gdpr, pci, secrets"),
        (["--add", "emial"], "unknown detector `emial`; did you mean `email`"),
        (["--presets", "pii", "--remove", "nosuch"], "unknown detector `nosuch`"),
        (["--presets", "pii", "--style", "email"], "`email` is not DETECTOR=STYLE; the styles are partial,"),
        (["--presets", "pii", "--style", "email=hash"], "the styles `hash` and `tokenize` need a key"),
        (["--rule", "cards"], "--rule needs --config"),
        (["--reveal"], "--reveal needs --config, for its `masking_keys`"),
        (["--presets", "pii", "--config", "/nosuch.yaml"], "/nosuch.yaml"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_misuse_exits_2_and_says_what_to_do(words, message):
    told = run(*words)
    assert (told.exit_code, message in told.stderr) == (2, True), told.stderr


def test_rule_of_a_configuration_is_used_with_its_exempt_paths(config):
    told = run("--config", config, "--rule", "cards", stdin=json.dumps({"card": CARD, "other": CARD}))
    assert json.loads(told.stdout) == {"card": CARD, "other": "**** **** **** 1111"}


def test_rule_in_shadow_masks_here_and_its_tokens_can_be_revealed(config):
    told = run("--config", config, "--rule", "mails", "--tenant", "acme")
    token = json.loads(told.stdout)["email"]
    assert token.startswith("tok_email_")
    revealed = run("--reveal", "--config", config, "--tenant", "acme", stdin=f"{token}\n")
    assert (revealed.exit_code, revealed.stdout) == (0, f"{EMAIL}\n")


def test_token_of_another_tenant_is_not_revealed(config):
    token = json.loads(run("--config", config, "--rule", "mails", "--tenant", "acme").stdout)["email"]
    told = run("--reveal", "--config", config, "--tenant", "other", "--json", stdin=token)
    assert (told.exit_code, told.stdout) == (1, "[null]\n")
    assert "1 of 1 tokens: no key of" in told.stderr


@pytest.mark.parametrize(("name", "words"), [("old", []), ("nosuch", []), ("cards", ["--presets", "pii"])])
def test_rule_that_cannot_be_used_exits_2(config, name, words):
    told = run("--config", config, "--rule", name, *words)
    assert told.exit_code == 2
    wanted = "leave out --presets" if words else f"is called `{name}`; there are: `mails`, `cards`"
    assert wanted in told.stderr


def test_configuration_without_a_key_cannot_reveal(tmp_path):
    (tmp_path / "agen.yaml").write_text(PLAIN, "utf-8")
    told = run("--reveal", "--config", str(tmp_path / "agen.yaml"), stdin="tok")
    assert (told.exit_code, "no key under `masking_keys`" in told.stderr) == (2, True)
