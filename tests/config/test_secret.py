"""Every file and variable of a secret is read when asked to, and what is wrong with one is said without it."""

from pathlib import Path

import pytest

from agen_authz.config import Secrets, list_secret_files, load, read_store_url, weakened
from agen_authz.core.errors import ConfigError
from tests.certificates import issue
from tests.config.test_mistakes import FLOW, GOOD, KEYS, problems_of

KEY = b"canary-" * 5
PROVIDER = "    issuer: https://id.example.com/\n"
PAGES = "approvals: {base_url: 'https://people.example'}\n"


def write_config(folder: Path, text: str) -> Path:
    file = folder / "agen.yaml"
    file.write_text(text, "utf-8")
    return file


def load_with(folder: Path, text: str):
    return load(write_config(folder, text), environ={})


def places_of(folder: Path, text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as caught:
        load_with(folder, text)
    assert "canary" not in str(caught.value)
    return [(problem.path, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (GOOD.replace("  authz", "  metadata_key_file: FILE\n  authz"), "server.metadata_key_file"),
        (GOOD + "masking_keys: [{id: m, secret_file: FILE}]\n", "masking_keys[0].secret_file"),
        (
            GOOD + "hooks: [{name: h, state: enforce, on: call, url: 'https://h', secret_file: FILE}]\n",
            "hooks[0].secret_file",
        ),
        (GOOD + "notifications: {email_url_file: FILE}\n", "notifications.email_url_file"),
        (
            GOOD + PAGES + "console: {provider: corp, client_id: c, client_secret_file: FILE}\n",
            "console.client_secret_file",
        ),
        (GOOD + "audit: {checkpoint_key_file: FILE}\n", "audit.checkpoint_key_file"),
        (GOOD + "audit: {sinks: [{name: s, type: splunk_hec, url: 'https://s', token_file: FILE}]}\n",
         "audit.sinks[0].token_file"),
        (GOOD + (FLOW % ("", ", notify: {urls_file: FILE}", "")).replace("/k", "FILE"),
         "approvals.flows[0].notify.urls_file"),
    ],
    ids=["metadata", "masking", "hook", "mail", "console", "checkpoints", "splunk", "flow"],
)  # fmt: skip
def test_file_that_is_missing_or_empty_is_named(tmp_path, text, path):
    missing, empty, good = (tmp_path / name for name in ("missing", "empty", "good"))
    empty.write_bytes(b"\n")
    good.write_bytes(KEY)
    assert (path, "cannot be read: No such file or directory") in places_of(
        tmp_path, text.replace("FILE", str(missing))
    )
    assert (path, "the file is empty") in places_of(tmp_path, text.replace("FILE", str(empty)))
    assert (path, "cannot be read: Is a directory") in places_of(tmp_path, text.replace("FILE", str(tmp_path)))
    assert "canary" not in repr(load_with(tmp_path, text.replace("FILE", str(good))).secrets)


URL = "postgresql://agen:canary@db.example.com/agen"
NO_URL = ("store.url_file", "does not hold the URL of a store")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, ("store.url_file", "cannot be read: No such file or directory")),
        (b"\n", ("store.url_file", "the file is empty")),
        (b"canary", NO_URL),
        (b"\xff" + URL.encode(), NO_URL),
        (b" " + URL.encode(), NO_URL),
    ],
    ids=["missing", "empty", "not a URL", "not text", "space"],
)
def test_file_that_does_not_hold_the_url_of_the_store_is_named(tmp_path, content, problem):
    file = tmp_path / "url"
    if content is not None:
        file.write_bytes(content)
    text = GOOD + f"store: {{url_file: {file}}}\n"
    assert places_of(tmp_path, text) == [problem]
    config = load(write_config(tmp_path, text), secrets=False, environ={}).config
    with pytest.raises(ConfigError) as caught:
        read_store_url(config)
    assert ([each.path for each in caught.value.problems], "canary" in str(caught.value)) == (["store.url_file"], False)


