"""Secrets come from files and variables, never from the configuration itself, and are shown nowhere."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agen_authz.config.model import Config
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Section
from agen_authz.config.reading.tree import Path as KeyPath
from agen_authz.config.reading.tree import spell
from agen_authz.config.sections.store import STORES, URL_CURE
from agen_authz.core.errors import ConfigError, Problem

_MIN_KEY_BYTES = 32
_MAX_SECRET_BYTES = 64 * 1024
# The bundles of operating systems have 200 KiB and more.
_MAX_CA_BYTES = 1024 * 1024
# The engine reads these, again and again: certificates rotate under a running server, and a reload of policies must
# not fail because one is being replaced.
_READ_ELSEWHERE = ("server", "tls")
# Files whose bytes are a key; other files (PEM, URLs, passwords) only must not be empty.
_KEYS = frozenset({"secret_file", "metadata_key_file", "encryption_key_file"})

SigningKeys = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What was read; nothing of it is in its repr.

    Args:
        signing_keys: of each resource, (id, key) in the order of the file: the first signs.
        provider_cas: of each provider with a `ca_file`, the certificates in it, as PEM.
        masking_keys: (id, key) in the order of the file: the first masks.
        console_secret: the console's client secret.
        flow_urls: of each flow that has some, the file of Apprise URLs.
        mail_url: the file of the mail server's Apprise URL.
        store_url: the store's URL, from a file or a variable; None if the configuration has it, or the default holds.
    """

    metadata_key: bytes | None = field(default=None, repr=False)
    store_key: bytes | None = field(default=None, repr=False)
    signing_keys: Mapping[str, SigningKeys] = field(default_factory=dict, repr=False)
    provider_cas: Mapping[str, str] = field(default_factory=dict, repr=False)
    masking_keys: SigningKeys = field(default=(), repr=False)
    store_url: str | None = field(default=None, repr=False)
    console_secret: bytes | None = field(default=None, repr=False)
    flow_urls: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    mail_url: bytes | None = field(default=None, repr=False)


def read_secrets(findings: Findings, config: Config, environ: Mapping[str, str]) -> Secrets:
    """Read every file and variable that the configuration names; what is missing or too short is a finding."""
    read: dict[KeyPath, bytes] = {}
    for path, name in _named(config, ()):
        if str(path[-1]).endswith("_env"):
            _check_variable(findings, path, environ.get(name))
            continue
        content = _read(findings, path, Path(name))
        if content is not None:
            read[path] = content
    _refuse_shared(findings, config, read)
    signing: dict[str, SigningKeys] = {}
    for index, resource in enumerate(config.resources):
        paths = [
            (key.id, ("resources", index, "signing_keys", position, "secret_file"))
            for position, key in enumerate(resource.signing_keys or ())
        ]
        signing[resource.name] = tuple((identifier, read[path]) for identifier, path in paths if path in read)
    masking = [(key.id, ("masking_keys", position, "secret_file")) for position, key in enumerate(config.masking_keys)]
    metadata_key = read.get(("server", "metadata_key_file"))
    cas = {
        provider.name: _read_certificates(findings, path, read[path])
        for index, provider in enumerate(config.providers)
        if read.get(path := ("providers", index, "ca_file"))
    }
    return Secrets(
        metadata_key,
        read.get(("store", "encryption_key_file")),
        signing,
        cas,
        tuple((identifier, read[path]) for identifier, path in masking if path in read),
        _find_store_url(findings, config, read, environ),
        _read_client_secret(findings, read),
        {
            flow.name: read[path]
            for index, flow in enumerate(config.approvals.flows)
            if (path := ("approvals", "flows", index, "notify", "urls_file")) in read
        },
        read.get(("notifications", "email_url_file")),
    )


def read_store_url(config: Config, environ: Mapping[str, str] | None = None) -> str | None:
    """Read the store's URL and no other secret; None if the default holds.

    Args:
        environ: the process's environment if None.

    Raises:
        ConfigError: the file or the variable that should have it does not.
    """
    store = config.store
    if store.url_env is not None:
        url = (os.environ if environ is None else environ).get(store.url_env, "")
    elif store.url_file is not None:
        url = _read_line(Path(store.url_file))
    else:
        return store.url
    if not url.startswith(STORES):
        key = "url_env" if store.url_env is not None else "url_file"
        raise ConfigError((Problem("store", None, f"store.{key}", "does not hold the URL of a store", URL_CURE),))
    return url


