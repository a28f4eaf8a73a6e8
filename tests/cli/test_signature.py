"""`sign` and `verify` as they are typed: the signature base, the verdict, and which component differs."""

import json

import pytest
from typer.testing import CliRunner

from agen_authz.cli.main import app
from tests.config.test_mistakes import GOOD
from tests.verify.signed import KEY, OTHER_KEY

RUN = CliRunner()
REQUEST = b"""POST /crm/mcp HTTP/1.1
Host: mcp.example.com
Content-Type: application/json
agen-issuer: "https://idp.example.com"
agen-subject: "ann"

{"jsonrpc":"2.0","id":1,"method":"ping"}"""
CREATED = 1_795_000_000


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "crm-1").write_bytes(KEY)
    (tmp_path / "crm-0").write_bytes(OTHER_KEY)
    keys = f"[{{id: crm-1, secret_file: {tmp_path}/crm-1}}, {{id: crm-0, secret_file: {tmp_path}/crm-0}}]"
    text = GOOD.replace("    insecure_unsigned: true", f"    signing_keys: {keys}\n    upstream_path: /mcp", 1)
    (tmp_path / "agen.yaml").write_text(text, "utf-8")
    (tmp_path / "request.http").write_bytes(REQUEST)
    return tmp_path


def run(folder, command, *words):
    told = RUN.invoke(app, [command, *map(str, words)])
    return told.exit_code, told.stdout, told.stderr


def signed(folder, *words):
    """Sign, and write the request as its backend gets it."""
    options = ("--config", folder / "agen.yaml", "--resource", "crm", "--json", "--created", CREATED)
    code, out, _ = run(folder, "sign", folder / "request.http", *options, *words)
    assert code == 0
    told = json.loads(out)
    sent = b"content-type: application/json\nhost: mcp.example.com\n"
    headers = "".join(f"{name}: {value}\n" for name, value in told["headers"].items()).encode()
    body = REQUEST.partition(b"\n\n")[2]
    (folder / "received.http").write_bytes(b"POST /mcp HTTP/1.1\n" + sent + headers + b"\n" + body)
    (folder / "base.txt").write_text(told["signature_base"], "ascii")
    return told


def alter(folder, old, new):
    file = folder / "received.http"
    raw = file.read_bytes()
    assert old in raw
    file.write_bytes(raw.replace(old, new))


def verdict(folder, *words):
    options = words or ("--config", folder / "agen.yaml")
    code, out, _ = run(folder, "verify", folder / "received.http", "--resource", "crm", "--json", *options)
    told = json.loads(out)
    return code, told["check"], [(each["component"], each["signed"]) for each in told["differs"]]


def test_what_is_signed_is_printed_and_verifies(folder):
    told = signed(folder, "--nonce", "0" * 32)
    assert told["signature_base"].splitlines()[:5] == [
        '"@method": POST',
        '"@path": /mcp',
        '"@query": ?',
        f'"content-digest": {told["headers"]["content-digest"]}',
        '"agen-issuer": "https://idp.example.com"',
    ]
    assert verdict(folder) == (0, "", [])
    assert verdict(folder, "--key", f"crm-1={folder}/crm-1") == (0, "", [])


def test_person_reads_base_and_headers(folder):
    options = ("--config", folder / "agen.yaml", "--resource", "crm")
    code, out, _ = run(folder, "sign", folder / "request.http", *options)
    base, _, headers = out.partition("\n\n")
    assert (code, base.splitlines()[-1].startswith('"@signature-params": ("@method"')) == (0, True)
    assert headers.splitlines()[0] == 'agen-issuer: "https://idp.example.com"'
    assert headers.splitlines()[-1].startswith("signature: agen=:")


def test_person_reads_verdict_and_age(folder):
    signed(folder)
    code, out, _ = run(
        folder, "verify", folder / "received.http", "--resource", "crm", "--config", folder / "agen.yaml"
    )
    assert (code, out.splitlines()[0], out.splitlines()[-2]) == (0, '"@method": POST', "verified")
    assert "a backend refuses it now" in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("old", "new", "check", "differs"),
    [
        pytest.param(b"POST /mcp", b"POST /crm/mcp", "signature", [("@path", "/mcp")], id="path-not-rewritten"),
        pytest.param(b"POST /mcp", b"POST /mcp/", "signature", [("@path", "/mcp")], id="trailing-slash"),
        pytest.param(b"POST /mcp", b"GET /mcp", "signature", [("@method", "POST")], id="method"),
        pytest.param(b"POST /mcp", b"POST /mcp?a=1", "signature", [("@query", "?")], id="query-added"),
        pytest.param(b"POST /mcp", b"GET /mcp/", "signature", [("@method", "POST"), ("@path", "/mcp")], id="two"),
        pytest.param(b'agen-tenant: ""', b'agen-tenant: "x"', "signature", [("agen-tenant", '""')], id="tenant-filled"),
        pytest.param(b'agen-subject: "ann"', b'agen-subject: "eve"', "signature", [], id="no-usual-change"),
        pytest.param(b'"ping"}', b'"ping" }', "content-digest", [], id="body"),
        pytest.param(b'keyid="crm-1"', b'keyid="crm-0"', "signature", [], id="parameters-altered"),
        pytest.param(b"signature: agen", b"signature: other", "signature", [], id="another-label"),
        pytest.param(b"signature-input: ", b"x: ", "signature-input", [], id="no-input"),
    ],
)  # fmt: skip
def test_difference_is_reported(folder, old, new, check, differs):
    signed(folder)
    alter(folder, old, new)
    assert verdict(folder) == (1, check, differs)