def test_url_of_the_store_comes_from_a_file_or_a_variable_and_is_not_shown(tmp_path):
    (tmp_path / "url").write_text(URL + "\n")
    environ, read = {"AGEN_STORE": URL}, []
    for key in (f"url_file: {tmp_path}/url", "url_env: AGEN_STORE"):
        loaded = load(write_config(tmp_path, GOOD + f"store: {{{key}}}\n"), environ=environ)
        assert "canary" not in repr(loaded)
        read += [loaded.secrets.store_url, read_store_url(loaded.config, environ)]
    assert read == [URL] * 4
    for store, url in (("", None), ("store: {url: 'sqlite:////a.db'}\n", "sqlite:////a.db")):
        assert read_store_url(load_with(tmp_path, GOOD + store).config) == url


def test_only_keys_have_a_least_length_and_every_file_a_largest(tmp_path):
    short, long = tmp_path / "short", tmp_path / "long"
    short.write_bytes(b"x")
    long.write_bytes(b"x" * 100_000)
    console = "approvals: {base_url: 'https://people.example'}\n"
    console += f"console: {{provider: corp, client_id: c, client_secret_file: {short}}}\n"
    mail = f"{GOOD}notifications: {{email_url_file: {short}}}\n{console}"
    expected = Secrets(signing_keys={"crm": (), "billing": ()}, console_secret=b"x", mail_url=b"x")
    assert load_with(tmp_path, mail).secrets == expected
    text = GOOD + f"store: {{encryption_key_file: {short}}}\nmasking_keys: [{{id: m, secret_file: {long}}}]\n"
    text += f"notifications: {{email_url_file: {long}}}\n"
    assert places_of(tmp_path, text) == [
        ("store.encryption_key_file", "the key is shorter than 32 bytes"),
        ("masking_keys[0].secret_file", "larger than 64 KiB"),
        ("notifications.email_url_file", "larger than 64 KiB"),
    ]


def test_certificates_of_a_provider_are_read_from_a_bundle_of_any_size_with_comments(tmp_path):
    authorities, bundle = [issue("one"), issue("two")], tmp_path / "bundle.pem"
    bundle.write_bytes(("# Autorit\u00e9\n" * 8000).encode() + authorities[0].pem + b"\n# x\n" + authorities[1].pem)
    loaded = load_with(tmp_path, GOOD.replace(PROVIDER, f"{PROVIDER}    ca_file: {bundle}\n"))
    assert loaded.secrets.provider_cas == {"corp": "".join(each.pem.decode() for each in authorities)}
    assert str(bundle) in list_secret_files(loaded.config)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "cannot be read: No such file or directory", id="missing"),
        pytest.param(b"\n", "the file is empty", id="empty"),
        pytest.param(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "holds no certificate", id="key"),
        pytest.param(b"-----BEGIN CERTIFICATE-----\nAAAA\n", "holds no certificate", id="cut off"),
    ],
)
def test_certificates_of_a_provider_that_cannot_be_used_are_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    text = GOOD.replace(PROVIDER, f"{PROVIDER}    ca_file: {tmp_path}/ca.pem\n")
    assert places_of(tmp_path, text) == [("providers[0].ca_file", message)]


def test_keys_are_returned_next_to_the_configuration(tmp_path):
    key = tmp_path / "key"
    key.write_bytes(KEY + b"\n")
    text = GOOD.replace("  authz", f"  metadata_key_file: {key}\n  authz") + f"store: {{encryption_key_file: {key}}}\n"
    loaded = load_with(tmp_path, text)
    assert loaded.secrets == Secrets(KEY, KEY, {"crm": (), "billing": ()})
    assert repr(loaded.secrets) == "Secrets()"
    assert "server.metadata_key_file" not in weakened(loaded.config)


def test_certificates_are_left_to_the_engine_that_reads_them_again(tmp_path):
    tls = f"tls: {{cert_file: {tmp_path}/c, key_file: {tmp_path}/k, client_ca_file: {tmp_path}/a}}"
    assert load_with(tmp_path, GOOD.replace("  authz", f"  {tls}\n  authz")).secrets.metadata_key is None


def test_two_names_of_one_key_under_two_resources_are_found_by_its_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(KEY)
    text = GOOD
    for name in ("a", "b"):
        keys = KEYS.replace("k1", name).replace("/a", str(tmp_path / name))
        text = text.replace("insecure_unsigned: true", keys, 1)
    assert places_of(tmp_path, text) == [
        ("resources[1].signing_keys[0].secret_file", "has the bytes of a key of `crm`"),
    ]