def _read_line(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return stream.read(_MAX_SECRET_BYTES).removesuffix(b"\n").decode("utf-8")
    except (OSError, ValueError):
        return ""


def _find_store_url(
    findings: Findings, config: Config, read: Mapping[KeyPath, bytes], environ: Mapping[str, str]
) -> str | None:
    """Take the store's URL from what was read; what is missing is a finding already."""
    path: KeyPath = ("store", "url_file")
    raw = read.get(path)
    if config.store.url_env is not None:
        path = ("store", "url_env")
        raw = environ.get(config.store.url_env, "").encode("utf-8", "surrogateescape")
    if not raw:
        return None
    url = raw.decode("utf-8", "replace")
    if not url.startswith(STORES):
        # Not shown: it may hold a password.
        findings.add(path, "does not hold the URL of a store", URL_CURE)
    return url


def _read_client_secret(findings: Findings, read: Mapping[KeyPath, bytes]) -> bytes | None:
    path = ("console", "client_secret_file")
    content = read.get(path)
    if content is not None and not all(0x20 <= byte <= 0x7E for byte in content):
        # RFC 6749 appendix A.2.
        findings.add(path, "has other characters than a client secret can have", "write the secret, and nothing else")
    return content


def _read_certificates(findings: Findings, path: KeyPath, content: bytes) -> str:
    try:
        certificates = x509.load_pem_x509_certificates(content)
    except ValueError:
        findings.add(path, "holds no certificate", "name a file of certificates in PEM: -----BEGIN CERTIFICATE-----")
        return ""
    # Rewritten: bundles have comments in any encoding.
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates).decode("ascii")


def list_secret_files(config: Section) -> tuple[str, ...]:
    """List every file that `read_secrets` reads."""
    return tuple(name for path, name in _named(config, ()) if str(path[-1]).endswith("_file"))


def _named(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Walk over every key that names a file or a variable."""
    if path == _READ_ELSEWHERE:
        return
    if isinstance(value, Section):
        for key in type(value).model_fields:
            member = getattr(value, key)
            if isinstance(member, str) and key.endswith(("_file", "_env")):
                yield (*path, key), member
            else:
                yield from _named(member, (*path, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _named(item, (*path, index))


def _check_variable(findings: Findings, path: KeyPath, content: str | None) -> None:
    if not content:
        findings.add(path, "the variable is not set", "set it, or check with `--no-secrets`")


def _read(findings: Findings, path: KeyPath, file: Path) -> bytes | None:
    limit = _MAX_CA_BYTES if path[-1] == "ca_file" else _MAX_SECRET_BYTES
    try:
        with file.open("rb") as stream:
            raw = stream.read(limit + 1)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or "not the name of a file"
        findings.add(path, f"cannot be read: {why}", "create the file, or check with `--no-secrets`")
        return None
    content = raw.removesuffix(b"\n")
    if not content:
        findings.add(path, "the file is empty", "write the secret into it")
    elif len(raw) > limit:
        # Not cut: a part of it could be taken for the whole.
        findings.add(path, f"larger than {limit // 1024} KiB", "name a file that holds nothing else")
    elif path[-1] in _KEYS and len(content) < _MIN_KEY_BYTES:
        message = f"the key is shorter than {_MIN_KEY_BYTES} bytes"
        findings.add(path, message, f"generate one: openssl rand -out FILE {_MIN_KEY_BYTES}")
    return content


def _refuse_shared(findings: Findings, config: Config, read: Mapping[KeyPath, bytes]) -> None:
    """Refuse one key's bytes under two owners.

    With a key of two resources, one backend could forge to the other; a key that masks and signs could be found by
    those who hold it; and of two masking keys that are one, neither could be retired.
    """
    owners: dict[bytes, str] = {}
    for path, content in read.items():
        if not content or path[0] not in ("resources", "masking_keys"):
            continue
        if path[0] == "resources":
            name, cure = config.resources[int(path[1])].name, "generate a separate key for each resource"
        else:
            name, cure = spell(path[:2]), "generate a separate key for each id"
        owner = owners.setdefault(content, name)
        if owner != name:
            findings.add(path, f"has the bytes of a key of `{owner}`", cure)