def test_key_with_another_id_is_reported(folder):
    signed(folder)
    assert verdict(folder, "--key", f"crm-1={folder}/crm-0", "--key", f"old={folder}/crm-1") == (
        1,
        "signature",
        [("keyid", "old")],
    )


def test_base_is_compared_line_by_line(folder):
    signed(folder)
    base = (folder / "base.txt").read_text("ascii")
    assert verdict(folder, "--config", folder / "agen.yaml", "--base", folder / "base.txt") == (0, "", [])
    (folder / "base.txt").write_text(base.replace('"@path": /mcp', '"@path": /crm/mcp'), "ascii")
    told = verdict(folder, "--config", folder / "agen.yaml", "--base", folder / "base.txt")
    assert told == (1, "", [("@path", "/crm/mcp")])


def test_refusal_is_read_by_a_person(folder):
    signed(folder)
    alter(folder, b"POST /mcp", b"POST /crm/mcp")
    code, out, _ = run(
        folder, "verify", folder / "received.http", "--resource", "crm", "--config", folder / "agen.yaml"
    )
    assert (code, "@path differs\n  signed:  /mcp\n  arrived: /crm/mcp\nrefused: signature" in out) == (1, True)


MISUSES = {
    "no-file": (["sign", "{folder}/none", "--config", "{folder}/agen.yaml", "--resource", "crm"], "No such file"),
    "no-request": (["sign", "{folder}/crm-1", "--config", "{folder}/agen.yaml", "--resource", "crm"], "crm-1:1: no request line"),
    "no-header": (["sign", "{folder}/odd.http", "--config", "{folder}/agen.yaml", "--resource", "crm"], "odd.http:2: no header line"),
    "no-resource": (["sign", "{folder}/request.http", "--config", "{folder}/agen.yaml", "--resource", "x"], "`x` is not a resource"),
    "unsigned": (["sign", "{folder}/request.http", "--config", "{folder}/plain.yaml", "--resource", "crm"], "has no `signing_keys`"),
    "no-key": (["verify", "{folder}/request.http", "--resource", "crm"], "no key was given"),
    "key-without-id": (["verify", "{folder}/request.http", "--resource", "crm", "--key", "x"], "write --key ID=FILE"),
    "key-that-is-none": (["verify", "{folder}/request.http", "--resource", "crm", "--key", "a={folder}/odd.http"], "shorter than 32"),
    "no-base": (
        ["verify", "{folder}/request.http", "--resource", "crm", "--key", "a={folder}/crm-1", "--base", "{folder}/none"],
        "No such file",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISUSES)
def test_misuse_says_what_to_do(folder, name):
    words, says = MISUSES[name]
    (folder / "odd.http").write_bytes(b"POST / HTTP/1.1\nx y\n\n")
    (folder / "plain.yaml").write_text(GOOD, "utf-8")
    told = RUN.invoke(app, [word.format(folder=folder) for word in words])
    assert (told.exit_code, told.stdout, says in told.stderr) == (2, "", True), told.stderr


def test_header_that_cannot_be_signed_is_named(folder):
    config = (folder / "agen.yaml").read_text("utf-8")
    (folder / "agen.yaml").write_text(config + "signing: {components: [content-type]}\n", "utf-8")
    (folder / "request.http").write_bytes(REQUEST.replace(b"application/json", b"application/\xe4"))
    told = RUN.invoke(app, ["sign", f"{folder}/request.http", "--config", f"{folder}/agen.yaml", "--resource", "crm"])
    assert (told.exit_code, "`content-type` cannot be signed" in told.stderr) == (2, True)


def test_crlf_and_a_request_without_a_body_are_read(folder):
    (folder / "request.http").write_bytes(b"GET /crm/mcp?x HTTP/1.1\r\nhost: mcp.example.com\r\n")
    told = RUN.invoke(app, ["sign", f"{folder}/request.http", "--config", f"{folder}/agen.yaml", "--resource", "crm"])
    assert (told.exit_code, told.stdout.splitlines()[:3]) == (0, ['"@method": GET', '"@path": /mcp', '"@query": ?'])
