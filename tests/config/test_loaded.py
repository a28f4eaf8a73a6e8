"""What a good configuration becomes: defaults, secrets, what is not built yet, what weakens, the schema."""

from pathlib import Path

import jsonschema
import pytest

from agen_authz.config import list_proc_addresses, load, load_again, schema, unbuilt, weakened
from agen_authz.config.reading.unit import parse_duration, parse_share, parse_size
from agen_authz.core.errors import ConfigError
from tests.config.test_mistakes import GOOD, KEYS

CONTRACT = Path(__file__).parent / "contract"


def write(tmp_path: Path, old: str | None = None, new: str = "") -> Path:
    file = tmp_path / "agen.yaml"
    file.write_text(GOOD + new if old is None else GOOD.replace(old, new, 1), "utf-8")
    return file


@pytest.mark.parametrize("name", ["complete.yaml", "minimal.yaml"])
def test_every_key_of_the_contract_is_accepted(name):
    assert load(CONTRACT / name, secrets=False, environ={}).config.version == 1


@pytest.mark.parametrize("name", ["complete.yaml", "minimal.yaml"])
def test_every_key_of_the_contract_is_known_to_the_schema(name):
    plain = load(CONTRACT / name, secrets=False, environ={}).tree.value
    jsonschema.Draft202012Validator(schema()).validate(plain)


def test_schema_refuses_what_the_loader_refuses():
    validator = jsonschema.Draft202012Validator(schema())
    assert not validator.is_valid({"version": 1, "nonsense": 1})


def test_defaults_are_those_of_the_contract(tmp_path):
    config = load(write(tmp_path), environ={}).config
    assert (config.server.check_timeout, config.server.shutdown_grace, config.server.ops) == (
        1.0,
        20.0,
        "127.0.0.1:9464",
    )
    limits = config.limits
    assert (limits.request_bytes, limits.json_depth, limits.sessions) == (1 << 20, 64, 100_000)
    assert limits.json_values == 50_000
    provider = config.providers[0]
    assert (provider.algorithms, provider.token_types, provider.leeway) == (("RS256", "ES256"), ("at+jwt", "JWT"), 30.0)
    assert (provider.jwks.refresh, provider.jwks.keep_stale, provider.jwks.cooldown) == (600.0, 3600.0, 30.0)
    assert (provider.claims.client, provider.claims.scopes) == (("client_id", "azp"), ("scope", "scp"))


@pytest.mark.parametrize(
    ("written", "seconds"), [("250ms", 0.25), ("5s", 5.0), ("10m", 600.0), ("4h", 14_400.0), ("7d", 604_800.0)]
)
def test_duration_is_seconds(written, seconds):
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(("written", "size"), [("1B", 1), ("64KiB", 65_536), ("4MiB", 4_194_304), ("1GiB", 1 << 30)])
def test_size_is_bytes(written, size):
    assert parse_size(written) == size


@pytest.mark.parametrize(("written", "share"), [("1%", 0.01), ("0.5%", 0.005), ("100%", 1.0)])
def test_share_is_a_fraction(written, share):
    assert parse_share(written) == share


@pytest.mark.parametrize("written", ["5", "5 s", "-5s", "5S", "1w", "", 5, None, "٥s"], ids=repr)
def test_unknown_unit_is_refused(written):
    for parse in (parse_duration, parse_size, parse_share):
        with pytest.raises(ValueError, match="expected a"):
            parse(written)


def test_words_that_other_yaml_reads_as_booleans_are_words(tmp_path):
    hook = "tools: {pinning: off}\nhooks: [{name: h, state: enforce, on: call, tools: ['crm/x'], url: 'https://h'}]\n"
    config = load(write(tmp_path, None, hook), secrets=False, environ={}).config
    assert (config.tools.pinning, config.hooks[0].on) == ("off", "call")


# ---- secrets -------------------------------------------------------------------------------------------------


def signed(tmp_path: Path, first: bytes | None, second: bytes | None) -> Path:
    for name, key in (("a", first), ("b", second)):
        if key is not None:
            (tmp_path / name).write_bytes(key)
    text = GOOD
    for name in ("a", "b"):
        keys = KEYS.replace("k1", f"k-{name}").replace("/a", str(tmp_path / name))
        text = text.replace("insecure_unsigned: true", keys, 1)
    file = tmp_path / "agen.yaml"
    file.write_text(text, "utf-8")
    return file


def test_keys_are_the_files_bytes_less_one_line_end(tmp_path):
    loaded = load(signed(tmp_path, b"k" * 32 + b"\n", b"l" * 40), environ={})
    assert loaded.secrets.signing_keys == {"crm": (("k-a", b"k" * 32),), "billing": (("k-b", b"l" * 40),)}
    assert "kkkk" not in repr(loaded.secrets)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (None, b"l" * 32, "cannot be read"),
        (b"short", b"l" * 32, "shorter than 32 bytes"),
        (b"k" * 70_000, b"l" * 32, "larger than 64 KiB"),
        (b"k" * 32, b"k" * 32, "has the bytes of a key of `crm`"),
    ],
    ids=["missing", "short", "large", "shared"],
)
def test_key_that_cannot_be_used_is_named_and_not_shown(tmp_path, first, second, message):
    with pytest.raises(ConfigError) as caught:
        load(signed(tmp_path, first, second), environ={})
    assert message in str(caught.value)
    assert "kkkk" not in str(caught.value) and "short\n" not in str(caught.value)