def test_masking_keys_are_returned_in_the_order_of_the_file(tmp_path):
    for name in ("new", "old"):
        (tmp_path / name).write_bytes(name.encode() * 16 + b"\n")
    held = ", ".join(f"{{id: {name}, secret_file: {tmp_path}/{name}}}" for name in ("new", "old"))
    text = f"masking_keys: [{held}]\n"
    loaded = load_with(tmp_path, GOOD + text)
    assert loaded.secrets.masking_keys == (("new", b"new" * 16), ("old", b"old" * 16))
    assert repr(loaded.secrets) == "Secrets()"


def test_one_key_under_two_masking_ids_or_as_a_signing_key_too_is_found_by_its_bytes(tmp_path):
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(KEY)
    text = GOOD.replace("insecure_unsigned: true", KEYS.replace("/a", str(tmp_path / "a")), 1)
    text += f"masking_keys: [{{id: b, secret_file: {tmp_path}/b}}]\n"
    assert places_of(tmp_path, text) == [("masking_keys[0].secret_file", "has the bytes of a key of `crm`")]
    text = GOOD + f"masking_keys: [{{id: b, secret_file: {tmp_path}/b}}, {{id: c, secret_file: {tmp_path}/c}}]\n"
    assert places_of(tmp_path, text) == [("masking_keys[1].secret_file", "has the bytes of a key of `masking_keys[0]`")]


def test_mistakes_of_secrets_are_reported_with_the_others(tmp_path):
    text = (
        GOOD.replace("allow: [analyst]", "allow: []")
        + f"store: {{url_env: NONE, encryption_key_file: {tmp_path}/x}}\nzzz: 1\n"
    )
    assert [path for path, _ in places_of(tmp_path, text)] == [
        "access.rules[0].allow", "store.url_env", "store.encryption_key_file", "zzz",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ['"a\\0b"', '""', '"a\\nb"'], ids=["nul", "empty", "two lines"])
def test_name_that_no_file_has_is_a_mistake(tmp_path, name):
    (problem,) = problems_of(tmp_path, GOOD + f"store: {{encryption_key_file: {name}}}\n")
    assert problem.path == "store.encryption_key_file"


def test_configuration_that_no_file_can_be_is_named():
    with pytest.raises(ConfigError, match="cannot be read: not the name of a file"):
        load(Path("a\0b"), environ={})


def test_everything_that_weakens_is_listed(tmp_path):
    text = (
        GOOD.replace("https://id.example.com/", "http://127.0.0.1:1\n    insecure_issuer: true")
        + "data_protection: [{name: d, state: enforce, presets: [pii], on_failure: pass, binary: pass}]\n"
        + "hooks: [{name: h, state: enforce, on: call, url: 'https://h', on_failure: pass}]\naudit: {on_full: drop}\n"
        + FLOW % ("", ", on_timeout: approve, low_risk: true, requester_may_approve: true", "")
    )
    file = tmp_path / "agen.yaml"
    file.write_text(text, "utf-8")
    assert weakened(load(file, secrets=False, environ={}).config) == [
        "server.metadata_key_file",
        "providers.insecure_issuer",
        "resources.insecure_unsigned",
        "data_protection.on_failure",
        "data_protection.binary",
        "hooks.on_failure",
        "approvals.on_timeout",
        "approvals.requester_may_approve",
        "audit.on_full",
    ]


@pytest.mark.parametrize(
    "raw", [b"secret\r\n", "geheimnis\u00fc".encode(), b"\xff\xfe", b"one\ntwo\n", b"\xef\xbb\xbfsecret"]
)
def test_client_secret_with_characters_that_none_has_is_refused(tmp_path, raw):
    file = tmp_path / "secret"
    file.write_bytes(raw)
    text = f"console: {{provider: corp, client_id: c, client_secret_file: {file}}}\n"
    found = places_of(tmp_path, GOOD + PAGES + text)
    assert [path for path, _ in found] == ["console.client_secret_file"]