def test_secrets_may_be_missing_when_only_checked(tmp_path):
    assert load(signed(tmp_path, None, None), secrets=False, environ={}).secrets.signing_keys == {}


def test_variable_of_the_store_must_be_set(tmp_path):
    file = write(tmp_path, None, "store: {url_env: AGEN_STORE}\n")
    with pytest.raises(ConfigError) as caught:
        load(file, environ={})
    assert caught.value.problems[0].path == "store.url_env"
    assert load(file, environ={"AGEN_STORE": "sqlite:////x"}).secrets.store_url == "sqlite:////x"


# ---- what is not built yet, and what weakens -------------------------------------------------------------------

UNBUILT = {
    "hooks": (None, "hooks: [{name: h, state: enforce, on: call, url: 'https://h'}]\n"),
    "audit.arguments": (None, "audit: {arguments: masked}\n"),
    "audit.chain": (None, "audit: {chain: true}\n"),
    "audit.sinks[0]": (None, "audit: {sinks: [{name: f, type: file, path: /f}]}\n"),
    "audit.on_full": (None, "audit: {on_full: drop}\n"),
    "telemetry.traces": (None, "telemetry: {traces: 'http://c:4317'}\n"),
}


@pytest.mark.parametrize("path", UNBUILT)
def test_what_is_not_built_yet_is_named(tmp_path, path):
    loaded = load(write(tmp_path, *UNBUILT[path]), secrets=False, environ={})
    (problem,) = unbuilt(loaded)
    assert (problem.path, problem.line is not None, "not available yet" in problem.message) == (path, True, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tools: {pinning: off, filter_lists: false}\n",
        "unruled_sample: 1%\n",
        "data_protection: [{name: d, state: enforce, presets: [pci]}]\n",
        "audit: {chain: false, arguments: digest, sinks: [{name: stdout, type: stdout, format: json}]}\n",
        "policies: []\nhooks: []\ndata_protection: []\nmasking_keys: []\n",
        "store: {url: 'sqlite:////var/lib/agen/agen.db'}\n",
    ],
)
def test_configuration_without_unbuilt_capabilities_has_no_problem(tmp_path, text):
    assert unbuilt(load(write(tmp_path, None, text), environ={})) == []


def test_what_weakens_is_listed(tmp_path):
    text = GOOD.replace("authz: 127.0.0.1:9191", "insecure_plaintext: true\n  insecure_accept_text_bodies: true")
    text = text.replace(
        "insecure_unsigned: true", "insecure_unsigned: true\n    unmapped: authenticated\n    forward_token: true", 1
    )
    file = tmp_path / "agen.yaml"
    file.write_text(text, "utf-8")
    assert weakened(load(file, environ={}).config) == [
        "server.insecure_plaintext",
        "server.insecure_accept_text_bodies",
        "server.metadata_key_file",
        "resources.insecure_unsigned",
        "resources.unmapped",
        "resources.forward_token",
    ]


# ---- what other processes are handed ---------------------------------------------------------------------------


def test_what_another_process_loads_from_the_same_bytes_is_the_same(tmp_path):
    file = signed(tmp_path, b"a" * 32, b"b" * 32)
    first = load(file, environ={})
    file.write_text("nonsense", "utf-8")
    (tmp_path / "a").unlink()
    again = load_again(file, first.raw, first.secrets)
    assert (again.config, again.secrets, again.version, again.raw) == (
        first.config,
        first.secrets,
        first.version,
        first.raw,
    )
    with pytest.raises(ConfigError):
        load_again(file, b"version: 2", first.secrets)


@pytest.mark.parametrize(
    ("proc", "addresses"),
    [
        ("127.0.0.1:9192", ("127.0.0.1:9192", "127.0.0.1:9193", "127.0.0.1:9194")),
        ("'[::1]:9192'", ("[::1]:9192", "[::1]:9193", "[::1]:9194")),
        ("unix:///run/proc.sock", ("unix:///run/proc.sock", "unix:///run/proc-2.sock", "unix:///run/proc-3.sock")),
        ("unix:///proc/proc", ("unix:///proc/proc", "unix:///proc/proc-2", "unix:///proc/proc-3")),
    ],
)
def test_each_process_worker_has_its_own_address(tmp_path, proc, addresses):
    text = ("  authz", f"  proc: {proc}\n  filter_workers: 3\n  authz")
    assert list_proc_addresses(load(write(tmp_path, *text), environ={}).config.server) == addresses
